//! A small shop to look at: every field, every word of every table, and what older accounts have.

use serde_json::{Value, json};

use super::{Probely, Target, finding};

/// What the scanner logs in with, in every finding of the shop. None of it may be kept anywhere.
pub const LOGIN_SECRETS: &[&str] = &[
    "basic-Auth-9631",
    "form-Login-4417",
    "header-Value-2284",
    "cookie-Value-7750",
    "OTPSECRET7K2MZQ",
    "verify-0a1b2c3d",
    "live-session-cookie",
];

/// Targets of the web and of an API, whose numbers of findings overlap, and one without findings.
#[must_use]
pub fn shop() -> Probely {
    let mut web = Target::new("46aGYvJUPCtW", "Shop", &web());
    web.labels = vec!["prod".to_owned(), "eu".to_owned()];
    for (member, value) in [
        ("has_basic_auth", json!(true)),
        (
            "basic_auth",
            json!({"username": "tester", "password": "basic-Auth-9631"}),
        ),
        ("has_form_login", json!(true)),
        (
            "form_login",
            json!([{"name": "user", "value": "tester"}, {"name": "pass", "value": "form-Login-4417"}]),
        ),
        (
            "headers",
            json!([{"name": "X-Shop", "value": "header-Value-2284", "allow_testing": false}]),
        ),
        (
            "cookies",
            json!([{"name": "beta", "value": "cookie-Value-7750"}]),
        ),
        ("has_otp", json!(true)),
        ("otp_secret", json!("OTPSECRET7K2MZQ")),
        ("verification_token", json!("verify-0a1b2c3d")),
    ] {
        web.site[member] = value;
    }
    let mut api = Target::new("AxtkqTE0v3E-", "Shop API", &old());
    api.kind = "api".to_owned();
    api.labels = vec!["test".to_owned()];
    Probely::new()
        .target(web)
        .target(api)
        .target(Target::new("39mgytnmJhaw", "Blog", &[]))
}

fn with(number: u64, changes: Value) -> Value {
    let mut row = finding(number);
    if let (Value::Object(row), Value::Object(changes)) = (&mut row, changes) {
        row.extend(changes);
    }
    row
}

fn web() -> Vec<Value> {
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    vec![
        with(
            1,
            json!({
                "labels": [{"id": "l1", "name": "sprint-7", "color": "red"}],
                "evidence": "The scanner sent header-Value-2284 and got its payload back.",
            }),
        ),
        with(
            2,
            json!({"severity": 40, "cvss_score": 9.3, "cvss_vector": four, "method": "post"}),
        ),
        with(3, json!({"severity": 20, "state": "fixed"})),
        with(
            4,
            json!({"severity": 10, "state": "accepted", "expiration_date": "2026-12-31"}),
        ),
        with(
            5,
            json!({"severity": 99, "state": "invalid", "cvss_score": null, "cvss_vector": ""}),
        ),
        with(6, json!({"state": "retesting", "retesting": true})),
        with(7, json!({"state": "fixed", "retesting": true})),
        with(8, json!({"review_status": "pending"})),
        with(
            9,
            json!({"state": "from_the_future", "severity": null, "cvss_score": 8.2, "cvss_vector": ""}),
        ),
        with(
            10,
            json!({
                "method": "dns_soa", "parameter": "", "insertion_point": "", "url": "https://shop.example",
                "path": "https://shop.example", "evidence": null, "requests": [], "params": null,
            }),
        ),
        with(11, json!({"id": "46aGYvJUPCtW-11"})),
    ]
}

/// As they were before there were creation times, weakness numbers, reviews and labels with colours.
fn old() -> Vec<Value> {
    let mut row = with(
        2,
        json!({
            "labels": ["legacy"], "url": "", "path": "/v1/items", "method": "delete", "insertion_point": "json_parameter",
            "parameter": "item", "reporter": null, "changed": "2022-06-01T13:27.43",
        }),
    );
    if let Value::Object(row) = &mut row {
        for member in ["created_at", "review_status", "review_reason"] {
            row.remove(member);
        }
    }
    row["definition"] = json!({"id": "xx-1", "name": "Injection", "desc": "Input\r\nis run."});
    vec![row]
}
