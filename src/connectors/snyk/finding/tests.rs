#![allow(clippy::unwrap_used)]

use serde_json::json;
use serde_json::value::RawValue;

use super::*;
use crate::finding::{Severity, Status};

fn project(name: &str, kind: &str) -> Project {
    let json = json!({"id": "p", "attributes": {"name": name, "type": kind, "target_reference": "1.2",
        "tags": [{"key": "team", "value": "blue"}]}});
    Project::parse(&RawValue::from_string(json.to_string()).unwrap()).unwrap()
}

fn mapped_in(attributes: Value, project: Option<&Project>) -> Sighting {
    let json = json!({"id": "i", "type": "issue", "attributes": attributes,
        "relationships": {"scan_item": {"data": {"id": "p", "type": "project"}}}});
    let raw = json.to_string();
    map(&Row::parse(&raw).unwrap(), &raw, project).unwrap()
}

fn mapped(attributes: Value) -> Sighting {
    mapped_in(attributes, None)
}

fn at(representation: Value) -> Value {
    json!([{"state": "open", "representations": [representation]}])
}

fn problems(ids: &[&str]) -> Value {
    let all = ids
        .iter()
        .map(|id| json!({"id": id, "source": "SNYK", "type": "rule"}));
    Value::Array(all.collect())
}

#[test]
fn an_issue_without_an_id_is_refused_and_one_with_nothing_else_is_kept() {
    let raw = r#"{"attributes":{},"relationships":{"scan_item":{"data":{"id":"p"}}}}"#;
    assert!(map(&Row::parse(raw).unwrap(), raw, None).is_err());
    let bare = mapped(json!({}));
    assert_eq!(
        (bare.source_id.as_str(), bare.content.title.as_str()),
        ("i", "i")
    );
    assert_eq!(
        (bare.severity, bare.status),
        (Severity::Unknown, Status::Open)
    );
    assert_eq!(bare.content.kind, Kind::Other);
}

#[test]
fn a_field_of_a_wrong_type_is_absent_and_the_others_stay() {
    let kept =
        json!({"title": "T", "type": "code", "effective_severity_level": "low", "status": "open"});
    for field in [
        "key",
        "description",
        "ignored",
        "created_at",
        "updated_at",
        "tool",
        "classes",
        "problems",
        "severities",
        "coordinates",
        "risk",
        "exploit_details",
        "resolution",
    ] {
        for wrong in [
            json!(null),
            json!(7),
            json!("x"),
            json!([1, null, {"a": []}]),
            json!({"data": 1}),
            json!(true),
        ] {
            let mut attributes = kept.clone();
            attributes[field] = wrong.clone();
            let sighting = mapped(attributes);
            assert_eq!(sighting.content.title, "T", "{field} {wrong}");
            assert_eq!(sighting.severity, Severity::Low, "{field} {wrong}");
        }
    }
}

#[test]
fn a_cve_is_the_id_before_a_ghsa_and_both_before_snyks_own() {
    let of = |kind: &str, ids: &[&str]| {
        let content =
            mapped(json!({"type": kind, "key": "SNYK-JS-KEY-1", "problems": problems(ids)}))
                .content;
        (content.vulnerability_id, content.aliases)
    };
    let some = |id: &str| Some(id.to_owned());
    let all = ["SNYK-JS-A-1", "GHSA-1", "CVE-2", "CVE-1", "CVE-2"];
    let (id, aliases) = of("package_vulnerability", &all);
    assert_eq!(id, some("CVE-2"));
    assert_eq!(aliases, ["SNYK-JS-A-1", "GHSA-1", "CVE-1"]);
    assert_eq!(
        of("package_vulnerability", &["SNYK-JS-A-1", "GHSA-1"]).0,
        some("GHSA-1")
    );
    assert_eq!(of("package_vulnerability", &["npm:a:1"]).0, some("npm:a:1"));
    assert_eq!(of("package_vulnerability", &[]).0, some("SNYK-JS-KEY-1"));
    for kind in [
        "license", "code", "config", "cloud", "custom", "secrets", "new",
    ] {
        assert_eq!(of(kind, &all), (None, Vec::new()), "{kind}");
    }
}

#[test]
fn the_rule_is_the_weakness_where_there_is_no_vulnerability() {
    let code = json!({"sourceLocation": {"file": "a.js"}});
    let of = |attributes: Value| mapped(attributes).weakness;
    let rule = problems(&["javascript/Sqli"]);
    assert_eq!(
        of(json!({"type": "code", "problems": rule, "coordinates": at(code)})).as_deref(),
        Some("snyk:javascript/Sqli")
    );
    let path = json!({"resourcePath": "a > b"});
    assert_eq!(
        of(json!({"type": "config", "problems": rule, "key": "k", "coordinates": at(path)}))
            .as_deref(),
        Some("snyk:javascript/Sqli|a > b")
    );
    assert_eq!(
        of(json!({"type": "config", "problems": rule, "key": "k"})).as_deref(),
        Some("snyk:javascript/Sqli|k")
    );
    assert_eq!(
        of(json!({"type": "package_vulnerability", "problems": problems(&["CVE-1"])})),
        None
    );
    assert_eq!(of(json!({"type": "code", "key": "k"})), None);
}

#[test]
fn the_kind_follows_the_type_and_else_the_place() {
    let dependency = json!({"dependency": {"package_name": "a", "package_version": "1"}});
    let lines = json!({"sourceLocation": {"file": "a"}});
    let cloud = json!({"cloud_resource": {"environment": {"type": "google"}}});
    let scm = json!({"cloud_resource": {"environment": {"type": "scm"}}});
    let path = json!({"resourcePath": "a"});
    for (issue_type, place, kind) in [
        ("package_vulnerability", &dependency, Kind::Component),
        ("license", &dependency, Kind::Component),
        ("code", &lines, Kind::Code),
        ("secrets", &lines, Kind::Secret),
        ("config", &lines, Kind::Code),
        ("config", &path, Kind::Other),
        ("config", &cloud, Kind::Cloud),
        ("cloud", &cloud, Kind::Cloud),
        ("cloud", &scm, Kind::Other),
        ("custom", &path, Kind::Other),
        ("new", &dependency, Kind::Component),
        ("new", &lines, Kind::Code),
    ] {
        let sighting = mapped(json!({"type": issue_type, "coordinates": at(place.clone())}));
        assert_eq!(sighting.content.kind, kind, "{issue_type} {place}");
    }
}

#[test]
fn a_cloud_resource_is_named_as_its_provider_does() {
    let resource = json!({"cloud_resource": {
        "environment": {"name": "prod", "native_id": "1234", "type": "azure"},
        "resource": {"location": "westeurope", "resource_type": "vm", "native_id": "/subscriptions/1", "name": "n"}}});
    let cloud = mapped(json!({"type": "cloud", "coordinates": at(resource)}))
        .content
        .cloud
        .unwrap();
    assert_eq!(cloud.provider.as_deref(), Some("azure"));
    assert_eq!(cloud.account.as_deref(), Some("1234"));
    assert_eq!(cloud.region.as_deref(), Some("westeurope"));
    assert_eq!(cloud.resource_type.as_deref(), Some("vm"));
    assert_eq!(cloud.resource_id.as_deref(), Some("/subscriptions/1"));
    for no_cloud in ["scm", "cli", "tfc"] {
        let resource = json!({"cloud_resource": {"environment": {"type": no_cloud, "name": "n"}}});
        let content = mapped(json!({"type": "cloud", "coordinates": at(resource)})).content;
        assert_eq!(content.cloud, None, "{no_cloud}");
    }
}

#[test]
fn the_component_is_that_of_the_first_coordinate_that_is_not_mended() {
    let one = |state: &str, name: &str| {
        json!({"state": state, "representations": [{"dependency": {"package_name": name, "package_version": "1"}}],
            "remedies": [{"type": "indeterminate", "meta": {"schema_version": "package_vulnerability/v0",
                "data": {"fixed_in": ["2", "3", "2", 4]}}},
                {"type": "manual", "meta": {"schema_version": "other/v1", "data": {"fixed_in": ["9"]}}}]})
    };
    let coordinates = json!([
        one("resolved", "gone"),
        one("open", "a"),
        one("open", "b"),
        one("open", "a")
    ]);
    let attributes =
        json!({"type": "package_vulnerability", "description": "D", "coordinates": coordinates});
    let content = mapped_in(attributes, Some(&project("acme/shop", "npm"))).content;
    let component = content.component.unwrap();
    assert_eq!(component.name.as_deref(), Some("a"));
    assert_eq!(component.version.as_deref(), Some("1"));
    assert_eq!(component.fixed_version.as_deref(), Some("2, 3"));
    assert_eq!(component.purl.as_deref(), Some("pkg:npm/a@1"));
    assert_eq!(
        content.description.as_deref(),
        Some("D\n\nAlso at:\n\n* gone@1 (resolved)\n* b@1")
    );
}

#[test]
fn lines_are_counted_from_one_and_may_be_missing() {
    let of = |region: Value| {
        let lines = json!({"sourceLocation": {"file": "src/a.js", "region": region}});
        let location = mapped(json!({"type": "code", "coordinates": at(lines)}))
            .content
            .source_location;
        let location = location.unwrap();
        assert_eq!(location.file.as_deref(), Some("src/a.js"));
        (location.line_start, location.line_end)
    };
    let region = json!({"start": {"line": 3, "column": 1}, "end": {"line": 5, "column": 2}});
    assert_eq!(of(region), (Some(3), Some(5)));
    assert_eq!(
        of(json!({"start": {"line": 0}, "end": {"line": -1}})),
        (None, None)
    );
    assert_eq!(of(json!(null)), (None, None));
}

#[test]
fn advice_is_each_remedy_once_and_what_a_rule_found_is_no_advice() {
    let remedies = json!([{"type": "manual", "description": "Upgrade."}, {"type": "rule_result_message", "description": "Found."},
        {"type": "cli", "description": "Run it."}, {"type": "manual", "description": "Upgrade."}, {"type": "arm"}]);
    let coordinates = json!([{"remedies": remedies}, {"remedies": remedies}]);
    let content = mapped(json!({"type": "config", "coordinates": coordinates})).content;
    assert_eq!(
        content.recommendation.as_deref(),
        Some("Upgrade.\n\nRun it.")
    );
    assert_eq!(content.description.as_deref(), Some("Found."));
    let content = mapped(json!({"description": "D", "coordinates": coordinates})).content;
    assert_eq!(content.description.as_deref(), Some("D"));
}

#[test]
fn cvss_is_taken_from_snyk_before_nvd_before_others_for_each_version() {
    let rating = |source: &str, version: &str, score: f64| json!({"source": source, "version": version, "score": score, "level": "high", "vector": ""});
    let of = |ratings: Value| {
        let content = mapped(json!({"severities": ratings})).content;
        (content.cvss3_score, content.cvss4_score)
    };
    assert_eq!(
        of(json!([
            rating("SUSE", "3.1", 1.0),
            rating("NVD", "3.0", 2.0),
            rating("snyk", "3.1", 3.0),
            rating("NVD", "4.0", 4.0)
        ])),
        (Some(3.0), Some(4.0))
    );
    assert_eq!(
        of(json!([
            rating("SUSE", "3.1", 1.0),
            rating("Red Hat", "3.1", 2.0)
        ])),
        (Some(1.0), None)
    );
    // One that cannot be believed does not stand in the way of another.
    assert_eq!(
        of(json!([
            rating("Snyk", "3.1", 77.0),
            rating("NVD", "3.1", 2.0)
        ])),
        (Some(2.0), None)
    );
    assert_eq!(
        of(json!([
            rating("Snyk", "2.0", 5.0),
            rating("Snyk", "31", 5.0)
        ])),
        (None, None)
    );
}

#[test]
fn classes_are_cwes_or_tags() {
    let classes = json!([
        {"id": "CWE-190", "source": "CWE", "url": "https://cwe.example/190"}, {"id": "cwe-79", "source": "cwe"},
        {"id": "CWE-5", "source": "OWASP"}, {"id": "CWE-0", "source": "CWE"}, {"id": "CWE", "source": "CWE"},
        {"id": "ÄÖ-1", "source": "CWE"}, {"id": "CIS–1", "source": "CIS"}]);
    let content = mapped(json!({"classes": classes})).content;
    assert_eq!(content.cwes, [190, 79]);
    assert_eq!(content.tags, ["CWE-5", "CWE-0", "CWE", "ÄÖ-1", "CIS–1"]);
    assert_eq!(content.references, ["https://cwe.example/190"]);
}

#[test]
fn references_are_given_urls_and_the_pages_of_snyks_own_vulnerabilities() {
    let problems = json!([{"id": "SNYK-JS-A-1", "url": "https://snyk.example/a"}, {"id": "CVE-1", "url": "javascript:alert(1)"},
        {"id": "SNYK-CC-TF-1"}, {"id": "npm:a:1", "url": "https://snyk.example/a"}]);
    let content = mapped(json!({"problems": problems})).content;
    assert_eq!(
        content.references,
        [
            "https://snyk.example/a",
            "https://security.snyk.io/vuln/SNYK-JS-A-1"
        ]
    );
}

#[test]
fn tags_tell_what_has_no_field_of_its_own() {
    let attributes = json!({
        "type": "package_vulnerability", "tool": "snyk://npm-deps", "ignored": true, "resolution": {"type": "disappeared"},
        "exploit_details": {"maturity_levels": [{"level": "attacked"}]}, "risk": {"score": {"value": 514}},
        "coordinates": [{"reachability": "no-info", "representations": [{"resourcePath": "a > b"}]}],
    });
    let content = mapped_in(attributes, Some(&project("acme/shop", "npm"))).content;
    assert_eq!(
        content.tags,
        [
            "package_vulnerability",
            "snyk://npm-deps",
            "ignored",
            "resolution:disappeared",
            "reachability:no-info",
            "exploit:attacked",
            "risk-score:514",
            "a > b",
            "team:blue"
        ]
    );
}

#[test]
fn an_image_and_a_workload_come_from_the_project() {
    let of = |name: &str, kind: &str| mapped_in(json!({}), Some(&project(name, kind))).content;
    let image = of("docker-image|registry.example.com/web", "deb")
        .image
        .unwrap();
    assert_eq!(image.name.as_deref(), Some("registry.example.com/web"));
    assert_eq!(image.tag.as_deref(), Some("1.2"));
    assert_eq!(of("acme/shop", "npm").image, None);
}

#[test]
fn times_have_any_number_of_digits_or_are_none() {
    let of = |text: &str| mapped(json!({"created_at": text, "updated_at": text})).found_at;
    for text in [
        "2026-04-17T01:26:56Z",
        "2026-04-17T01:26:56.5Z",
        "2026-04-17T01:26:56.123456789Z",
    ] {
        assert!(of(text).is_some(), "{text}");
    }
    assert_eq!(of("yesterday"), None);
}

#[test]
fn raw_is_the_vendors_json_without_what_every_test_changes() {
    let raw = |test: &str, reckoned: &str| {
        let json = json!({"id": "i", "attributes": {"risk": {"score": {"value": 5, "updated_at": reckoned}}, "new": [1.5]},
            "relationships": {"scan_item": {"data": {"id": "p"}}, "test_executions": {"data": [{"id": test}]}}});
        let text = json.to_string();
        map(&Row::parse(&text).unwrap(), &text, None).unwrap().raw
    };
    assert_eq!(
        raw("1", "2026-01-01T00:00:00Z"),
        raw("2", "2026-01-02T00:00:00Z")
    );
    let kept: Value = serde_json::from_str(&raw("1", "x")).unwrap();
    assert_eq!(
        kept["attributes"],
        json!({"risk": {"score": {"value": 5}}, "new": [1.5]})
    );
    let plain = r#"{"id":"i", "relationships":{"scan_item":{"data":{"id":"p"}}}}"#;
    assert_eq!(
        map(&Row::parse(plain).unwrap(), plain, None).unwrap().raw,
        plain
    );
}
