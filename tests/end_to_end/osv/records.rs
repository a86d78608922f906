//! Batches, pages, and records that are fetched once.

use super::*;

#[test]
fn every_field_is_imported_and_a_second_import_fetches_no_record() {
    let simulator = service(osv_shop());
    let installation = installation(
        &simulator,
        &[
            ("web.cdx.json", &osv_shop_sbom()),
            ("image.spdx.json", &osv_image_sbom()),
        ],
    );
    imported(
        &installation,
        &json!({"status": "complete", "new": 10, "unreadable": 0}),
    );
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    let of = |id: &str| {
        let mut found = findings
            .iter()
            .filter(|finding| finding["sightings"][0]["source_id"] == id);
        found
            .next()
            .unwrap_or_else(|| panic!("no {id} in {:#?}", sightings(&installation)))
    };
    let log4j = of("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1|GHSA-jfh8-c2jp-5v3q");
    includes(
        log4j,
        &json!({
            "kind": "component", "title": "Remote code injection in Log4j", "product": "Shop", "severity": "critical", "status": "open",
            "description": "Lookups in messages load code from anywhere.", "vulnerability_id": "CVE-2021-44228",
            "aliases": ["GHSA-jfh8-c2jp-5v3q"], "cwes": [20, 400, 502], "cvss3_score": 10.0,
            "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "cvss4_vector": null,
            "component": {
                "name": "org.apache.logging.log4j:log4j-core", "version": "2.14.1", "fixed_version": "2.15.0",
                "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "cpe": "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*"
            },
            "references": ["https://example.com/advisories/log4shell"],
            "sightings": [{
                "connector": "osv", "record": "web", "source_severity": "CRITICAL", "source_status": null, "found_at": null
            }]
        }),
    );
    assert_eq!(
        log4j["sightings"][0]["raw"]["related"],
        json!(["CVE-2021-45046"])
    );
    includes(
        of("pkg:pypi/jinja2@2.4.1|GHSA-g3rq-g295-4j3m"),
        &json!({
            "title": "ReDoS in Jinja2", "description": "The pattern for e-mail addresses is slow.", "severity": "medium",
            "vulnerability_id": "CVE-2020-28493", "aliases": ["GHSA-g3rq-g295-4j3m", "PYSEC-2021-66"], "cvss3_score": 5.3,
            "component": {"name": "jinja2", "fixed_version": "2.11.3"}, "sightings": [{"source_severity": "MODERATE"}]
        }),
    );
    includes(
        of("pkg:npm/lodash@4.17.20|GHSA-35jh-r3h4-6jhm"),
        &json!({"severity": "critical", "cvss4_score": 9.3, "component": {"version": "4.17.20", "fixed_version": "4.17.21"}}),
    );
    includes(
        of("pkg:npm/%40vitest/mocker@3.2.7|GHSA-mock-mock-mock"),
        &json!({"severity": "low", "component": {"name": "@vitest/mocker", "purl": "pkg:npm/%40vitest/mocker@3.2.7", "fixed_version": "3.2.8"}}),
    );
    includes(
        of("pkg:golang/github.com/gin-gonic/gin@v1.6.0|GO-2020-0001"),
        &json!({"severity": "high", "component": {"name": "github.com/gin-gonic/gin", "fixed_version": "1.6.3"}}),
    );
    includes(
        of("pkg:npm/evil-pkg@1.0.0|MAL-2026-1"),
        &json!({"severity": "critical", "vulnerability_id": "MAL-2026-1"}),
    );
    includes(
        of("pkg:npm/gone@1.0.0|GHSA-cvss-two2-only"),
        &json!({"severity": "high", "title": "GHSA-cvss-two2-only in gone 1.0.0", "component": {"fixed_version": null}}),
    );
    includes(
        of("pkg:deb/debian/libssl3@3.0.11-1~deb12u1?distro=debian-12|DEBIAN-CVE-2023-5363"),
        &json!({
            "severity": "unknown", "vulnerability_id": "CVE-2023-5363", "aliases": ["DEBIAN-CVE-2023-5363"],
            "component": {"name": "libssl3", "version": "3.0.11-1~deb12u1", "fixed_version": "3.0.11-1~deb12u2"},
            "sightings": [{"record": "image"}]
        }),
    );
    includes(
        of("pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3?distro=ubuntu-24.04|UBUNTU-CVE-2024-0727"),
        &json!({"severity": "low", "component": {"fixed_version": "3.0.13-0ubuntu4"}, "sightings": [{"source_severity": "negligible"}]}),
    );
    includes(
        of("pkg:apk/alpine/libcrypto3@3.1.4-r1?distro=alpine-3.19.1|ALPINE-CVE-2023-6129"),
        &json!({"component": {"fixed_version": "3.1.4-r3"}}),
    );
    let all = simulator.asked();
    assert!(
        all.iter()
            .all(|query| !query.to_string().contains("unversioned")),
        "{all:#?}"
    );

    simulator.forget_requests();
    imported(
        &installation,
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 10}),
    );
    let paths: Vec<_> = simulator
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(
        paths,
        ["/v1/querybatch", "/v1/querybatch"],
        "one for each SBOM"
    );
}

#[test]
fn a_record_is_fetched_again_when_its_time_of_change_differs_in_either_direction() {
    let simulator = service(vec![flaw("GHSA-1", "a"), flaw("GHSA-2", "b")]);
    let installation = installation(
        &simulator,
        &[("shop.json", &sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]))],
    );
    imported(&installation, &json!({"status": "complete", "new": 2}));
    assert_eq!(fetched(&simulator), 2);
    for (modified, updated) in [
        ("2027-01-01T00:00:00Z", 1),
        ("2025-01-01T00:00:00.5Z", 1),
        ("2025-01-01T00:00:00.500Z", 0),
    ] {
        simulator.forget_requests();
        simulator
            .change_one("GHSA-1", |one| one.modified = modified.to_owned())
            .unwrap();
        installation.import("shop").exits(0);
        assert_eq!(fetched(&simulator), updated, "{modified}");
    }
}

#[test]
fn what_is_withdrawn_or_no_longer_found_is_resolved() {
    let simulator = service(vec![
        flaw("GHSA-1", "a"),
        flaw("GHSA-2", "a"),
        flaw("GHSA-3", "b"),
    ]);
    let installation = installation(
        &simulator,
        &[("shop.json", &sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]))],
    );
    imported(&installation, &json!({"status": "complete", "new": 3}));
    // One is left out of the batch, one is still named by it.
    simulator
        .change_one("GHSA-1", |one| one.is_listed = false)
        .unwrap();
    simulator
        .change_one("GHSA-2", |one| {
            one.members
                .insert("withdrawn".to_owned(), json!("2026-06-01T00:00:00Z"));
            one.modified = "2026-06-01T00:00:00Z".to_owned();
        })
        .unwrap();
    imported(&installation, &json!({"status": "complete", "resolved": 2}));
    // The package is gone from the SBOM.
    installation.write("sboms/shop.json", &sbom(&["pkg:npm/a@1.0.0"]));
    imported(&installation, &json!({"status": "complete", "resolved": 1}));
}

#[test]
fn a_package_that_osv_refuses_keeps_no_other_from_being_imported() {
    let simulator = service(vec![
        flaw("GHSA-1", "a"),
        flaw("GHSA-2", "b"),
        flaw("GHSA-3", "c"),
    ]);
    let installation = installation(
        &simulator,
        &[("shop.json", &sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]))],
    );
    imported(&installation, &json!({"status": "complete", "new": 2}));
    simulator.refuse("b");
    simulator
        .change_one("GHSA-1", |one| one.is_listed = false)
        .unwrap();
    installation.write(
        "sboms/shop.json",
        &sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0", "pkg:npm/c@1.0.0"]),
    );
    imported(
        &installation,
        &json!({"status": "partial", "new": 1, "resolved": 0}),
    );
    let error = installation.last_run("shop")["error"].to_string();
    assert!(
        error.contains("pkg:npm/b@1.0.0") && error.contains("invalid query"),
        "{error}"
    );
    simulator.answer_all();
    imported(
        &installation,
        &json!({"status": "complete", "resolved": 1, "unchanged": 2}),
    );
}

#[test]
fn tokens_that_never_end_prove_nothing() {
    let simulator = service(vec![flaw("GHSA-1", "a"), flaw("GHSA-2", "b")]);
    let installation = installation(
        &simulator,
        &[("shop.json", &sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]))],
    );
    imported(&installation, &json!({"status": "complete", "new": 2}));
    simulator.never_end("b");
    simulator
        .change_one("GHSA-1", |one| one.is_listed = false)
        .unwrap();
    imported(
        &installation,
        &json!({"status": "partial", "resolved": 0, "unchanged": 1}),
    );
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("one more page"), "{error}");
    simulator.answer_all();
    imported(&installation, &json!({"status": "complete", "resolved": 1}));
}

#[test]
fn pages_are_followed_query_by_query_to_their_end() {
    for (findings, page, batch) in [
        (0, 3, 5),
        (20, 20, 100),
        (20, 19, 100),
        (60, 3, 7),
        (60, 1, 1),
    ] {
        let simulator = Osv::new()
            .many(findings)
            .pages_of(page, batch)
            .start_blocking()
            .unwrap();
        let text = match findings {
            0 => sbom(&["pkg:npm/generated-0@1.0.0"]),
            _ => generated_sbom(findings),
        };
        let installation = installation(&simulator, &[("shop.json", &text)]);
        imported(
            &installation,
            &json!({"status": "complete", "new": findings}),
        );
    }
}

#[test]
fn a_record_that_is_named_and_not_given_is_kept_as_it_was() {
    let simulator = service(vec![flaw("GHSA-1", "a"), flaw("GHSA-2", "a")]);
    let installation = installation(&simulator, &[("shop.json", &sbom(&["pkg:npm/a@1.0.0"]))]);
    imported(&installation, &json!({"status": "complete", "new": 2}));
    simulator
        .change_one("GHSA-2", |one| one.is_listed = false)
        .unwrap();
    simulator
        .change_one("GHSA-1", |one| {
            one.modified = "2027-01-01T00:00:00Z".to_owned();
            one.is_served = false;
        })
        .unwrap();
    let mut unserved = flaw("GHSA-new", "a");
    unserved.is_served = false;
    simulator.change(|all| all.push(unserved));
    imported(
        &installation,
        &json!({"status": "partial", "new": 1, "updated": 0, "resolved": 0}),
    );
    let titles = |installation: &Installation| {
        let mut titles: Vec<_> = installation
            .findings()
            .iter()
            .map(|one| one["title"].to_string())
            .collect();
        titles.sort();
        titles
    };
    assert_eq!(
        titles(&installation),
        [
            "\"GHSA-1 in words\"",
            "\"GHSA-2 in words\"",
            "\"GHSA-new in a 1.0.0\""
        ]
    );
    // Nothing that is given can be read: what is known stays.
    simulator.change(|all| {
        all.iter_mut().for_each(|one| {
            one.is_served = true;
            one.modified = "2028-01-01T00:00:00Z".to_owned();
        })
    });
    simulator.inflict_as(
        Plan::new(Misfortune::HtmlLoginPage)
            .everywhere()
            .on("/v1/vulns/"),
    );
    installation.import("shop").exits(1);
    assert_eq!(installation.last_run("shop")["resolved"], 0);
    assert_eq!(titles(&installation).len(), 3);
    simulator.calm();
    imported(
        &installation,
        &json!({"status": "complete", "updated": 2, "resolved": 1}),
    );
}

#[test]
fn osv_is_never_believed_when_it_should_not_be() {
    let folder = tempfile::tempdir().unwrap();
    let sbom = folder.path().join("shop.json");
    fs::write(&sbom, generated_sbom(60)).unwrap();
    through_all(&Case {
        name: "OSV",
        secret: SECRET,
        start: &|name| {
            let simulator = Osv::new().many(60).start_blocking().unwrap();
            let toml = format!(
                "[tools.{name}]\nconnector = \"osv\"\nlocation = \"{}\"\nproxy = \"none\"\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\nsbom = \"{}\"\n",
                simulator.url(),
                sbom.display()
            );
            (simulator, toml)
        },
    });
}

#[test]
fn twenty_thousand_findings_stream() {
    let simulator = Osv::new().many(20_000).start_blocking().unwrap();
    let installation = installation(&simulator, &[("shop.json", &generated_sbom(20_000))]);
    let peak = installation.peak_memory_of_import("shop");
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert_eq!(fetched(&simulator), 1_000, "each record once");
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
