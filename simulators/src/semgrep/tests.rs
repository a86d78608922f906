#![allow(clippy::unwrap_used)]

use reqwest::{Client, Response};

use super::*;
use crate::misfortune::Misfortune;
use crate::scenario::{semgrep_code, semgrep_shop};

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(simulator: Semgrep) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn send(&self, token: &str, path: &str) -> Response {
        let url = format!("{}/api/v1{path}", self.simulator.url());
        let request = self.client.get(url).bearer_auth(token);
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.send(API_TOKEN, path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn findings(&self, query: &str) -> Vec<Value> {
        let path = format!("/deployments/{DEPLOYMENT}/findings?{query}");
        let answer = self.get(&path).await;
        answer["findings"].as_array().unwrap().clone()
    }

    async fn status(&self, path: &str) -> u16 {
        self.send(API_TOKEN, path).await.status().as_u16()
    }
}

fn shop() -> Semgrep {
    Semgrep::new().projects(semgrep_shop())
}

#[tokio::test]
async fn only_the_api_token_opens_it_and_one_for_ci_finds_nothing_at_all() {
    let tester = Tester::new(shop()).await;
    for (token, status) in [(API_TOKEN, 200), (CI_TOKEN, 404), ("other", 401)] {
        let response = tester.send(token, "/deployments").await;
        assert_eq!(response.status(), status);
    }
    let answer = tester.get("/deployments").await;
    assert_eq!(answer["deployments"][0]["slug"], DEPLOYMENT);
    assert_eq!(tester.status("/deployments/other/findings").await, 404);
    assert_eq!(
        tester
            .status(&format!("/deployments/{DEPLOYMENT}/secrets"))
            .await,
        404,
        "secrets go by the number"
    );
}

#[tokio::test]
async fn pages_are_numbered_from_0_and_end_with_an_empty_one() {
    let tester = Tester::new(Semgrep::new().projects([Project::new("many").with_many(250)])).await;
    let mut rows = Vec::new();
    for (page, count) in [(0, 100), (1, 100), (2, 50), (3, 0), (9, 0)] {
        let found = tester.findings(&format!("page={page}")).await;
        assert_eq!(found.len(), count, "{page}");
        rows.extend(found);
    }
    rows.sort_by_key(|row| row["id"].as_u64());
    rows.dedup();
    assert_eq!(rows.len(), 250);
    assert_eq!(tester.findings("page_size=3000").await.len(), 250);
    for wrong in [
        "page_size=99",
        "page_size=3001",
        "page=-1",
        "issue_type=secrets",
        "status=removed",
        "dedup=1",
    ] {
        let path = format!("/deployments/{DEPLOYMENT}/findings?{wrong}");
        assert_eq!(tester.status(&path).await, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_finding_is_there_once_for_each_ref_unless_it_is_asked_otherwise() {
    let tester = Tester::new(shop()).await;
    let of_match = |rows: Vec<Value>| {
        let rows = rows
            .into_iter()
            .filter(|row| row["rule"]["name"].to_string().contains("psycopg"));
        rows.map(|row| row["ref"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = of_match(tester.findings("repos=acme/shop").await);
    assert_eq!(all, ["main", "refs/pull/7/merge"]);
    assert_eq!(of_match(tester.findings("dedup=true").await), ["main"]);
    assert_eq!(
        of_match(tester.findings("ref=refs/pull/7/merge").await),
        ["refs/pull/7/merge"]
    );
    assert_eq!(of_match(tester.findings("ref=_default").await), all);
    assert!(tester.findings("ref=refs/heads/main").await.is_empty());
}

#[tokio::test]
async fn filters_pass_what_they_name_and_an_unknown_project_is_an_empty_list() {
    let tester = Tester::new(shop()).await;
    assert!(tester.findings("repos=acme/none").await.is_empty());
    let two = tester.findings("repos=acme/none,acme/shop").await;
    assert_eq!(
        two,
        tester.findings("repos=acme/none&repos=acme/shop").await
    );
    assert!(!two.is_empty());
    assert!(two.iter().all(|row| row["status"] != "removed"));
    let fixed = tester.findings("status=fixed").await;
    assert_eq!(fixed.len(), 1);
    let critical = tester.findings("severities=critical&issue_type=sca").await;
    assert_eq!(critical.len(), 1);
    assert!(tester.findings("since=1893456000").await.is_empty());
    assert_eq!(tester.findings("issue_type=ai_sast").await.len(), 1);
}

#[tokio::test]
async fn projects_are_listed_by_page_and_found_by_name_archived_ones_by_name_only() {
    let tester = Tester::new(shop()).await;
    let path = format!("/deployments/{DEPLOYMENT}/projects");
    let names = |answer: Value| {
        let rows = answer["projects"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(tester.get(&path).await), ["acme/shop", "acme/tools"]);
    assert_eq!(
        names(tester.get(&format!("{path}?page=1&page_size=1")).await),
        ["acme/tools"]
    );
    assert!(names(tester.get(&format!("{path}?page=1")).await).is_empty());
    let shop = tester.get(&format!("{path}/acme%2Fshop")).await;
    assert_eq!(shop["project"]["name"], "acme/shop");
    assert_eq!(tester.status(&format!("{path}/acme%2Fnone")).await, 404);
}

#[tokio::test]
async fn secrets_are_read_by_cursor_until_there_is_none() {
    let shop = Project::new("acme/shop").with_secrets(Rows::many(250));
    let other = Project::new("other").with_secrets(Rows::many(1));
    let tester = Tester::new(Semgrep::new().projects([other, shop])).await;
    let path = format!("/deployments/{DEPLOYMENT_ID}/secrets?repo=acme/shop&limit=100");
    let (mut cursor, mut sizes) = (String::new(), Vec::new());
    loop {
        let answer = tester
            .get(&format!("{path}&cursor={}", cursor.replace('=', "%3D")))
            .await;
        sizes.push(answer["findings"].as_array().unwrap().len());
        answer["cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(tester.status(&format!("{path}&cursor=x")).await, 400);
    let fixed = tester
        .get(&format!("{path}&status=FINDING_STATUS_FIXED"))
        .await;
    assert_eq!(fixed["findings"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn quirks_are_what_they_say() {
    let many = || {
        Project::new("many")
            .with_many(250)
            .with_secrets(Rows::many(3))
    };
    let clamped = Tester::new(Semgrep::new().projects([many()]).clamps_pages(70)).await;
    assert_eq!(clamped.findings("page_size=3000&page=3").await.len(), 40);
    let ignoring = Tester::new(Semgrep::new().projects([many()]).ignores_repos()).await;
    assert_eq!(ignoring.findings("repos=other").await.len(), 100);
    let secrets = format!("/deployments/{DEPLOYMENT_ID}/secrets");
    let stuck = Tester::new(Semgrep::new().projects([many()]).stuck_cursor()).await;
    let first = stuck.get(&secrets).await["cursor"]
        .as_str()
        .unwrap()
        .replace('=', "%3D");
    let second = stuck.get(&format!("{secrets}?cursor={first}")).await;
    assert_eq!(
        second["cursor"].as_str().unwrap().replace('=', "%3D"),
        first
    );
    let terse = Tester::new(Semgrep::new().leaves_out_empty_lists()).await;
    assert_eq!(terse.get(&secrets).await, serde_json::json!({"cursor": ""}));
    let poor = Tester::new(Semgrep::new().lacks_secrets()).await;
    assert_eq!(poor.status(&secrets).await, 404);
}

#[tokio::test]
async fn endless_pages_hold_other_findings_each_time() {
    let project = Project::new("acme/shop").with("sast", vec![semgrep_code(1, "a.b", "c", 1)]);
    let tester = Tester::new(Semgrep::new().projects([project])).await;
    tester.simulator.inflict(Misfortune::EndlessPages);
    let first = tester.findings("page=0").await;
    let later = tester.findings("page=7").await;
    assert_eq!((first.len(), later.len()), (1, 1));
    assert_ne!(first[0]["id"], later[0]["id"]);
}
