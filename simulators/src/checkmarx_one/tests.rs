#![allow(clippy::unwrap_used)]

use reqwest::{Client, Response};

use super::*;
use crate::misfortune::Misfortune;
use crate::scenario::checkmarx_shop;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(simulator: CheckmarxOne) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn exchange(&self, realm: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let iam = self.simulator.iam().url();
        let url = format!("{iam}/auth/realms/{realm}/protocol/openid-connect/token");
        let response = self.client.post(url).form(form).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn token(&self) -> String {
        let (status, answer) = self.exchange(TENANT, &good()).await;
        assert_eq!(status, 200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn send(&self, token: &str, path: &str) -> Response {
        let request = self
            .client
            .get(format!("{}{path}", self.simulator.url()))
            .bearer_auth(token);
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.send(&self.token().await, path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }
}

fn good() -> [(&'static str, &'static str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", "ast-app"),
        ("refresh_token", API_KEY),
    ]
}

fn generated(count: u64) -> Project {
    let scan = Scan::new("main", 1, &["sast"]).with(Results::many(count, 3));
    Project::new("generated", "main").with(scan)
}

#[tokio::test]
async fn tokens_are_given_for_the_right_key_client_and_realm_only() {
    let tester = Tester::new(CheckmarxOne::new()).await;
    let (_, answer) = tester.exchange(TENANT, &good()).await;
    assert_eq!(answer["expires_in"], 1800);
    let (status, answer) = tester.exchange("Acme", &good()).await;
    assert_eq!(
        (status, &answer["error"]),
        (404, &"Realm does not exist".into())
    );
    let mut form = good();
    form[2].1 = "another";
    let (status, answer) = tester.exchange(TENANT, &form).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    let mut form = good();
    form[1].1 = "another";
    assert_eq!(tester.exchange(TENANT, &form).await.0, 401);
}

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked_or_too_old() {
    let tester = Tester::new(CheckmarxOne::new()).await;
    let token = tester.token().await;
    let status = async || tester.send(&token, "/api/projects").await.status().as_u16();
    assert_eq!(status().await, 200);
    tester.simulator.revoke_tokens();
    assert_eq!(status().await, 401);
    let tester = Tester::new(CheckmarxOne::new().tokens_live(Duration::ZERO)).await;
    let token = tester.token().await;
    assert_eq!(tester.send(&token, "/api/projects").await.status(), 401);
}

#[tokio::test]
async fn results_are_paged_by_page_and_everything_else_by_item() {
    let project = generated(250);
    let scan = project.scans[0].id.clone();
    let path = format!("/api/results?scan-id={scan}&limit=100&offset=");
    let tester = Tester::new(CheckmarxOne::new().projects([project.clone()])).await;
    let last = tester.get(&format!("{path}2")).await;
    assert_eq!(last["results"].as_array().unwrap().len(), 50);
    assert_eq!(last["totalCount"], 250);
    let behind = tester.get(&format!("{path}100")).await;
    assert_eq!(
        (&behind["results"], &behind["totalCount"]),
        (&Value::Null, &250.into())
    );
    let tester = Tester::new(CheckmarxOne::new().projects([project]).counts_items()).await;
    let shifted = tester.get(&format!("{path}1")).await;
    let first = tester.get(&format!("{path}0")).await;
    assert_eq!(shifted["results"][0], first["results"][1]);
}

#[tokio::test]
async fn scans_come_oldest_first_unless_asked_otherwise() {
    let tester = Tester::new(CheckmarxOne::new().projects(checkmarx_shop())).await;
    let shop = Project::new("acme/shop", "").id;
    let path = format!("/api/scans?project-id={shop}&branch=main&statuses=completed&limit=1&sort=");
    let oldest = tester.get(&format!("{path}%2Bcreated_at")).await;
    let newest = tester.get(&format!("{path}-created_at")).await;
    assert_eq!(newest["filteredTotalCount"], 2);
    assert!(oldest["scans"][0]["createdAt"].as_str() < newest["scans"][0]["createdAt"].as_str());
    let last = tester
        .get(&format!(
            "/api/projects/last-scan?project-ids={shop}&engine=kics&scan-status=Completed"
        ))
        .await;
    assert_eq!(last[&shop]["createdAt"], oldest["scans"][0]["createdAt"]);
    let branches = tester
        .get(&format!("/api/projects/branches?project-id={shop}"))
        .await;
    assert_eq!(branches, serde_json::json!(["main", "release/1"]));
}

#[tokio::test]
async fn endless_pages_raise_the_bodys_own_total() {
    let project = generated(60);
    let scan = project.scans[0].id.clone();
    let tester = Tester::new(CheckmarxOne::new().projects([project])).await;
    tester.simulator.inflict(Misfortune::EndlessPages);
    let page = async |page| {
        let path = format!("/api/results?scan-id={scan}&limit=20&offset={page}");
        tester.get(&path).await
    };
    let (first, second) = (page(0).await, page(1).await);
    assert_eq!(
        (&first["totalCount"], &second["totalCount"]),
        (&120.into(), &180.into())
    );
    assert_ne!(
        first["results"][0]["data"]["resultHash"],
        second["results"][0]["data"]["resultHash"]
    );
}
