#![allow(clippy::unwrap_used)]

use reqwest::Client;
use serde_json::json;

use super::*;
use crate::scenario::osv_shop;

async fn ask(simulator: &Simulator, queries: Value) -> (u16, Value) {
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let request = client.post(format!("{}/v1/querybatch", simulator.url()));
    let response = request
        .json(&json!({"queries": queries}))
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn get(simulator: &Simulator, id: &str) -> (u16, Value) {
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let request = client.get(format!("{}/v1/vulns/{id}", simulator.url()));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn shop() -> Simulator {
    Osv::new().advisories(osv_shop()).start_blocking().unwrap()
}

#[tokio::test]
async fn a_batch_has_one_result_for_each_query_and_unknown_types_look_clean() {
    let simulator = shop();
    let (status, answer) = ask(
        &simulator,
        json!([
            {"package": {"purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}},
            {"package": {"purl": "pkg:docker/nginx@1"}},
            {"package": {"ecosystem": "Debian:12", "name": "openssl"}, "version": "3.0.11-1~deb12u1"},
            {"package": {"purl": "pkg:deb/debian/openssl@3.0.11-1~deb12u1?distro=debian-12"}}
        ]),
    )
    .await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0]["vulns"][0]["id"], "GHSA-jfh8-c2jp-5v3q");
    assert_eq!(results[1], json!({}));
    assert_eq!(results[2]["vulns"][0]["id"], "DEBIAN-CVE-2023-5363");
    assert_eq!(results[3], json!({}), "no such release");
}

#[tokio::test]
async fn one_bad_query_makes_the_batch_fail_and_is_named() {
    let simulator = shop();
    let good = json!({"package": {"purl": "pkg:npm/a@1"}});
    for (bad, reason) in [
        (json!({}), "no query provided"),
        (
            json!({"package": {"ecosystem": "pypi", "name": "a"}}),
            "invalid ecosystem",
        ),
        (
            json!({"package": {"purl": "pkg:npm/a@1", "name": "a"}}),
            "name specified in a PURL query",
        ),
        (
            json!({"package": {"purl": "pkg:npm/a@1", "ecosystem": "npm"}}),
            "ecosystem specified in a PURL query",
        ),
        (
            json!({"package": {"purl": "pkg:npm/a@1"}, "version": "1"}),
            "version specified in params and PURL query",
        ),
        (
            json!({"package": {"purl": "pkg:npm/a@1"}, "page_token": "x"}),
            "invalid cursor",
        ),
        (
            json!({"package": {"purl": "pkg:npm/%40v%2Fm@1"}}),
            "purl name is malformed",
        ),
    ] {
        let (status, answer) = ask(&simulator, json!([good, bad])).await;
        assert_eq!((status, &answer["code"]), (400, &json!(3)));
        assert_eq!(
            answer["message"],
            format!("error in query at index 1: rpc error: code = InvalidArgument desc = {reason}")
        );
    }
    let many: Vec<_> = (0..1001).map(|_| good.clone()).collect();
    let (status, answer) = ask(&simulator, json!(many)).await;
    assert_eq!(
        (status, &answer["message"]),
        (400, &json!("too many queries"))
    );
}

#[tokio::test]
async fn pages_are_per_query_and_what_does_not_fit_is_not_begun() {
    let simulator = Osv::new()
        .many(60)
        .pages_of(19, 30)
        .start_blocking()
        .unwrap();
    let package = |number: u32| json!({"purl": format!("pkg:npm/generated-{number}@1.0.0")});
    let (_, answer) = ask(
        &simulator,
        json!([{"package": package(0)}, {"package": package(1)}, {"package": package(2)}]),
    )
    .await;
    let count = |answer: &Value, at: usize| {
        answer["results"][at]["vulns"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(
        (count(&answer, 0), count(&answer, 1), count(&answer, 2)),
        (19, 11, 0)
    );
    assert_eq!(answer["results"][0]["next_page_token"], "page-19");
    assert_eq!(
        answer["results"][2]["next_page_token"],
        "RklSU1RfUEFHRV9UT0tFTg=="
    );
    let (_, answer) = ask(
        &simulator,
        json!([{"package": package(0), "page_token": "page-19"}]),
    )
    .await;
    assert_eq!(
        (count(&answer, 0), &answer["results"][0]["next_page_token"]),
        (1, &Value::Null)
    );
}

#[tokio::test]
async fn records_are_given_by_their_own_id_only() {
    let simulator = shop();
    let (status, record) = get(&simulator, "GHSA-jfh8-c2jp-5v3q").await;
    assert_eq!(
        (status, &record["id"]),
        (200, &json!("GHSA-jfh8-c2jp-5v3q"))
    );
    let (status, refusal) = get(&simulator, "CVE-2021-44228").await;
    assert_eq!((status, &refusal["code"]), (404, &json!(5)));
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .ends_with("GHSA-jfh8-c2jp-5v3q")
    );
    assert_eq!(get(&simulator, "ghsa-jfh8-c2jp-5v3q").await.0, 404);
}
