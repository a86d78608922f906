#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

async fn ask(server: &Simulator, query: &str, operation: &str, variables: Value) -> Value {
    let body = json!({"query": query, "operationName": operation, "variables": variables});
    let answer = reqwest::Client::new()
        .post(format!("{}/graphql/v1", server.url()))
        .header("authorization", API_KEY)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn queries_are_executed_and_invalid_ones_refused_with_status_200() {
    let server = shop().start_blocking().unwrap();
    let query = "query Q($site: ID!) { scans(scan_target_id: $site, scan_status: [succeeded], sort_column: start, sort_order: desc, limit: 1) { id status } }";
    let answer = ask(&server, query, "Q", json!({"site": "11"})).await;
    assert_eq!(
        answer["data"]["scans"],
        json!([{"id": "1003", "status": "succeeded"}]),
        "{answer}"
    );
    for (query, operation) in [
        ("{ scans { id } }", "Q"),
        ("query Q { scans { isues } }", "Q"),
        ("query Q { scan(id: \"1003\") { issues { path } } }", "Q"),
        ("query Q { scans(site_id: \"11\") { id } }", "Q"),
        ("query Q($unused: ID) { scans { id } }", "Q"),
        ("query Q { scans { id } }", "Other"),
    ] {
        let answer = ask(&server, query, operation, json!(null)).await;
        assert!(
            answer["errors"][0]["message"].is_string(),
            "{query}: {answer}"
        );
        assert!(answer.get("data").is_none(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn old_servers_know_other_fields_and_some_keep_their_schema_to_themselves() {
    let old = shop().old().start_blocking().unwrap();
    let answer = ask(
        &old,
        "query Q { scans(site_id: \"11\", limit: 1) { id } }",
        "Q",
        json!({}),
    )
    .await;
    assert_eq!(answer["data"]["scans"][0]["id"], "999", "{answer}");
    let probe =
        "query Q { i: __type(name: \"Issue\") { fields(includeDeprecated: true) { name } } }";
    let names = |answer: &Value| answer["data"]["i"]["fields"].to_string();
    let answer = ask(&old, probe, "Q", json!({})).await;
    assert!(
        names(&answer).contains("display_confidence") && !names(&answer).contains("fingerprint")
    );
    old.change(|world| world.tells_its_schema = false);
    assert!(ask(&old, probe, "Q", json!({})).await["errors"].is_array());
}

#[tokio::test]
async fn issues_come_by_pages_up_to_a_silent_cap() {
    let server = Burp::new().many(500).start_blocking().unwrap();
    server.change(|world| world.page_cap = 30);
    let query = "query ScanIssues($start: Int!, $count: Int!) { scan(id: \"9001\") { issues(start: $start, count: $count) { serial_number evidence { __typename } } } }";
    for (start, count, expected) in [(0, 20, 20), (0, 100, 30), (495, 20, 5), (500, 20, 0)] {
        let answer = ask(
            &server,
            query,
            "ScanIssues",
            json!({"start": start, "count": count}),
        )
        .await;
        let issues = answer["data"]["scan"]["issues"].as_array().unwrap();
        assert_eq!(issues.len(), expected, "{start} {count}");
    }
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let server = shop().start_blocking().unwrap();
    for key in ["wrong", &format!("Bearer {API_KEY}")] {
        let answer = reqwest::Client::new()
            .post(format!("{}/graphql/v1", server.url()))
            .header("authorization", key)
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
}
