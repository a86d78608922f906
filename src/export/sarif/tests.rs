#![allow(clippy::unwrap_used)]

use boon::{Compiler, Schemas};

use super::super::samples::{every_kind, with};
use super::*;

fn log(findings: &[Exported]) -> Value {
    let mut rules = Rules::default();
    let results: Vec<_> = findings
        .iter()
        .map(|finding| rules.result(finding).to_string())
        .collect();
    let text = format!("{HEAD}{}{}", results.join(","), rules.tail("1.0"));
    serde_json::from_str(&text).unwrap()
}

/// What the official schema says against it.
fn mistakes(log: &Value) -> Option<String> {
    let schema = include_str!("../../../tests/data/sarif-schema-2.1.0.json");
    let schema = serde_json::from_str(schema).unwrap();
    let url = "http://localhost/sarif-schema-2.1.0.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource(url, schema).unwrap();
    let schema = compiler.compile(url, &mut schemas).unwrap();
    let judged = schemas.validate(log, schema);
    judged.err().map(|error| format!("{error:#}"))
}

#[test]
fn a_log_of_findings_of_every_kind_is_valid_against_the_official_schema() {
    assert_eq!(mistakes(&log(&every_kind())), None);
    assert_eq!(mistakes(&log(&[])), None);
    // The check can fail.
    let mut wrong = log(&every_kind());
    wrong["runs"][0]["results"][0]["level"] = "critical".into();
    assert!(
        mistakes(&wrong)
            .unwrap()
            .contains("/runs/0/results/0/level")
    );
}

#[test]
fn a_result_says_what_and_where_and_how_bad() {
    let log = log(&every_kind());
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "CVE-2021-44228");
    assert_eq!(result["level"], "error");
    assert_eq!(result["rank"], 100.0);
    assert_eq!(
        result["fingerprints"]["secpull/v1"],
        "1:ab Shop/checkout@main"
    );
    assert_eq!(result["properties"]["tags"], json!(["a", "b"]));
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "CVE-2021-44228");
    assert_eq!(rule["helpUri"], "https://logging.apache.org/security.html");
    assert_eq!(rule["properties"]["security-severity"], "10.0");
    assert_eq!(
        rule["properties"]["tags"],
        json!(["security", "external/cwe/cwe-502", "external/cwe/cwe-917"])
    );

    let place =
        |at: usize| log["runs"][0]["results"][at]["locations"][0]["physicalLocation"].clone();
    assert_eq!(
        place(1),
        json!({"artifactLocation": {"uri": "src/My%20App.java"}, "region": {"startLine": 44, "endLine": 44}})
    );
    assert_eq!(
        place(2),
        json!({"artifactLocation": {"uri": "C%3A/keys/id_rsa"}})
    );
    assert_eq!(
        place(3)["artifactLocation"]["uri"],
        "https://shop.example.com/a%20b?q=%3Cx%3E"
    );
    let name = |at: usize| {
        log["runs"][0]["results"][at]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
            .clone()
    };
    assert_eq!(name(4), "192.0.2.7/443");
    assert_eq!(
        name(5),
        "aws/111122223333/eu-west-1/AwsS3Bucket/arn:aws:s3:::shop"
    );
    assert_eq!(name(6), "prod/shop/ReplicaSet/web");
}

#[test]
fn decisions_are_suppressions_and_what_is_gone_passes() {
    let of = |status: &str| Rules::default().result(&with(json!({"status": status})));
    assert_eq!(of("open")["suppressions"], json!([]));
    assert_eq!(of("in_review")["suppressions"][0]["status"], "underReview");
    for decided in [
        "false_positive",
        "risk_accepted",
        "not_affected",
        "not_security",
    ] {
        let suppression = &of(decided)["suppressions"][0];
        assert_eq!(suppression["status"], "accepted");
        assert_eq!(suppression["justification"], decided);
    }
    let gone = of("resolved");
    assert_eq!(
        (&gone["kind"], &gone["level"]),
        (&json!("pass"), &json!("none"))
    );
}

#[test]
fn results_of_one_weakness_share_its_rule() {
    let mut rules = Rules::default();
    let index = |rules: &mut Rules, title: &str| {
        let result = rules.result(&with(json!({"title": title})));
        (result["ruleId"].clone(), result["ruleIndex"].clone())
    };
    assert_eq!(
        index(&mut rules, "Weak cipher: RC4!"),
        (json!("weak-cipher-rc4"), json!(0))
    );
    assert_eq!(index(&mut rules, "…").0, "finding");
    assert_eq!(index(&mut rules, "Weak cipher: RC4!").1, 0);
}
