#![allow(clippy::unwrap_used)]

use reqwest::{Client, Response};
use serde_json::json;

use super::*;
use crate::misfortune::Misfortune;
use crate::scenario::sonarqube_shop;

struct Tester {
    simulator: Simulator,
    client: Client,
    bearer: bool,
}

impl Tester {
    async fn new(edition: Edition) -> Self {
        Self::of(SonarQube::new(edition).projects(sonarqube_shop())).await
    }

    async fn of(simulator: SonarQube) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            bearer: render::Ways::of(simulator.edition).knows_bearer,
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn send(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.simulator.url()));
        let request = match self.bearer {
            true => request.bearer_auth(TOKEN),
            false => request.basic_auth(TOKEN, Some("")),
        };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.send(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn total(&self, path: &str) -> Value {
        self.get(path).await["paging"]["total"].clone()
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let response = self.send(path).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (
            status,
            body["errors"][0]["msg"].as_str().unwrap().to_owned(),
        )
    }
}

const OLD: Edition = Edition::Server("9.9.8.100196");
const RENAMED: Edition = Edition::Server("10.3.0.82913");
const NEW: Edition = Edition::Server("2025.4.3.113915");

#[tokio::test]
async fn a_filter_of_another_version_is_no_filter() {
    let all = json!(12);
    let own = json!(10);
    for (edition, components, component_keys) in
        [(OLD, &all, &own), (RENAMED, &own, &own), (NEW, &own, &own)]
    {
        let tester = Tester::new(edition).await;
        let path = |name| format!("/api/issues/search?{name}=com.acme%3Ashop");
        assert_eq!(
            tester.total(&path("components")).await,
            *components,
            "{edition:?}"
        );
        assert_eq!(tester.total(&path("componentKeys")).await, *component_keys);
    }
    let tester = Tester::new(Edition::Cloud).await;
    let path = "/api/issues/search?organization=acme-org&components=com.acme%3Ashop";
    assert_eq!(tester.total(path).await, all);
    let (status, _) = tester
        .refused("/api/hotspots/search?project=com.acme%3Ashop")
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_has_no_issues_and_is_refused_by_itself() {
    let tester = Tester::new(NEW).await;
    for key in ["com.acme:typo", "com.acme:hidden"] {
        let path = format!("/api/issues/search?components={key}");
        assert_eq!(tester.total(&path).await, json!(0));
    }
    let path = "/api/issues/search?components=com.acme:shop&branch=gone";
    assert_eq!(tester.total(path).await, json!(0));
    for (path, status, message) in [
        (
            "component=com.acme:typo",
            404,
            "Component key 'com.acme:typo' not found",
        ),
        ("component=com.acme:hidden", 403, "Insufficient privileges"),
        (
            "component=com.acme:shop&branch=gone",
            404,
            "Component 'com.acme:shop' on branch 'gone' not found",
        ),
    ] {
        let refused = tester
            .refused(&format!("/api/components/show?{path}"))
            .await;
        assert_eq!(refused, (status, message.to_owned()));
    }
    let shown = tester.get("/api/components/show?component=com.acme:shop&pullRequest=12");
    assert_eq!(shown.await["component"]["qualifier"], "TRK");
}

#[tokio::test]
async fn nothing_is_shown_beyond_the_cap_and_cloud_does_not_count_beyond_it() {
    let big = || Project::new("big", "Big").issues(Issue::many(10_050, 1));
    let tester = Tester::of(SonarQube::new(NEW).projects([big()])).await;
    let path = "/api/issues/search?components=big&ps=500";
    let last = tester.get(&format!("{path}&p=20")).await;
    assert_eq!(last["issues"].as_array().unwrap().len(), 500);
    assert_eq!(last["total"], 10_050);
    let (status, message) = tester.refused(&format!("{path}&p=21")).await;
    assert_eq!(
        (status, message.as_str()),
        (
            400,
            "Can return only the first 10000 results. 10500th result asked."
        )
    );
    let (_, message) = tester
        .refused("/api/issues/search?components=big&ps=501")
        .await;
    assert_eq!(message, "'ps' value (501) must be less than 500");
    let facet = tester
        .get("/api/issues/search?components=big&ps=1&facets=files&severities=INFO")
        .await;
    assert_eq!(facet["facets"][0]["values"].as_array().unwrap().len(), 100);
    let cloud = Tester::of(SonarQube::new(Edition::Cloud).projects([big()])).await;
    let path = "/api/issues/search?organization=acme-org&componentKeys=big&ps=500";
    assert_eq!(cloud.total(path).await, json!(10_000));
}

#[tokio::test]
async fn tokens_are_taken_as_the_version_knows_them() {
    let mut tester = Tester::new(OLD).await;
    assert_eq!(
        tester.get("/api/authentication/validate").await["valid"],
        true
    );
    tester.bearer = true;
    assert_eq!(
        tester.get("/api/authentication/validate").await["valid"],
        false
    );
    let refused = tester.send("/api/issues/search").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.text().await.unwrap(), "");
    let bare = tester
        .client
        .get(format!("{}/api/issues/search", tester.simulator.url()));
    assert_eq!(bare.send().await.unwrap().status(), 401);
    let page = tester.send("/dashboard?id=shop").await;
    assert!(page.text().await.unwrap().contains("<html>"));
}

#[tokio::test]
async fn times_are_half_open_and_types_are_checked() {
    let tester = Tester::new(NEW).await;
    let path = "/api/issues/search?components=com.acme:shop";
    let between = |from: &str, to: &str| {
        format!(
            "{path}&createdAfter=2026-10-01T07:55:{from}%2B0000&createdBefore=2026-10-01T07:55:{to}%2B0000"
        )
    };
    assert_eq!(tester.total(&between("00", "01")).await, json!(10));
    assert_eq!(tester.total(&between("01", "02")).await, json!(0));
    assert_eq!(tester.total(&between("00", "00")).await, json!(0));
    let (status, message) = tester
        .refused(&format!("{path}&types=SECURITY_HOTSPOT"))
        .await;
    assert_eq!(status, 400);
    assert!(message.contains("must be one of"), "{message}");
}

#[tokio::test]
async fn endless_pages_contradict_themselves() {
    let tester = Tester::new(NEW).await;
    tester.simulator.inflict(Misfortune::EndlessPages);
    let page = tester
        .get("/api/issues/search?components=com.acme:shop&ps=2&p=2")
        .await;
    assert_eq!(
        (&page["total"], &page["paging"]["total"]),
        (&json!(30), &json!(10))
    );
}
