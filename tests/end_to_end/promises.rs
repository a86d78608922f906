//! What an import promises, through the real binary, against both lines of Dependency-Track's servers.

use secpull_simulators::dependency_track::{Simulator, Version};
use serde_json::Value;

use super::support::Installation;
use super::support::dependency_track::{finding, project, server, tool};

const BOTH: [Version; 2] = [Version::V4_14, Version::V5_0];

/// A server with one project of findings 0 to `count`, and an installation that imports it as `shop`.
fn shop(version: Version, count: u32) -> (Simulator, Installation, String) {
    let project = project("shop", 0..count);
    let uuid = project.uuid.clone();
    let server = server(version, vec![project]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n",
        tool("dt", &server)
    ));
    (server, installation, uuid)
}

fn with_status<'a>(findings: &'a [Value], status: &str) -> Vec<&'a str> {
    findings
        .iter()
        .filter(|finding| finding["status"] == status)
        .map(|finding| finding["vulnerability_id"].as_str().unwrap())
        .collect()
}

#[test]
fn a_second_import_of_the_same_writes_no_row() {
    for version in BOTH {
        let (_server, installation, _) = shop(version, 250);
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        assert_eq!(
            (&run["status"], &run["new"]),
            (&"complete".into(), &250.into())
        );
        let rows = || installation.place().rows(&["findings", "sightings"]);
        let before = rows();
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        assert_eq!(run["unchanged"], 250, "{run}");
        assert_eq!((&run["new"], &run["updated"]), (&0.into(), &0.into()));
        assert_eq!(rows(), before);
    }
}

#[test]
fn what_is_gone_is_resolved_and_what_comes_back_is_reopened() {
    for version in BOTH {
        let (server, installation, uuid) = shop(version, 130);
        installation.import("shop").exits(0);
        let gone = finding(7).vulnerability.id;
        server.portfolio().change(&uuid, |project| {
            project
                .findings
                .remove(|finding| finding.vulnerability.id == gone)
        });
        installation.import("shop").exits(0);
        assert_eq!(
            with_status(&installation.findings(), "resolved"),
            [gone.as_str()]
        );

        server
            .portfolio()
            .change(&uuid, |project| project.findings.add(finding(7)));
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        assert_eq!(run["reopened"], 1, "{run}");
        let findings = installation.findings();
        assert_eq!(with_status(&findings, "open").len(), 130);

        let id = findings
            .iter()
            .find(|finding| finding["vulnerability_id"] == gone.as_str())
            .unwrap()["id"]
            .to_string();
        let shown = installation
            .secpull(&["findings", "show", &id, "--format", "json"])
            .exits(0)
            .json();
        let events: Vec<_> = shown["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["event"].as_str().unwrap())
            .collect();
        assert_eq!(events.first(), Some(&"first_seen"));
        assert!(
            events.contains(&"resolved") && events.contains(&"reopened"),
            "{events:?}"
        );
    }
}

#[test]
fn a_suppression_is_a_risk_accepted_and_no_repair() {
    for version in BOTH {
        let (server, installation, uuid) = shop(version, 3);
        installation.import("shop").exits(0);
        server.portfolio().change(&uuid, |project| {
            project
                .findings
                .analyse(|f| f.vulnerability.id == "CVE-2026-00001", None, true)
        });
        installation.import("shop").exits(0);
        let findings = installation.findings();
        assert_eq!(with_status(&findings, "risk_accepted"), ["CVE-2026-00001"]);
        assert_eq!(with_status(&findings, "resolved").len(), 0);
    }
}

#[test]
fn a_change_of_severity_is_an_update_with_history() {
    let (server, installation, uuid) = shop(Version::V5_0, 2);
    installation.import("shop").exits(0);
    server.portfolio().change(&uuid, |project| {
        project
            .findings
            .set_severity(|f| f.vulnerability.id == "CVE-2026-00001", "CRITICAL")
    });
    installation.import("shop").exits(0);
    assert_eq!(installation.last_run("shop")["updated"], 1);
    let critical = installation
        .secpull(&["findings", "--severity", "critical", "--format", "jsonl"])
        .exits(0)
        .lines();
    assert_eq!(critical.len(), 1);
    let id = critical[0]["id"].to_string();
    let shown = installation
        .secpull(&["findings", "show", &id, "--format", "json"])
        .exits(0)
        .json();
    let change = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["event"] == "severity")
        .unwrap();
    assert_eq!(
        (&change["old"], &change["new"]),
        (&"high".into(), &"critical".into())
    );
}

#[test]
fn a_project_that_is_gone_fails_the_run_and_resolves_nothing() {
    for version in BOTH {
        let (server, installation, uuid) = shop(version, 5);
        installation.import("shop").exits(0);
        server.portfolio().remove(&uuid);
        let ran = installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        assert_eq!(run["status"], "failed", "{run} {ran:#?}");
        assert!(run["error"].as_str().unwrap().contains("404"), "{run}");
        assert_eq!(with_status(&installation.findings(), "open").len(), 5);
    }
}

#[test]
fn an_import_that_smells_is_held_and_says_so() {
    let (server, installation, uuid) = shop(Version::V5_0, 40);
    installation.import("shop").exits(0);
    server
        .portfolio()
        .change(&uuid, |project| project.findings.remove(|_| true));
    let ran = installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    assert_eq!(run["status"], "held", "{run} {ran:#?}");
    let error = run["error"].as_str().unwrap();
    assert!(
        error.contains("40 of 40") && error.contains("accept shop"),
        "{error}"
    );
    assert_eq!(with_status(&installation.findings(), "open").len(), 40);

    // Within bounds again: a later run needs no acceptance.
    server.portfolio().change(&uuid, |project| {
        (0..30).for_each(|number| project.findings.add(finding(number)));
    });
    installation.import("shop").exits(0);
    assert_eq!(with_status(&installation.findings(), "resolved").len(), 10);
}

#[test]
fn a_record_that_is_no_longer_listed_is_missing_and_keeps_its_findings() {
    let (web, api) = (project("web", 0..3), project("api", 10..13));
    let gone = web.uuid.clone();
    let server = server(Version::V5_0, vec![web, api]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.all]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    installation.import("all").exits(0);
    let products: std::collections::BTreeSet<_> = installation
        .findings()
        .iter()
        .map(|finding| finding["product"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(products.into_iter().collect::<Vec<_>>(), ["api", "web"]);

    server.portfolio().remove(&gone);
    installation.import("all").exits(0);
    assert_eq!(with_status(&installation.findings(), "open").len(), 6);
    let status = installation.secpull(&["status", "--format", "json"]);
    let status = status.json();
    let records = status["api_configurations"][0]["records"]
        .as_array()
        .unwrap();
    let state = |name: &str| {
        let record = records.iter().find(|record| record["name"] == name);
        record.unwrap()["state"].clone()
    };
    assert_eq!(
        (state("web"), state("api")),
        ("missing".into(), "present".into())
    );
}

#[test]
fn the_vendors_json_is_kept_word_for_word() {
    let (_server, installation, _) = shop(Version::V4_14, 1);
    installation.import("shop").exits(0);
    let lines = installation
        .secpull(&["findings", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    let raw = &lines[0]["sightings"][0]["raw"];
    assert_eq!(raw["vulnerability"]["vulnId"], "CVE-2026-00000");
    assert_eq!(raw["matrix"], lines[0]["sightings"][0]["source_id"]);
}

#[test]
fn every_field_of_the_contract_is_in_a_line() {
    let (_server, installation, _) = shop(Version::V5_0, 1);
    installation.import("shop").exits(0);
    let line = installation.findings().remove(0);
    let fields: Vec<_> = line
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for field in [
        "id",
        "product",
        "branch",
        "service",
        "fingerprint",
        "kind",
        "title",
        "description",
        "recommendation",
        "severity",
        "status",
        "vulnerability_id",
        "aliases",
        "cwes",
        "cvss3_vector",
        "cvss3_score",
        "cvss4_vector",
        "cvss4_score",
        "epss_score",
        "component",
        "image",
        "endpoint",
        "source_location",
        "cloud",
        "kubernetes",
        "host",
        "references",
        "tags",
        "first_seen",
        "last_seen",
        "resolved_at",
        "sightings",
    ] {
        assert!(fields.contains(&field), "{field} is not in {line}");
    }
    let sighting = line["sightings"][0].as_object().unwrap();
    for field in [
        "api_configuration",
        "connector",
        "record",
        "source_id",
        "source_severity",
        "source_status",
        "severity",
        "status",
        "found_at",
        "source_updated_at",
        "first_seen",
        "last_seen",
        "resolved_at",
        "raw",
    ] {
        assert!(sighting.contains_key(field), "{field} is not in {line}");
    }
    assert_eq!(line["kind"], "component");
    assert_eq!(line["component"]["purl"], "pkg:npm/library-0@1.0");
    assert_eq!(sighting["source_severity"], "HIGH");
    assert_eq!(sighting["found_at"], "2026-09-01T00:00:00Z");
}
