//! Every field, from every version.

use secpull_simulators::scenario::sonarqube_shop;
use secpull_simulators::sonarqube::{Edition, SonarQube};
use serde_json::json;

use super::{SHOP, includes, installation, installation_of, of_path, of_source, with_raw};
use crate::support::Installation;
use crate::support::sonarqube::{NEW, server, tool};

#[test]
fn every_field_of_issues_hotspots_and_risks_is_imported() {
    let simulator = SonarQube::new(NEW)
        .projects(sonarqube_shop())
        .below("/sonar")
        .start_blocking()
        .unwrap();
    let installation = Installation::new(&format!(
        "{}[api_configurations.shop]\ntool = \"sonar\"\nproduct = \"Shop\"\n{SHOP}dependency_risks = true\n",
        tool("sonar", &simulator, NEW).replace("/sonar\"", "/sonar/api/\"")
    ));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 14, "unreadable": 0}),
    );
    let findings = with_raw(&installation);
    let root = simulator.url();
    let injection = of_source(&findings, "AZ-injection-12");
    includes(
        injection,
        &json!({
            "kind": "code", "title": "Change this code to not construct SQL from user <input>.", "product": "Shop",
            "branch": null, "severity": "high", "status": "open",
            "description": "Queries that are put together from input can be changed by it.\n\n#### Why is this an issue?\n\nThe input is **not** checked.",
            "recommendation": "Use parameters of Spring JDBC.", "vulnerability_id": null, "cwes": [20, 89],
            "source_location": {
                "file": "src/main/java/App.java", "line_start": 12, "line_end": 15,
                "url": format!("{root}/project/issues?id=com.acme%3Ashop&issues=AZ-injection-12&open=AZ-injection-12")
            },
            "references": ["https://cwe.mitre.org/data/definitions/89"],
            "tags": ["VULNERABILITY", "java:S3649", "cwe", "team-a", "linux"],
            "sightings": [{
                "connector": "sonarqube", "record": "com.acme:shop", "source_severity": "HIGH", "source_status": "OPEN",
                "found_at": "2026-10-01T07:55:00Z", "source_updated_at": "2026-10-01T07:56:00Z"
            }]
        }),
    );
    assert_eq!(
        injection["sightings"][0]["raw"]["impacts"][0]["softwareQuality"],
        "RELIABILITY"
    );
    for (id, severity, status, word) in [
        ("AZ-confirmed", "critical", "open", "CONFIRMED"),
        ("AZ-false", "medium", "false_positive", "FALSE_POSITIVE"),
        ("AZ-accepted", "low", "risk_accepted", "ACCEPTED"),
        ("AZ-in-a-sandbox", "info", "in_review", "IN_SANDBOX"),
    ] {
        includes(
            of_source(&findings, id),
            &json!({"severity": severity, "status": status, "sightings": [{"source_status": word}]}),
        );
    }
    includes(
        of_source(&findings, "AZ-nameless"),
        &json!({
            "kind": "other", "title": "lint:E1", "severity": "high", "description": null, "cwes": [],
            "source_location": {"file": null, "line_start": null},
            "sightings": [{"source_severity": "CRITICAL"}]
        }),
    );
    includes(
        of_source(&findings, "AZ-orphan"),
        &json!({
            "title": "Mend line 3.", "severity": "low", "description": null,
            "source_location": {"file": "src/a:b.c", "line_start": 3}, "tags": ["VULNERABILITY", "gone:S1", "cwe"]
        }),
    );
    includes(
        of_source(&findings, "AZ-to-review"),
        &json!({
            "kind": "code", "title": "Make sure that line 4 is safe here.", "severity": "high", "status": "open",
            "description": "Credentials in code are found by others.\n\nAsk whether it is one.",
            "recommendation": "Store it elsewhere.", "cwes": [798],
            "source_location": {
                "file": "src/main/java/Login.java", "line_start": 4, "line_end": 4,
                "url": format!("{root}/security_hotspots?id=com.acme%3Ashop&hotspots=AZ-to-review")
            },
            "tags": ["SECURITY_HOTSPOT", "auth", "java:S2068"],
            "sightings": [{"source_severity": "HIGH", "source_status": "TO_REVIEW", "found_at": "2026-10-01T07:55:00Z"}]
        }),
    );
    includes(
        of_source(&findings, "AZ-safe"),
        &json!({"severity": "medium", "status": "not_affected", "sightings": [{"source_status": "REVIEWED/SAFE"}]}),
    );
    includes(
        of_source(&findings, "AZ-acknowledged"),
        &json!({"severity": "low", "status": "risk_accepted"}),
    );
    includes(
        of_source(&findings, "5ca00000-0000-4000-8000-000000000001"),
        &json!({
            "kind": "component", "title": "CVE-2021-44228 in log4j-core", "severity": "critical", "status": "open",
            "vulnerability_id": "CVE-2021-44228", "cvss3_score": 10.0, "cwes": [94],
            "component": {"name": "log4j-core", "version": "2.14.1", "purl": "pkg:maven/org.acme/log4j-core@2.14.1"},
            "tags": ["VULNERABILITY", "maven"],
            "sightings": [{"source_severity": "BLOCKER", "source_status": "OPEN", "found_at": "2026-09-01T10:00:00Z"}]
        }),
    );
    for (number, severity, status) in [
        (2, "high", "open"),
        (3, "medium", "risk_accepted"),
        (4, "low", "not_affected"),
    ] {
        includes(
            of_source(
                &findings,
                &format!("5ca00000-0000-4000-8000-00000000000{number}"),
            ),
            &json!({"severity": severity, "status": status}),
        );
    }
    // Each rule was asked for once.
    let requests = simulator.requests();
    let mut keys: Vec<_> = of_path(&requests, "/api/rules/show")
        .map(|one| one.parameter("key").unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["external_lint:E1", "gone:S1", "java:S2068", "java:S3649"]
    );
    assert_eq!(of_path(&requests, "/api/hotspots/show").count(), 0);
    assert!(requests.iter().all(|one| !one.credential_in_url));

    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 14}),
    );
}

#[test]
fn each_version_is_spoken_to_in_its_own_way() {
    for (edition, components, project, severity) in [
        (
            Edition::Server("8.9.10.61524"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("9.9.8.100196"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("10.1.0.73491"),
            "componentKeys",
            "projectKey",
            "critical",
        ),
        (
            Edition::Server("10.3.0.82913"),
            "components",
            "project",
            "critical",
        ),
        (
            Edition::Server("10.7.0.96327"),
            "components",
            "project",
            "critical",
        ),
        (
            Edition::Server("25.9.0.112764"),
            "components",
            "project",
            "high",
        ),
        (NEW, "components", "project", "high"),
        (Edition::Cloud, "componentKeys", "projectKey", "high"),
    ] {
        let mut shop = sonarqube_shop();
        if edition == Edition::Cloud {
            // Hotspots cannot be acknowledged there.
            shop[0].branches[0]
                .hotspots
                .retain(|one| one.key != "AZ-acknowledged");
        }
        let simulator = server(edition, shop);
        let installation = installation_of(&simulator, edition, SHOP);
        installation.import("shop").exits(0);
        let findings = installation.findings();
        let expected = if edition == Edition::Cloud { 9 } else { 10 };
        assert_eq!(findings.len(), expected, "{edition:?}");
        let injection = of_source(&findings, "AZ-injection-12");
        assert_eq!(injection["severity"], severity, "{edition:?}");
        includes(
            of_source(&findings, "AZ-accepted"),
            &json!({"status": "risk_accepted"}),
        );
        includes(
            of_source(&findings, "AZ-false"),
            &json!({"status": "false_positive"}),
        );
        includes(
            of_source(&findings, "AZ-to-review"),
            &json!({"cwes": [798], "tags": ["SECURITY_HOTSPOT", "auth", "java:S2068"]}),
        );
        let requests = simulator.requests();
        let versions = of_path(&requests, "/api/server/version").count();
        assert_eq!(
            versions,
            usize::from(edition != Edition::Cloud),
            "asked once"
        );
        for search in of_path(&requests, "/api/issues/search") {
            assert_eq!(search.parameter(components), Some("com.acme:shop"));
            let organization = (edition == Edition::Cloud).then_some("acme-org");
            assert_eq!(search.parameter("organization"), organization);
        }
        for search in of_path(&requests, "/api/hotspots/search") {
            assert_eq!(search.parameter(project), Some("com.acme:shop"));
        }
        assert!(
            requests.iter().all(|one| one.status != Some(401)),
            "{edition:?}"
        );
        // Only servers before 9.7 have to be asked for each hotspot.
        let single = of_path(&requests, "/api/hotspots/show").count();
        let is_old = edition == Edition::Server("8.9.10.61524");
        assert_eq!(single, if is_old { 4 } else { 0 }, "{edition:?}");
    }
}

#[test]
fn the_older_mode_of_a_new_server_counts_the_older_severity() {
    let simulator = SonarQube::new(NEW)
        .projects(sonarqube_shop())
        .standard_experience()
        .start_blocking()
        .unwrap();
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let findings = installation.findings();
    includes(
        of_source(&findings, "AZ-injection-12"),
        &json!({"severity": "critical", "sightings": [{"source_severity": "BLOCKER"}]}),
    );
}
