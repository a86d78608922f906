#![allow(clippy::unwrap_used)]

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::*;

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new(simulator: Tenable) -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            simulator: simulator.start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let request = self
            .client
            .request(method, format!("{}{path}", self.simulator.url()))
            .header(
                "x-apikeys",
                format!("accessKey={ACCESS_KEY}; secretKey={SECRET_KEY};"),
            );
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None).await;
        assert_eq!(response.status(), 200, "{path}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let response = self.send(Method::POST, path, Some(body)).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Ids of the findings that an export of this body has.
    async fn export(&self, body: &Value) -> Vec<String> {
        let (status, answer) = self.post("/vulns/export", body).await;
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let job = answer["export_uuid"].as_str().unwrap();
        let mut seen = Vec::new();
        loop {
            let status = self.get(&format!("/vulns/export/{job}/status")).await;
            if status["status"] != "FINISHED" {
                continue;
            }
            for chunk in status["chunks_available"].as_array().unwrap() {
                let rows = self
                    .get(&format!("/vulns/export/{job}/chunks/{chunk}"))
                    .await;
                let rows = rows.as_array().unwrap().clone();
                seen.extend(rows.iter().map(|row| {
                    format!(
                        "{} {}",
                        row["plugin"]["id"],
                        row["port"]["protocol"].as_str().unwrap()
                    )
                }));
            }
            return seen;
        }
    }
}

fn everything() -> Value {
    json!({"num_assets": 50, "include_unlicensed": true,
        "filters": {"since": 946_684_800, "state": ["open", "REOPENED", "FIXED"]}})
}

#[tokio::test]
async fn an_export_leaves_out_what_it_was_not_asked_for() {
    let tester = Tester::new(shop()).await;
    assert_eq!(tester.export(&everything()).await.len(), 12);
    let mut body = everything();
    body["filters"].as_object_mut().unwrap().remove("since");
    assert_eq!(tester.export(&body).await.len(), 11, "of the last 30 days");
    let mut body = everything();
    body["include_unlicensed"] = json!(false);
    assert_eq!(tester.export(&body).await.len(), 11, "with a licence");
    let mut body = everything();
    body["filters"].as_object_mut().unwrap().remove("state");
    assert_eq!(tester.export(&body).await.len(), 11, "open and reopened");
    for (name, value, count) in [
        ("severity", json!(["critical"]), 1),
        ("plugin_family", json!(["Local"]), 1),
        (
            "network_id",
            json!("42475f11-5e6b-4d6a-a53d-63fe494961df"),
            3,
        ),
        ("cidr_range", json!("192.0.2.0/24"), 8),
        ("tag.Environment", json!(["Production", "Office"]), 10),
        ("tag.Environment", json!(["Attic"]), 0),
    ] {
        let mut body = everything();
        body["filters"][name] = value;
        assert_eq!(tester.export(&body).await.len(), count, "{body}");
    }
}

#[tokio::test]
async fn keys_permissions_and_bodies_are_checked() {
    let tester = Tester::new(shop()).await;
    let without = tester
        .client
        .get(format!("{}/networks", tester.simulator.url()));
    assert_eq!(without.send().await.unwrap().status(), 401);
    for (name, value) in [("last_found", json!(1)), ("colour", json!("red"))] {
        let mut body = everything();
        body["filters"][name] = value;
        assert_eq!(tester.post("/vulns/export", &body).await.0, 400, "{body}");
    }
    tester.simulator.change(|world| world.may_export = false);
    assert_eq!(tester.post("/vulns/export", &everything()).await.0, 403);
    let listed = tester.send(Method::GET, "/vulns/export/status", None).await;
    assert_eq!(listed.status(), 403);
    let unknown = tester
        .send(Method::GET, "/vulns/export/no-job/status", None)
        .await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn two_exports_run_at_once_and_no_two_of_the_same_filters() {
    let tester = Tester::new(shop().with(|world| world.looks = 3)).await;
    let (_, first) = tester.post("/vulns/export", &everything()).await;
    let first: Value = serde_json::from_str(&first).unwrap();
    let (status, conflict) = tester.post("/vulns/export", &everything()).await;
    let conflict: Value = serde_json::from_str(&conflict).unwrap();
    assert_eq!(
        (status, &conflict["active_job_id"]),
        (409, &first["export_uuid"])
    );
    let other = |since: u64| json!({"filters": {"since": since}});
    assert_eq!(tester.post("/vulns/export", &other(1)).await.0, 200);
    let response = tester
        .send(Method::POST, "/vulns/export", Some(&other(2)))
        .await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "30");
    assert!(response.text().await.unwrap().starts_with("<html>"));
    let cancel = format!(
        "/vulns/export/{}/cancel",
        first["export_uuid"].as_str().unwrap()
    );
    assert_eq!(tester.post(&cancel, &json!({})).await.0, 200);
    assert_eq!(tester.post("/vulns/export", &other(2)).await.0, 200);
    assert_eq!(tester.simulator.jobs()[0].status, "CANCELLED");
}

#[tokio::test]
async fn chunks_come_while_a_job_is_under_way_with_gaps_and_the_last_one_first() {
    let tester = Tester::new(shop().with(|world| {
        world.looks = 2;
        world.assets_per_chunk = Some(1);
    }))
    .await;
    let (_, answer) = tester.post("/vulns/export", &everything()).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let path = format!("/vulns/export/{}", answer["export_uuid"].as_str().unwrap());
    let look = async || {
        let status = tester.get(&format!("{path}/status")).await;
        (
            status["status"].as_str().unwrap().to_owned(),
            status["chunks_available"].clone(),
        )
    };
    assert_eq!(look().await, ("QUEUED".to_owned(), json!([])));
    assert_eq!(look().await, ("PROCESSING".to_owned(), json!([7, 5, 4])));
    let early = tester
        .send(Method::GET, &format!("{path}/chunks/1"), None)
        .await;
    assert_eq!(early.status(), 200, "it is finished by the next look");
    assert_eq!(
        look().await,
        ("FINISHED".to_owned(), json!([7, 5, 4, 2, 1]))
    );
    let chunk = tester
        .send(Method::GET, &format!("{path}/chunks/7"), None)
        .await;
    assert_eq!(chunk.headers()["content-type"], "application/octet-stream");
}

#[tokio::test]
async fn generated_findings_are_spread_over_chunks() {
    let tester = Tester::new(Tenable::new().many(4100)).await;
    let body = json!({"num_assets": 1, "filters": {"since": 1}});
    assert_eq!(tester.export(&body).await.len(), 4100);
    assert_eq!(tester.simulator.jobs()[0].downloads.len(), 3, "2,000 each");
}
