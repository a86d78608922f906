#![allow(clippy::unwrap_used)]

use std::time::Duration;

use reqwest::Client;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::super::{DefectDojo, Simulator, TOKEN, World};

struct Tester {
    simulator: Simulator,
    client: Client,
}

impl Tester {
    async fn new() -> Self {
        let client = Client::builder().no_proxy().tls_certs_only([]);
        Self {
            simulator: DefectDojo::new(World::new()).start().await.unwrap(),
            client: client.build().unwrap(),
        }
    }

    async fn send(&self, fields: &[(&str, &str)], report: &str) -> (u16, Value) {
        let mut form = Form::new();
        for (name, text) in fields {
            form = form.text((*name).to_owned(), (*text).to_owned());
        }
        let file = Part::bytes(report.as_bytes().to_vec()).file_name("report.json");
        let url = format!("{}/api/v2/reimport-scan/", self.simulator.url());
        let request = self.client.post(url).multipart(form.part("file", file));
        let request = request.header("Authorization", format!("Token {TOKEN}"));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// Into the test `shop`, with these fields beside its names.
    async fn import(&self, more: &[(&str, &str)], findings: &[Value]) -> (u16, Value) {
        let mut fields = NAMES.to_vec();
        fields.extend(more);
        let report = json!({"findings": findings}).to_string();
        self.send(&fields, &report).await
    }

    /// How many findings the last import did that to.
    async fn delta(&self, more: &[(&str, &str)], findings: &[Value]) -> [u64; 4] {
        let (status, answer) = self.import(more, findings).await;
        assert_eq!(status, 201, "{answer}");
        let delta = &answer["statistics"]["delta"];
        ["created", "closed", "reactivated", "untouched"]
            .map(|what| delta[what]["total"]["total"].as_u64().unwrap_or(u64::MAX))
    }

    fn stored(&self) -> usize {
        self.simulator.change(|world| world.findings.count())
    }
}

const NAMES: &[(&str, &str)] = &[
    ("scan_type", "Generic Findings Import"),
    ("product_type_name", "secpull"),
    ("product_name", "Shop"),
    ("engagement_name", "secpull"),
    ("test_title", "shop"),
    ("auto_create_context", "true"),
];

const FIRST: u64 = u64::MAX;

fn finding(title: &str) -> Value {
    json!({"title": title, "severity": "High", "description": "text"})
}

#[tokio::test]
async fn wrong_forms_are_refused_in_its_own_ways() {
    let tester = Tester::new().await;
    let url = format!("{}/api/v2/reimport-scan/", tester.simulator.url());
    let with_key = |request: reqwest::RequestBuilder| {
        request
            .header("Authorization", format!("Token {TOKEN}"))
            .send()
    };
    let json = with_key(tester.client.post(&url).json(&json!({})))
        .await
        .unwrap();
    assert_eq!(json.status(), 415);
    let get = with_key(tester.client.get(&url)).await.unwrap();
    assert_eq!(get.status(), 400);
    let body: Value = get.json().await.unwrap();
    assert_eq!(body, json!(["product_name parameter missing"]));

    let (status, body) = tester.import(&[("close_old_findings", "maybe")], &[]).await;
    assert_eq!(
        (status, &body["close_old_findings"]),
        (400, &json!(["Must be a valid boolean."]))
    );
    assert!(
        body["pro"].is_array() && body["message"].is_string(),
        "{body}"
    );
    let (status, body) = tester.import(&[("version", "")], &[]).await;
    assert_eq!(
        (status, &body["version"]),
        (400, &json!(["This field may not be blank."]))
    );
    let (status, body) = tester.send(&NAMES[..1], "{}").await;
    assert_eq!(
        (status, body),
        (400, json!(["product_name parameter missing"]))
    );
    let known = [NAMES[0], NAMES[2], NAMES[3]];
    let (status, body) = tester.send(&known, "{}").await;
    assert_eq!(
        (status, body),
        (400, json!(["Product \"Shop\" does not exist"]))
    );
    tester.import(&[], &[]).await;
    let (status, body) = tester.import(&[("product_type_name", "Web")], &[]).await;
    assert_eq!(status, 400);
    assert!(body[0].as_str().unwrap().contains("conflict"), "{body}");
}

#[tokio::test]
async fn reports_are_refused_whole_or_stored_by_half() {
    let tester = Tester::new().await;
    for (report, status) in [
        (r#"{"findings": null}"#.to_owned(), 500),
        ("[]".to_owned(), 500),
        (json!({"findings": [{"title": "A"}]}).to_string(), 400),
        (json!({"findings": [{"title": "A", "severity": "Bad", "description": ""}]}).to_string(), 400),
        (json!({"findings": [{"title": "A", "severity": "Low", "description": "", "odd": 1}]}).to_string(), 400),
        (json!({"findings": [{"title": "A", "severity": "Low", "description": "", "active": "yes"}]}).to_string(), 400),
    ] {
        let (got, body) = tester.send(NAMES, &report).await;
        assert_eq!(got, status, "{report}: {body}");
        assert_eq!(tester.stored(), 0, "{report}");
    }
    let mut long = finding("Long");
    long["component_version"] = "x".repeat(101).into();
    let mut nul = finding("Nul");
    nul["description"] = "a\0".into();
    for (bad, stored) in [(long, 1), (nul, 2)] {
        let good = finding(&format!("Good {stored}"));
        let (status, _) = tester.import(&[], &[good, bad, finding("After")]).await;
        assert_eq!((status, tester.stored()), (500, stored));
    }
}

#[tokio::test]
async fn findings_of_one_hash_close_each_other() {
    let tester = Tester::new().await;
    let mut same = [finding("weak"), finding("weak"), finding("weak")];
    for (number, finding) in same.iter_mut().enumerate() {
        finding["unique_id_from_tool"] = number.to_string().into();
    }
    assert_eq!(tester.delta(&[], &same).await, [FIRST; 4]);
    assert_eq!(tester.stored(), 3);
    assert_eq!(tester.delta(&[], &same).await, [0, 2, 0, 1]);
    // Into a test that was there and empty only one is created.
    let other = [("test_title", "other")];
    tester.delta(&other, &[]).await;
    assert_eq!(tester.delta(&other, &same).await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn what_is_not_in_a_report_is_closed_unless_it_is_told_otherwise() {
    let tester = Tester::new().await;
    let both = [finding("sql injection in login form"), finding("b")];
    tester.delta(&[], &both).await;
    let titles = tester.simulator.change(|world| {
        let titles = world
            .findings
            .iter()
            .map(|(_, finding)| finding.title.clone());
        titles.collect::<Vec<_>>()
    });
    assert_eq!(titles, ["SQL Injection in Login Form", "B"]);
    let never = [("close_old_findings", "false")];
    assert_eq!(tester.delta(&never, &both[..1]).await, [0, 0, 0, 1]);
    assert_eq!(tester.delta(&[("service", "other")], &[]).await, [0; 4]);
    assert_eq!(tester.delta(&[], &both[..1]).await, [0, 1, 0, 1]);
    assert_eq!(tester.delta(&[], &both).await, [0, 0, 1, 1]);
    assert_eq!(
        tester
            .delta(&[("minimum_severity", "Critical")], &both)
            .await,
        [0, 2, 0, 0]
    );
    let (status, _) = tester.send(NAMES, "{}").await;
    assert_eq!(status, 201, "no findings at all is a proper report");
}

#[tokio::test]
async fn two_first_imports_at_a_time_make_two_tests() {
    let tester = Tester::new().await;
    tester
        .simulator
        .change(|world| world.behaviour.import_takes = Duration::from_millis(50));
    let findings = [finding("a")];
    let (one, other) = tokio::join!(tester.import(&[], &findings), tester.import(&[], &findings));
    assert_eq!((one.0, other.0), (201, 201));
    assert_eq!(tester.simulator.change(|world| world.tests.count()), 2);
    // Later ones go to the last.
    let (_, answer) = tester.import(&[], &findings).await;
    assert_eq!(answer["test"], 2);
}

#[tokio::test]
async fn a_match_keeps_its_severity_until_it_is_changed_by_itself() {
    let tester = Tester::new().await;
    tester.delta(&[], &[finding("a")]).await;
    let mut lower = finding("a");
    lower["severity"] = "Low".into();
    tester.delta(&[], &[lower]).await;
    let url = format!("{}/api/v2/findings/1/", tester.simulator.url());
    let patch = |change: Value| {
        let request = tester.client.patch(&url).json(&change);
        request
            .header("Authorization", format!("Token {TOKEN}"))
            .send()
    };
    let severity = || {
        tester
            .simulator
            .change(|world| world.findings.get(1).unwrap().severity.clone())
    };
    assert_eq!(severity(), "High");
    assert_eq!(
        patch(json!({"severity": "Low"})).await.unwrap().status(),
        200
    );
    assert_eq!(severity(), "Low");
    let answer: Value = patch(json!({"false_p": true}))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&answer["is_mitigated"], &answer["active"]),
        (&json!(true), &json!(false))
    );
}
