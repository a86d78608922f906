#![allow(clippy::unwrap_used)]

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::Value;

use super::*;
use crate::dependency_track::{self, API_KEY, DependencyTrack, Project, Version};
use crate::prometheus::{self, Prometheus};
use crate::scenario::{many, shop_cluster};

const FINDINGS: u64 = 250;

fn client() -> Client {
    let builder = Client::builder().no_proxy().tls_certs_only([]);
    builder.redirect(Policy::none()).build().unwrap()
}

struct Paged(dependency_track::Simulator, String);

impl Paged {
    async fn new() -> Self {
        let project = Project::new("generated", None).with(many(FINDINGS, 1));
        let path = format!("/api/v1/finding/project/{}", project.uuid);
        let simulator = DependencyTrack::new(Version::V5_0).project(project);
        Self(simulator.start().await.unwrap(), path)
    }

    async fn page(&self, page: u32) -> reqwest::Result<Response> {
        let url = format!("{}{}?suppressed=true", self.0.url(), self.1);
        let request = client().get(url).header("X-Api-Key", API_KEY);
        let page = page.to_string();
        let request = request.query(&[("pageNumber", &*page), ("pageSize", "100")]);
        request.send().await
    }

    async fn struck(misfortune: Misfortune) -> Self {
        let paged = Self::new().await;
        paged.0.inflict(misfortune);
        paged
    }

    async fn status(&self, page: u32) -> u16 {
        self.page(page).await.unwrap().status().as_u16()
    }

    async fn rows(&self, page: u32) -> Vec<Value> {
        self.page(page).await.unwrap().json().await.unwrap()
    }
}

async fn cluster(misfortune: Misfortune) -> (prometheus::Simulator, Response) {
    let simulator = Prometheus::new().series(shop_cluster());
    let simulator = simulator.start().await.unwrap();
    simulator.inflict(misfortune);
    let url = format!("{}/api/v1/query", simulator.url());
    let form = [("query", "trivy_vulnerability_id")];
    let response = client().post(url).form(&form).send().await.unwrap();
    (simulator, response)
}

fn total(response: &Response) -> u64 {
    let total = response.headers()["x-total-count"].to_str();
    total.unwrap().parse().unwrap()
}

#[test]
fn every_misfortune_is_described_once() {
    let descriptions = Misfortune::ALL.iter().map(|m| m.description());
    let distinct = descriptions.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(distinct.len(), Misfortune::ALL.len());
}

#[tokio::test]
async fn empty_answers_are_healthy_in_the_vendors_own_form() {
    let paged = Paged::struck(Misfortune::EmptyAnswer).await;
    let answer = paged.page(1).await.unwrap();
    assert_eq!((answer.status().as_u16(), total(&answer)), (200, 0));
    assert_eq!(answer.text().await.unwrap(), "[]");

    let (_simulator, answer) = cluster(Misfortune::EmptyAnswer).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"]["result"], serde_json::json!([]));
}

#[tokio::test]
async fn statuses_come_when_the_plan_says_and_the_rest_of_the_tool_is_well() {
    let paged = Paged::struck(Misfortune::PermissionLostInTheMiddle).await;
    assert_eq!([paged.status(1).await, paged.status(2).await], [200, 403]);
    let projects = client().get(format!("{}/api/v1/project", paged.0.url()));
    let projects = projects.header("X-Api-Key", API_KEY).send().await.unwrap();
    assert_eq!(projects.status(), 200);
    paged.0.calm();
    assert_eq!(paged.status(2).await, 200);

    let paged = Paged::struck(Misfortune::ServerErrorOnPage(2)).await;
    let statuses = [
        paged.status(1).await,
        paged.status(2).await,
        paged.status(3).await,
    ];
    assert_eq!((statuses, paged.status(2).await), ([200, 500, 200], 500));

    let seldom = Misfortune::TooManyRequests {
        retry_after: Some(7),
    };
    let paged = Paged::new().await;
    paged.0.inflict_as(Plan::new(seldom).after(1).times(1));
    assert_eq!(paged.status(1).await, 200);
    assert_eq!(paged.page(1).await.unwrap().headers()["retry-after"], "7");
    assert_eq!(paged.status(1).await, 200);

    assert_eq!(
        Paged::struck(Misfortune::BadGateway).await.status(1).await,
        502
    );
    assert_eq!(
        Paged::struck(Misfortune::ServerError).await.status(1).await,
        500
    );
    assert_eq!(
        Paged::struck(Misfortune::KeyRevoked).await.status(1).await,
        401
    );
}

#[tokio::test]
async fn a_plan_can_be_for_one_query_only() {
    let simulator = Prometheus::new().series(shop_cluster());
    let simulator = simulator.start().await.unwrap();
    simulator.inflict_as(Plan::new(Misfortune::ServerError).on("trivy_vulnerability_id"));
    let status = async |query: &str| {
        let url = format!("{}/api/v1/query", simulator.url());
        let request = client().post(url).form(&[("query", query)]);
        request.send().await.unwrap().status().as_u16()
    };

    assert_eq!(status("min(up)").await, 200);
    assert_eq!(
        status(r#"trivy_vulnerability_id{severity="High"}"#).await,
        500
    );
}

#[tokio::test]
async fn damaged_bodies_are_damaged_as_described() {
    let broken = async |misfortune: Misfortune| {
        let answer = Paged::struck(misfortune).await.page(1).await.unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap_err()
    };
    assert!(broken(Misfortune::TruncatedJson).await.is_eof());
    assert!(broken(Misfortune::GarbageBehindJson).await.is_syntax());
    assert!(
        broken(Misfortune::InvalidUtf8)
            .await
            .to_string()
            .contains("unicode")
    );

    let paged = Paged::struck(Misfortune::WrongContentType).await;
    let answer = paged.page(1).await.unwrap();
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert!(answer.json::<Vec<Value>>().await.is_ok());

    let (_simulator, page) = cluster(Misfortune::HtmlLoginPage).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn a_repeated_page_has_the_right_total_and_an_endless_list_always_new_rows() {
    let first = Paged::new().await.rows(1).await;
    let repeated = Paged::struck(Misfortune::RepeatedPage).await;
    assert_eq!(total(&repeated.page(3).await.unwrap()), FINDINGS);
    assert!(repeated.rows(3).await == first);

    let endless = Paged::struck(Misfortune::EndlessPages).await;
    assert_eq!(total(&endless.page(7).await.unwrap()), 8 * FINDINGS);
    let (sixth, seventh) = (endless.rows(6).await, endless.rows(7).await);
    assert_eq!(seventh.len(), 100);
    assert!(
        sixth
            .iter()
            .all(|row| seventh.iter().all(|other| row["matrix"] != other["matrix"]))
    );
}

#[tokio::test]
async fn single_rows_are_damaged_and_the_others_keep_their_text() {
    let well = Paged::new()
        .await
        .page(1)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let well = serde_json::from_str::<Vec<Box<serde_json::value::RawValue>>>(&well).unwrap();

    let rows = Paged::struck(Misfortune::WrongTypesAndNullsInARow).await;
    let text = rows.page(1).await.unwrap().text().await.unwrap();
    assert!(text.contains(well[1].get()));
    let rows = serde_json::from_str::<Vec<Value>>(&text).unwrap();
    assert_eq!(rows[0]["vulnerability"]["severity"], 42);
    assert_eq!(rows[0]["component"]["name"], Value::Null);

    let rows = Paged::struck(Misfortune::UnknownEnumValues)
        .await
        .rows(1)
        .await;
    assert_eq!(rows[0]["vulnerability"]["severity"], "NEW_IN_THIS_RELEASE");
    assert_ne!(rows[1]["vulnerability"]["severity"], "NEW_IN_THIS_RELEASE");

    let rows = Paged::struck(Misfortune::NullInsteadOfARow)
        .await
        .rows(1)
        .await;
    assert_eq!((rows[0].is_null(), rows.len()), (true, 100));

    let (_simulator, answer) = cluster(Misfortune::WrongTypesAndNullsInARow).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"]["result"][0]["metric"]["severity"], 42);
}

#[tokio::test]
async fn huge_bodies_go_on_beyond_any_sensible_limit() {
    for misfortune in [
        Misfortune::HugeBody,
        Misfortune::HugeRow,
        Misfortune::CompressedBomb,
    ] {
        let (_simulator, answer) = cluster(misfortune).await;
        let mut body = answer.bytes_stream();
        let mut beginning = Vec::new();
        let mut size = 0;
        while size < 100 << 20 {
            let chunk = body.next().await.unwrap().unwrap();
            size += chunk.len();
            if beginning.len() < 100 {
                beginning.extend_from_slice(&chunk);
            }
        }
        assert!(
            beginning.starts_with(br#"{"status":"success""#),
            "{misfortune:?}"
        );
    }
}

#[tokio::test]
async fn slow_and_broken_connections_are_so() {
    let (_simulator, answer) = cluster(Misfortune::OneByteASecond).await;
    let first = answer.bytes_stream().next().await.unwrap().unwrap();
    assert_eq!(&first[..], b"{");

    let (_simulator, answer) = cluster(Misfortune::ConnectionReset).await;
    let error = answer.bytes().await.unwrap_err();
    let mut chain = String::new();
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = source {
        chain.push_str(&format!("{error}; "));
        source = error.source();
    }
    assert!(chain.contains("reset"), "{chain}");

    let paged = Paged::struck(Misfortune::NoAnswer).await;
    let silence = tokio::time::timeout(Duration::from_millis(200), paged.page(1)).await;
    assert!(silence.is_err());
    assert_eq!(paged.0.request_count(), 1);
}

#[tokio::test]
async fn the_other_host_of_a_redirect_tells_whether_a_credential_followed() {
    let paged = Paged::struck(Misfortune::RedirectToAnotherHost).await;
    let answer = paged.page(1).await.unwrap();
    assert_eq!(answer.status(), 302);
    let elsewhere = answer.headers()["location"].to_str().unwrap();
    assert!(!elsewhere.starts_with(paged.0.url()));
    assert!(paged.0.requests_elsewhere().is_empty());

    let careless = client().get(elsewhere).header("X-Api-Key", API_KEY);
    careless.send().await.unwrap();

    assert!(paged.0.requests_elsewhere()[0].credential);
}

#[tokio::test]
async fn a_credential_comes_back_in_an_error_or_in_a_row_of_the_same_identity() {
    let paged = Paged::struck(Misfortune::CredentialInAnError).await;
    let answer = paged.page(1).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains(API_KEY));

    let paged = Paged::new().await;
    let healthy = paged.rows(1).await;
    paged.0.inflict(Misfortune::CredentialInARow);
    let rows = paged.rows(1).await;
    assert!(rows[0].to_string().contains(API_KEY));
    assert_eq!(rows[0]["matrix"], healthy[0]["matrix"]);
    assert_eq!(rows[1], healthy[1]);
}
