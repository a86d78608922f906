#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn source() -> Source {
    Source {
        site: "11".to_owned(),
        scan: "1003".to_owned(),
        scanned_at: DateTime::from_timestamp(1_800_000_000, 0),
    }
}

/// An issue with nothing but what the schema promises, and these members.
fn mapped(members: Value) -> Result<Issue, String> {
    let mut row = json!({
        "serial_number": "6150599811840047104", "severity": "high", "confidence": "firm",
        "origin": "https://shop.example.com:8443", "path": "/api/é%2F",
    });
    for (name, value) in members.as_object().unwrap() {
        row[name] = value.clone();
    }
    map(&RawValue::from_string(row.to_string()).unwrap(), &source())
}

fn sighting(members: Value) -> Sighting {
    mapped(members).unwrap().into_sighting("11/x".to_owned())
}

#[test]
fn severities_are_those_of_the_table_and_unknown_words_are_kept() {
    for (word, severity) in [
        ("high", Severity::High),
        ("medium", Severity::Medium),
        ("low", Severity::Low),
        ("info", Severity::Info),
        ("critical", Severity::Unknown),
    ] {
        let sighting = sighting(json!({"severity": word, "original_severity": "low"}));
        assert_eq!(
            (sighting.severity, sighting.source_severity.as_deref()),
            (severity, Some(word))
        );
    }
}

#[test]
fn a_mark_on_old_or_new_servers_is_a_false_positive_and_wins_over_an_accepted_risk() {
    for (members, status, word) in [
        (json!({}), Status::Open, None),
        (json!({"confidence": "brand_new"}), Status::Open, None),
        (
            json!({"accepted_risk": true}),
            Status::RiskAccepted,
            Some("accepted_risk"),
        ),
        (
            json!({"accepted_risk": false, "display_confidence": null}),
            Status::Open,
            None,
        ),
        (
            json!({"confidence": "false_positive", "original_confidence": "firm", "accepted_risk": true}),
            Status::FalsePositive,
            Some("false_positive"),
        ),
        (
            json!({"display_confidence": "false_positive"}),
            Status::FalsePositive,
            Some("false_positive"),
        ),
    ] {
        let sighting = sighting(members);
        assert_eq!(
            (sighting.status, sighting.source_status.as_deref()),
            (status, word)
        );
    }
}

#[test]
fn what_is_said_of_the_issue_comes_before_what_is_said_of_its_type() {
    let sighting = sighting(json!({
        "description_html": "The <b>id</b> parameter.", "remediation_html": null,
        "issue_type": {"type_index": "1049088", "name": "SQL injection", "description_html": "<p>Arises when.</p>",
            "remediation_html": "<p>Use parameters.</p>",
            "vulnerability_classifications_html": "<li><a href=\"https://cwe.mitre.org/data/definitions/89.html\">CWE-89: a</a></li><li>CWE-943</li><li>CAPEC-66 CWE-89 XCWE-1 CWE-99999999999</li>",
            "references_html": "<ul><li><a href=\"https://portswigger.net/a?b=1&amp;c=2\">A</a></li></ul>"},
    }));
    let content = sighting.content;
    assert_eq!(content.title, "SQL injection");
    assert_eq!(
        content.description.as_deref(),
        Some("The **id** parameter.\n\nArises when.")
    );
    assert_eq!(content.recommendation.as_deref(), Some("Use parameters."));
    assert_eq!(content.cwes, [89, 943]);
    assert_eq!(content.references, ["https://portswigger.net/a?b=1&c=2"]);
    assert_eq!(sighting.weakness.as_deref(), Some("burp:1049088"));
    let endpoint = content.endpoint.unwrap();
    assert_eq!(
        endpoint.url.as_deref(),
        Some("https://shop.example.com:8443/api/é%2F")
    );
    assert_eq!((endpoint.method, endpoint.parameter), (None, None));
}

#[test]
fn an_issue_without_a_type_or_a_name_still_has_a_title() {
    assert_eq!(
        sighting(json!({"issue_type": null})).content.title,
        "Burp issue"
    );
    let unnamed = json!({"issue_type": {"type_index": "7", "name": null}});
    assert_eq!(sighting(unnamed).content.title, "Burp issue 7");
}

#[test]
fn issues_of_extensions_are_told_apart_by_their_names() {
    let sighting = sighting(json!({
        "issue_type": {"type_index": "134217728", "name": "Secret in page"},
        "generated_by_extension": {"name": "Scanner++"}, "generated_by_bcheck": {"name": "own"}, "novelty": "new",
    }));
    assert_eq!(sighting.weakness, None);
    assert_eq!(
        sighting.content.tags,
        [
            "confidence:firm",
            "novelty:new",
            "extension:Scanner++",
            "bcheck:own"
        ]
    );
}

#[test]
fn the_vendors_json_is_kept_with_scan_and_site() {
    let raw: Value = serde_json::from_str(&sighting(json!({"not_asked_for": [1]})).raw).unwrap();
    assert_eq!(
        (&raw["scan_id"], &raw["site_id"]),
        (&json!("1003"), &json!("11"))
    );
    assert_eq!(raw["not_asked_for"], json!([1]));
    assert_eq!(raw["path"], "/api/é%2F");
}

#[test]
fn issues_that_are_one_finding_keep_the_worst_of_each_and_all_serial_numbers() {
    let mut first = mapped(json!({"severity": "low", "confidence": "false_positive"})).unwrap();
    let second = mapped(json!({"severity": "high", "serial_number": "2"})).unwrap();
    assert_eq!(first.key, second.key);
    first.merge(second);
    let merged = first.into_sighting("11/x".to_owned());
    assert_eq!(
        (merged.severity, merged.status),
        (Severity::High, Status::Open)
    );
    let raw: Value = serde_json::from_str(&merged.raw).unwrap();
    assert_eq!(raw["serial_numbers"], json!(["6150599811840047104", "2"]));
}

#[test]
fn a_row_that_is_no_issue_is_unreadable() {
    for row in ["null", "[]", "{}", r#"{"serial_number":"1"}"#] {
        assert!(
            map(&RawValue::from_string(row.to_owned()).unwrap(), &source()).is_err(),
            "{row}"
        );
    }
    assert!(mapped(json!({"severity": 42})).is_err());
}
