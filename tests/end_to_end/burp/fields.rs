//! What arrives of an issue.

use secpull_simulators::burp::shop;
use serde_json::{Value, json};

use super::{MADE, by_source_id, installation};

#[test]
fn every_field_of_every_issue_arrives() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(&server, "site_id = \"11\"");
    let ran = installation.import("shop").exits(0);
    assert_eq!(installation.findings().len(), 10);
    let sql = by_source_id(&installation, "11/9f1c");
    for (field, expected) in [
        ("kind", json!("endpoint")),
        ("title", json!("SQL injection")),
        (
            "description",
            json!(
                "The **id** parameter appears to be vulnerable.  \n  \nThe payload **' and 1=1** was submitted.\n\nIt arises when input reaches a `query`."
            ),
        ),
        (
            "recommendation",
            json!("Use parameters:\n\n* always\n* everywhere"),
        ),
        ("severity", json!("high")),
        ("status", json!("open")),
        ("cwes", json!([89, 943])),
        (
            "references",
            json!([
                "https://portswigger.net/web-security/sql-injection",
                "https://example.com/?a=1&b=2"
            ]),
        ),
        (
            "endpoint",
            json!({"url": "https://shop.example.com:8443/api/v1/items", "method": null, "parameter": null}),
        ),
        ("tags", json!(["confidence:certain", "novelty:repeated"])),
        ("vulnerability_id", json!(null)),
        ("cvss3_score", json!(null)),
    ] {
        assert_eq!(
            without_nulls(&sql[field]),
            without_nulls(&expected),
            "{field}: {sql:#}"
        );
    }
    let sighting = &sql["sightings"][0];
    for (field, expected) in [
        ("connector", json!("burp")),
        ("record", json!("Shop")),
        ("source_id", json!("11/9f1c")),
        ("source_severity", json!("high")),
        ("source_status", json!(null)),
        ("found_at", json!(null)),
    ] {
        assert_eq!(sighting[field], expected, "{field}: {sql:#}");
    }
    let updated = sighting["source_updated_at"].as_str().unwrap();
    assert!(updated.starts_with("2026-10-01T09:15:42"), "{updated}");
    let raw = &sighting["raw"];
    let raw: Value = raw
        .as_str()
        .map_or_else(|| raw.clone(), |text| serde_json::from_str(text).unwrap());
    assert_eq!(
        (&raw["scan_id"], &raw["site_id"]),
        (&json!("1003"), &json!("11"))
    );
    assert_eq!(raw["serial_number"], "6150599811840000101");
    assert!(raw.get("evidence").is_none(), "{raw:#}");

    for (id, title, severity, status, word, tags, url) in [
        (
            "11/marked",
            "Cookie without Secure flag set",
            "medium",
            "false_positive",
            json!("false_positive"),
            json!(["confidence:false_positive", "novelty:first"]),
            "https://shop.example.com/page/102",
        ),
        (
            "11/accepted",
            "Cookie without Secure flag set",
            "low",
            "risk_accepted",
            json!("accepted_risk"),
            json!(["confidence:firm", "novelty:regression"]),
            "https://shop.example.com/page/103",
        ),
        (
            "11/changed",
            "Cookie without Secure flag set",
            "info",
            "open",
            json!(null),
            json!(["confidence:tentative", "novelty:first"]),
            "https://shop.example.com",
        ),
        (
            "11/extension",
            "Secret in page",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first", "extension:Scanner++"]),
            "https://shop.example.com/straße/%2e%2E",
        ),
        (
            "11/bcheck",
            "Burp issue 134217729",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "bcheck:exposed-git"]),
            "https://shop.example.com/page/106",
        ),
        (
            "11/untyped",
            "Burp issue",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/page/107",
        ),
        (
            "11/twice",
            "Cookie without Secure flag set",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/a",
        ),
        (
            "11/twice#2",
            "Cookie without Secure flag set",
            "high",
            "open",
            json!(null),
            json!(["confidence:firm", "novelty:first"]),
            "https://shop.example.com/z",
        ),
        (
            MADE,
            "SQL injection",
            "medium",
            "open",
            json!(null),
            json!(["confidence:false_positive", "novelty:first"]),
            "https://shop.example.com/search",
        ),
    ] {
        let finding = by_source_id(&installation, id);
        assert_eq!(finding["title"], title, "{finding:#}");
        assert_eq!(finding["severity"], severity, "{finding:#}");
        assert_eq!(finding["status"], status, "{finding:#}");
        assert_eq!(finding["tags"], tags, "{finding:#}");
        assert_eq!(finding["endpoint"]["url"], url, "{finding:#}");
        assert_eq!(
            finding["sightings"][0]["source_status"], word,
            "{finding:#}"
        );
    }
    assert_eq!(
        by_source_id(&installation, "11/extension")["recommendation"],
        "Take it out."
    );
    let merged = by_source_id(&installation, MADE).to_string();
    assert!(
        merged.contains("6150599811840000110") && merged.contains("6150599811840000111"),
        "{merged}"
    );

    // The newest scan failed; that is said, and the one before is read.
    let run = installation.last_run("shop");
    assert_eq!(run["status"], "complete", "{run}");
    let warning = "the newest scan 1004 is failed; read is scan 1003";
    assert!(ran.stderr.contains(warning), "{ran:#?}");

    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    assert_eq!(
        (&run["new"], &run["updated"], &run["unchanged"]),
        (&json!(0), &json!(0), &json!(10)),
        "{run}"
    );
    let headers: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(
        headers.iter().all(|path| path == "/graphql/v1"),
        "{headers:?}"
    );
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
        other => other.clone(),
    }
}

#[test]
fn evidence_is_kept_on_request_and_without_cookies() {
    let server = shop().start_blocking().unwrap();
    let installation = installation(
        &server,
        "site_id = \"11\"\ninclude_evidence = true\npage_size = 3",
    );
    installation.import("shop").exits(0);
    let finding = by_source_id(&installation, "11/9f1c");
    assert_eq!(finding["endpoint"]["method"], "PUT", "{finding:#}");
    let text = finding.to_string();
    assert!(
        text.contains("syntax error") && text.contains("Cookie: ***"),
        "{text}"
    );
    assert!(!text.contains("session-cookie"), "{text}");
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["unchanged"], 10);
}
