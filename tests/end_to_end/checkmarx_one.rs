//! Checkmarx One through the real binary: tokens, scans by engine, branches, every field.

use std::time::Duration;

use secpull_simulators::checkmarx_one::{
    API_KEY, CheckmarxOne, OAUTH_CLIENT, OAUTH_SECRET, Project, Results, Scan, Simulator, TENANT,
};
use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::{checkmarx_shop, sast};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::Installation;
use super::support::checkmarx_one::{tenant, tool};

fn installation(simulator: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n{settings}\n",
        tool("cx", simulator)
    ))
}

/// The one finding with a sighting of this id.
#[track_caller]
fn of_source<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    let has = |finding: &&Value| {
        let mut sightings = finding["sightings"].as_array().unwrap().iter();
        sightings.any(|sighting| sighting["source_id"] == id)
    };
    findings
        .iter()
        .find(has)
        .unwrap_or_else(|| panic!("no {id}"))
}

#[track_caller]
fn includes(actual: &Value, expected: &Value) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                includes(actual.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (one, other) in actual.iter().zip(expected) {
                includes(one, other);
            }
        }
        _ => assert_eq!(actual, expected),
    }
}

fn scan_path(simulator: &Simulator, day: u32, engines: &[&str]) -> String {
    let project = Project::new("acme/shop", "").id;
    let scan = Scan::new("main", day, engines).id;
    format!("{}/results/{scan}/{project}", simulator.url())
}

/// The open sightings, each with the branch that it is filed under.
fn open_ids(installation: &Installation) -> Vec<String> {
    let mut ids = Vec::new();
    for finding in installation.findings() {
        let branch = finding["branch"].as_str().unwrap_or("-");
        for sighting in finding["sightings"].as_array().unwrap() {
            if sighting["status"] == "open" {
                ids.push(format!(
                    "{branch} {}",
                    sighting["source_id"].as_str().unwrap()
                ));
            }
        }
    }
    ids.sort();
    ids
}

#[test]
fn every_field_of_every_sort_of_result_is_imported() {
    let simulator = tenant(checkmarx_shop());
    let installation = Installation::new(&format!(
        "{}state_map = [\"ACCEPTED_BY_CISO=risk_accepted\"]\n\
         [api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\nproject_key = \"acme/shop\"\n",
        tool("cx", &simulator)
    ));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    assert_eq!(run["status"], "complete", "{run}");
    assert_eq!(run["new"], 10, "{run}");
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    assert!(findings.iter().all(|finding| finding["branch"] == "main"));
    let newest = scan_path(&simulator, 10, &["sast", "sca"]);
    let older = scan_path(
        &simulator,
        8,
        &["kics", "containers", "microengines", "sast", "sca"],
    );
    let injection = of_source(&findings, "sast:vu/B9/LA3CAJTW+YXs3WsnzYc14=");
    includes(
        injection,
        &json!({
            "kind": "code", "title": "SQL Injection", "severity": "high", "status": "open", "product": "Shop",
            "description": "The method gets data from outside,\r\nand it reaches a query unchecked.",
            "recommendation": null, "vulnerability_id": null, "cwes": [89], "component": null, "image": null,
            "source_location": {"file": "src/App.java", "line_start": 50},
            "references": [format!("{newest}/sast?result-id=vu%2FB9%2FLA3CAJTW%2BYXs3WsnzYc14%3D")],
            "tags": ["sast", "Java", "Java_High_Risk", "OWASP Top 10 2021"],
            "sightings": [{
                "connector": "checkmarx-one", "record": "acme/shop", "source_severity": "HIGH",
                "source_status": "TO_VERIFY", "found_at": "2026-04-08T17:07:12Z",
                "source_updated_at": "2026-11-10T06:09:05Z"
            }]
        }),
    );
    assert_eq!(
        injection["sightings"][0]["raw"]["data"]["queryId"],
        12_956_636_075_206_043_460_u64
    );
    includes(
        of_source(&findings, "sast:s3condPath0="),
        &json!({"status": "open", "description": null, "sightings": [{"source_status": "URGENT"}]}),
    );
    includes(
        of_source(&findings, "sast:jU1dgeDHash0="),
        &json!({"status": "false_positive", "severity": "medium", "cwes": [79], "title": "Reflected XSS"}),
    );
    for (id, name) in [
        ("sca:CVE-2021-23337|Npm-lodash-4.17.15", "lodash"),
        ("sca:CVE-2021-23337|Npm-lodash-es-4.17.15", "lodash-es"),
    ] {
        includes(
            of_source(&findings, id),
            &json!({
                "kind": "component", "title": format!("CVE-2021-23337 in {name}"), "severity": "high", "status": "open",
                "description": "Commands can be injected through template.",
                "recommendation": "Update to 4.17.21.", "vulnerability_id": "CVE-2021-23337", "cwes": [94],
                "cvss3_score": 7.2, "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
                "component": {"name": name, "version": "4.17.15", "fixed_version": "4.17.21"},
                "references": ["https://example.com/advisories/CVE-2021-23337"],
                "tags": ["sca", "Vulnerability", "Npm"],
                "sightings": [{"source_status": "CONFIRMED", "source_updated_at": "2026-11-11T09:30:00Z"}]
            }),
        );
    }
    includes(
        of_source(&findings, "sca:Cxda14f253-4e52|Npm-bluebird-3.7.2"),
        &json!({
            "vulnerability_id": "Cxda14f253-4e52", "status": "risk_accepted", "severity": "low", "cvss3_score": 3.7,
            "cvss3_vector": null, "cwes": [401], "aliases": [],
            "sightings": [{"source_status": "ACCEPTED_BY_CISO", "found_at": null}]
        }),
    );
    includes(
        of_source(&findings, "kics:05bdd0124158e318"),
        &json!({
            "kind": "code", "title": "Unpinned Actions", "severity": "medium",
            "description": "Actions should be pinned to a hash.\n\nExpected: Action pinned to a hash\n\nFound: Action pinned to a tag",
            "recommendation": "Action pinned to a hash", "cwes": [],
            "source_location": {"file": ".github/workflows/ci.yaml", "line_start": 17},
            "references": ["https://example.com/kics/unpinned", format!("{older}/kics?result-id=704597058")],
            "tags": ["kics", "CICD", "Supply-Chain", "IncorrectValue"]
        }),
    );
    includes(
        of_source(
            &findings,
            "containers:CVE-2023-5363|registry.example.com/shop/web:1.2|openssl@3.0.11-1~deb12u1",
        ),
        &json!({
            "kind": "component", "title": "CVE-2023-5363 in openssl", "severity": "critical", "status": "in_review",
            "vulnerability_id": "CVE-2023-5363", "cvss3_score": 7.5,
            "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
            "component": {"name": "openssl", "version": "3.0.11-1~deb12u1"},
            "image": {"name": "registry.example.com/shop/web", "tag": "1.2"},
            "source_location": {"file": "Dockerfile"}, "tags": ["containers", "Dockerfile"]
        }),
    );
    let secret = of_source(&findings, "sscs-secret-detection:5ecre7");
    includes(
        secret,
        &json!({
            "kind": "secret", "title": "AWS access key", "description": "A key in the code.",
            "recommendation": "Revoke the key.\n\nhttps://example.com/revoke",
            "source_location": {"file": "deploy.sh", "line_start": 3},
            "references": ["https://example.com/revoke", "https://example.com/commit/1"],
            "tags": ["sscs-secret-detection", "Source", "Unknown"]
        }),
    );
    assert!(!secret.to_string().contains("wJalrNotARealSecret"));
    includes(
        of_source(&findings, "sscs-scorecard:5c0re"),
        &json!({"kind": "other", "title": "Branch protection", "severity": "info"}),
    );

    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 10}),
    );
}

#[test]
fn the_key_goes_to_the_identity_service_only_and_the_token_to_the_api_only() {
    let simulator = tenant(checkmarx_shop());
    let installation = installation(&simulator, "");
    installation.import("shop").exits(0);
    let exchanges = simulator.iam().requests();
    assert_eq!(exchanges.len(), 1, "{exchanges:#?}");
    let path = format!("/auth/realms/{TENANT}/protocol/openid-connect/token");
    assert_eq!(
        (exchanges[0].path.as_str(), exchanges[0].credential),
        (path.as_str(), false)
    );
    assert_eq!(exchanges[0].parameter("client_id"), Some("ast-app"));
    let requests = simulator.requests();
    assert!(requests.iter().all(|request| {
        request.credential
            && !request.credential_in_url
            && request.parameter("refresh_token").is_none()
    }));
    let version = |accept: &String| accept.contains("version=1.0");
    assert!(
        requests
            .iter()
            .all(|request| request.headers.get("accept").is_some_and(version))
    );
}

#[test]
fn a_token_is_fetched_anew_before_it_is_too_old_and_when_it_is_refused() {
    // Too old before it is there: every call has to fetch one, and none is refused.
    let short = CheckmarxOne::new()
        .projects(checkmarx_shop())
        .tokens_live(Duration::from_secs(30));
    let simulator = short.start_blocking().unwrap();
    let installation = installation(&simulator, "project_key = \"acme/shop\"");
    installation.import("shop").exits(0);
    assert_eq!(simulator.iam().request_count(), simulator.request_count());
    assert!(
        simulator
            .requests()
            .iter()
            .all(|request| request.status == Some(200))
    );

    let simulator = tenant(checkmarx_shop());
    let installation = self::installation(&simulator, "project_key = \"acme/shop\"");
    // Between the list of scans and the results.
    simulator.before_request(3, simulator.revoking_tokens());
    installation.import("shop").exits(0);
    assert_eq!(simulator.iam().request_count(), 2);
    let refused = simulator.requests();
    let refused = refused.iter().filter(|request| request.status == Some(401));
    assert_eq!(refused.count(), 1);
}

#[test]
fn an_oauth_client_does_instead_of_a_key() {
    let simulator = tenant(checkmarx_shop());
    let with = |client: &str, secret: &str| {
        let tool = tool("cx", &simulator).replace(API_KEY, secret);
        Installation::new(&format!(
            "{tool}client_id = \"{client}\"\n[api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n"
        ))
    };
    let installation = with(OAUTH_CLIENT, OAUTH_SECRET);
    installation.secpull(&["check"]).exits(0);
    installation.import("shop").exits(0);
    assert!(!open_ids(&installation).is_empty());

    let refused = with(OAUTH_CLIENT, "another-secret-of-a-client");
    refused.import("shop").exits(1);
    let error = refused.last_run("shop")["error"].to_string();
    assert!(
        error.contains("client_id or its secret is wrong")
            && !error.contains("another-secret-of-a-client"),
        "{error}"
    );
}

#[test]
fn a_key_that_is_refused_is_explained_and_never_shown() {
    let simulator = tenant(checkmarx_shop());
    for (change, word) in [
        ((API_KEY, "eyJub3Q.a2V5.x1"), "make a new one"),
        (
            ("tenant = \"ACME\"", "tenant = \"other\""),
            "this key belongs to https://eu.iam.checkmarx.net/auth/realms/acme",
        ),
    ] {
        let toml = format!(
            "{}\n[api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n",
            tool("cx", &simulator).replace(change.0, change.1)
        );
        let installation = Installation::new(&toml);
        let ran = installation.import("shop").exits(1);
        let error = installation.last_run("shop")["error"].to_string();
        assert!(error.contains(word), "{error}");
        for secret in [API_KEY, "eyJub3Q.a2V5.x1"] {
            assert!(
                !error.contains(secret) && !ran.stderr.contains(secret),
                "{error}"
            );
        }
    }
    assert!(simulator.requests().is_empty());
    let unknown = format!(
        "[tools.cx]\nconnector = \"checkmarx-one\"\nlocation = \"{}\"\ntenant = \"acme\"\nsecret = \"{API_KEY}\"\n\
         [api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n",
        simulator.url()
    );
    let installation = Installation::new(&unknown);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("set `iam_location`"), "{error}");
    assert!(
        simulator.requests().is_empty(),
        "the key went to an unknown host"
    );
}

#[test]
fn a_branch_never_closes_the_findings_of_another() {
    let scan = |branch: &str, day: u32, hashes: &[&str]| {
        let rows: Vec<_> = hashes
            .iter()
            .zip(1..)
            .map(|(hash, line)| sast(hash, "SQL_Injection", "/src/App.java", line))
            .collect();
        Scan::new(branch, day, &["sast"]).with(rows)
    };
    // The two branches have one result in common, and one each.
    let project = Project::new("acme/shop", "main")
        .with(scan("main", 1, &["both", "main"]))
        .with(scan("release/1", 2, &["both", "release"]));
    let id = project.id.clone();
    let simulator = tenant(vec![project]);
    let installation = installation(&simulator, "branches = \"all\"");
    installation.import("shop").exits(0);
    let all = [
        "main sast:both",
        "main sast:main",
        "release/1 sast:both",
        "release/1 sast:release",
    ];
    assert_eq!(open_ids(&installation), all);
    // Scans in turn, each newest of all for a while.
    for (branch, day, hashes) in [
        ("main", 3, ["both", "main"]),
        ("release/1", 4, ["both", "release"]),
        ("main", 5, ["both", "main"]),
    ] {
        simulator.tenant().change(&id, |project| {
            project.scans.push(scan(branch, day, &hashes))
        });
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        includes(
            &run,
            &json!({"status": "complete", "new": 0, "resolved": 0, "reopened": 0}),
        );
        assert_eq!(open_ids(&installation), all);
    }
    // A fix on one branch closes nothing on the other.
    simulator.tenant().change(&id, |project| {
        project.scans.push(scan("main", 6, &["main"]))
    });
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), [all[1], all[2], all[3]]);
    // A branch that has failed scans only, or is no longer scanned at all, keeps what it had.
    simulator.tenant().change(&id, |project| {
        project.scans.retain(|scan| scan.branch != "release/1");
        project
            .scans
            .push(Scan::new("main", 9, &["sast"]).status("Failed"));
    });
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), [all[1], all[2], all[3]]);
}

#[test]
fn a_pinned_branch_is_read_alone_and_a_label_beside_all_branches_is_a_mistake() {
    let simulator = tenant(checkmarx_shop());
    let pinned = installation(
        &simulator,
        "project_key = \"acme/shop\"\nscan_branch = \"release/1\"",
    );
    pinned.import("shop").exits(0);
    assert_eq!(
        open_ids(&pinned),
        ["release/1 sast:vu/B9/LA3CAJTW+YXs3WsnzYc14="]
    );
    let mistaken = installation(
        &simulator,
        "branches = \"all\"\nautomatic_import = { branch = \"main\" }",
    );
    let ran = mistaken.secpull(&["check", "--offline"]).exits(2);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("branches reads several branches"),
        "{ran:#?}"
    );
}

#[test]
fn a_project_without_a_main_branch_and_with_several_is_not_guessed() {
    let scan = |branch: &str| {
        let rows = vec![sast(branch, "SSRF", "/a", 1)];
        Scan::new(branch, 1, &["sast"]).with(rows)
    };
    let project = Project::new("acme/shop", "")
        .with(scan("a"))
        .with(scan("b"));
    let id = project.id.clone();
    let simulator = tenant(vec![project]);
    let installation = installation(&simulator, &format!("project_key = \"{id}\""));
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("scan_branch"), "{error}");
    simulator.tenant().change(&id, |project| {
        project.scans.retain(|scan| scan.branch == "a")
    });
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["a sast:a"]);
}

#[test]
fn what_an_engine_has_found_is_gone_only_when_that_engine_has_looked_again() {
    let row = |hash: &str| sast(hash, "SSRF", "/src/App.java", 1);
    let secret = json!({"type": "sscs-secret-detection", "id": "1", "similarityId": "s", "status": "NEW",
        "state": "TO_VERIFY", "severity": "HIGH", "data": {"ruleName": "Key", "fileName": "/a", "line": 1}});
    let both =
        Scan::new("main", 1, &["sast", "microengines"]).with(vec![row("a"), row("b"), secret]);
    let project = Project::new("acme/shop", "main").with(both);
    let id = project.id.clone();
    let simulator = tenant(vec![project]);
    let installation = installation(&simulator, "");
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 3);

    let push = |scan: Scan| {
        simulator
            .tenant()
            .change(&id, |project| project.scans.push(scan))
    };
    push(Scan::new("main", 2, &["sast"]).with(vec![row("a")]));
    installation.import("shop").exits(0);
    assert_eq!(
        open_ids(&installation),
        ["main sast:a", "main sscs-secret-detection:s"],
        "SAST has looked again, and the search for secrets has not"
    );
    // Even when the only scan with secrets is deleted.
    simulator
        .tenant()
        .change(&id, |project| project.scans.remove(0));
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 2);
    push(Scan::new("main", 3, &["microengines"]).with(Vec::new()));
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["main sast:a"]);
}

#[test]
fn a_scan_behind_fifty_others_is_found_by_its_engine() {
    let mut project = Project::new("acme/shop", "main")
        .with(Scan::new("main", 1, &["kics"]).with(vec![json!({"type": "kics", "id": "1", "similarityId": "k",
            "status": "NEW", "state": "TO_VERIFY", "severity": "LOW", "data": {"queryName": "q", "fileName": "/f"}})]));
    for number in 0..60 {
        let mut scan = Scan::new("main", 2, &["sast"]).with(Vec::new());
        scan.created_at = format!("2026-11-02T06:{number:02}:00Z");
        scan.id = format!("scan-{number}");
        project.scans.push(scan);
    }
    let simulator = tenant(vec![project]);
    let installation = installation(&simulator, "");
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation), ["main kics:k"]);
}

#[test]
fn a_scope_that_is_read_whole_resolves_and_a_partial_one_does_not() {
    let project = |count| {
        Project::new("acme/shop", "main")
            .with(Scan::new("main", 1, &["sast"]).with(Results::many(count, 5)))
    };
    let id = project(0).id;
    let simulator = tenant(vec![project(45)]);
    let installation = Installation::new(&format!(
        "{}page_size = 20\n[api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n",
        tool("cx", &simulator)
    ));
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 45);
    simulator.tenant().change(&id, |one| *one = project(40));
    simulator.inflict_as(Plan::new(Misfortune::ServerErrorOnPage(1)));
    installation.import("shop").exits(1);
    assert_eq!(installation.last_run("shop")["status"], "partial");
    assert_eq!(open_ids(&installation).len(), 45);
    simulator.calm();
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 40);
}

#[test]
fn a_tenant_that_counts_items_in_results_is_read_all_the_same() {
    let project = Project::new("acme/shop", "main")
        .with(Scan::new("main", 1, &["sast"]).with(Results::many(45, 5)));
    let simulator = CheckmarxOne::new().projects([project]).counts_items();
    let simulator = simulator.start_blocking().unwrap();
    let installation = Installation::new(&format!(
        "{}page_size = 20\n[api_configurations.shop]\ntool = \"cx\"\nproduct = \"Shop\"\n",
        tool("cx", &simulator)
    ));
    installation.import("shop").exits(0);
    assert_eq!(open_ids(&installation).len(), 45);
}

#[test]
fn checkmarx_one_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "Checkmarx One",
        secret: API_KEY,
        start: &|name| {
            let project = Project::new("acme/shop", "main")
                .with(Scan::new("main", 1, &["sast"]).with(Results::many(60, 5)));
            let simulator = tenant(vec![project]);
            let toml = format!(
                "{}page_size = 20\n{IMPATIENT}[api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n\
                 project_key = \"acme/shop\"\n",
                tool(name, &simulator)
            );
            (simulator, toml)
        },
    });
}
