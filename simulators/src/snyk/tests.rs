#![allow(clippy::unwrap_used)]

use reqwest::Client;

use super::*;
use crate::scenario::snyk_shop;

const VERSION: &str = "version=2024-10-15";

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    fn new(world: World) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            simulator: Snyk::new(world).start_blocking().unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn get_as(&self, authorization: &str, path: &str) -> (u16, Value) {
        let request = self
            .client
            .get(format!("{}{path}", self.simulator.url()))
            .header("authorization", authorization);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.get_as(&format!("token {API_KEY}"), path).await
    }

    fn issues(&self) -> String {
        let id = self
            .simulator
            .customer()
            .change(|world| world.organization("acme").id.clone());
        format!("/rest/orgs/{id}/issues")
    }
}

#[tokio::test]
async fn keys_and_tokens_come_with_their_own_word_in_any_case() {
    let tester = Tester::new(snyk_shop());
    let path = format!("/rest/self?{VERSION}");
    for (authorization, status) in [
        (format!("token {API_KEY}"), 200),
        (format!("Token {ORGANIZATION_KEY}"), 200),
        (format!("bearer {ACCESS_TOKEN}"), 200),
        (format!("Bearer {API_KEY}"), 401),
        (format!("token {ACCESS_TOKEN}"), 401),
        (API_KEY.to_owned(), 401),
    ] {
        let (answered, body) = tester.get_as(&authorization, &path).await;
        assert_eq!(answered, status, "{authorization}: {body}");
    }
    let group = tester
        .simulator
        .customer()
        .change(|world| world.group.clone());
    let key = format!("token {ORGANIZATION_KEY}");
    let (status, body) = tester
        .get_as(&key, &format!("/rest/groups/{group}/orgs?{VERSION}"))
        .await;
    assert_eq!(
        (status, body["errors"][0]["status"].as_str()),
        (403, Some("403"))
    );
}

#[tokio::test]
async fn what_snyk_does_not_know_is_an_error() {
    let tester = Tester::new(snyk_shop());
    let issues = tester.issues();
    for (query, status) in [
        (String::new(), 400),
        ("version=new".to_owned(), 400),
        ("version=2023-01-01".to_owned(), 404),
        (format!("{VERSION}&limit=100"), 200),
        (format!("{VERSION}&limit=101"), 400),
        (format!("{VERSION}&limit=15"), 400),
        (format!("{VERSION}&limit=0"), 400),
        (format!("{VERSION}&severity=high"), 400),
        (format!("{VERSION}&{VERSION}"), 400),
        (format!("{VERSION}&status=open%2Cresolved"), 200),
        (format!("{VERSION}&status=closed"), 400),
        (format!("{VERSION}&type=code,license"), 400),
        (format!("{VERSION}&starting_after=100"), 400),
    ] {
        let (answered, body) = tester.get(&format!("{issues}?{query}")).await;
        assert_eq!(answered, status, "{query}: {body}");
    }
    let (status, _) = tester
        .get(&format!("/rest/orgs/acme/issues?{VERSION}"))
        .await;
    assert_eq!(status, 400);
    let (status, _) = tester.get(&format!("/v1/orgs?{VERSION}")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn links_lead_through_all_issues_whatever_their_spelling() {
    for spelling in Spelling::ALL {
        let mut world = snyk_shop();
        world.spelling = spelling;
        let tester = Tester::new(world);
        let mut path = format!("{}?{VERSION}&limit=10&status=open", tester.issues());
        let mut ids = Vec::new();
        loop {
            let (status, body) = tester.get(&path).await;
            assert_eq!(status, 200, "{body}");
            ids.extend(
                body["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["id"].clone()),
            );
            let next = &body["links"]["next"];
            let next = next["href"].as_str().or(next.as_str());
            let Some(next) = next else { break };
            let origin = tester.simulator.url();
            let next = next.strip_prefix(origin).unwrap_or(next);
            path = match next.starts_with("/rest") {
                true => next.to_owned(),
                false => format!("/rest{next}"),
            };
        }
        assert_eq!(
            ids.len(),
            10,
            "neither resolved nor of inactive projects: {spelling:?}"
        );
    }
}
