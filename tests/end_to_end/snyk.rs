//! Snyk through the real binary: links, projects, statuses, every field.

use std::time::Duration;

use secpull_simulators::misfortune::{Misfortune, Plan};
use secpull_simulators::scenario::{SNYK_CODE, SNYK_INACTIVE, SNYK_PACKAGES, snyk_shop};
use secpull_simulators::snyk::{
    ACCESS_TOKEN, API_KEY, ORGANIZATION_KEY, Organization, Project, Quirk, REQUEST_ID, Simulator,
    Spelling, World,
};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::Installation;
use super::support::snyk::{serving, tool};

const LODASH: &str = "73832c6c-19ff-4a92-850c-2e1ff2800c16";

fn numbered(number: u32) -> String {
    format!("0a5b8f6e-0000-4000-8000-{number:012}")
}

fn installation(simulator: &Simulator, settings: &str) -> Installation {
    Installation::new(&configured(simulator, settings))
}

fn configured(simulator: &Simulator, settings: &str) -> String {
    format!(
        "{}\n[api_configurations.shop]\ntool = \"snyk\"\nproduct = \"Shop\"\n{settings}\n",
        tool("snyk", simulator)
    )
}

const ACME: &str = "organization = \"acme\"";

/// An organization with one project and so many generated issues.
fn generated(count: u64) -> World {
    let organization = Organization::new("acme").with(Project::new(SNYK_PACKAGES, "npm", "main"));
    World::of([organization.many(count)])
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

fn ids_of_status(installation: &Installation, status: &str) -> Vec<String> {
    let mut ids: Vec<_> = installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .filter(|sighting| sighting["status"] == status)
        .map(|sighting| sighting["source_id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn open(installation: &Installation) -> usize {
    ids_of_status(installation, "open").len()
}

#[track_caller]
fn warnings(ran: &super::support::Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn every_field_of_every_type_of_issue_is_imported() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"status": "complete", "new": 10, "unreadable": 0}),
    );
    let findings = installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines();
    let lodash = of_source(&findings, LODASH);
    includes(
        lodash,
        &json!({
            "product": "Shop", "branch": "main", "kind": "component", "title": "Command Injection", "severity": "high",
            "status": "open",
            "description": "## Overview\nTemplates of *lodash* run what they are given.\n\nAlso at:\n\n* lodash@3.0.0 (resolved)\n* lodash@4.17.15",
            "recommendation": "Upgrade lodash to 4.17.21 or higher.",
            "vulnerability_id": "CVE-2021-23337", "aliases": ["SNYK-JS-LODASH-1040724", "GHSA-35jh-r3h4-6jhm"], "cwes": [78, 94],
            "cvss3_score": 7.2, "cvss3_vector": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
            "cvss4_score": 8.6, "cvss4_vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "epss_score": null,
            "component": {"name": "lodash", "version": "4.17.20", "purl": "pkg:npm/lodash@4.17.20", "fixed_version": "4.17.21, 5.0.0"},
            "image": null,
            "references": ["https://nvd.nist.gov/vuln/detail/CVE-2021-23337", "https://cwe.mitre.org/data/definitions/94.html",
                "https://security.snyk.io/vuln/SNYK-JS-LODASH-1040724"],
            "tags": ["package_vulnerability", "snyk://npm-deps", "reachability:function", "exploit:attacked", "risk-score:514",
                "A1:2021 – Injection", "team:blue", "pci:yes"],
            "sightings": [{
                "connector": "snyk", "record": SNYK_PACKAGES, "source_id": LODASH, "source_severity": "high", "source_status": "open",
                "found_at": "2026-04-17T01:26:56.550Z", "source_updated_at": "2026-05-02T10:00:00.120Z",
            }],
        }),
    );
    let raw = &lodash["sightings"][0]["raw"];
    assert_eq!(raw["attributes"]["key"], "SNYK-JS-LODASH-1040724");
    assert_eq!(raw["relationships"]["test_executions"], Value::Null);
    includes(
        of_source(&findings, &numbered(2)),
        &json!({
            "status": "risk_accepted", "severity": "medium", "vulnerability_id": "npm:minimist:20200101",
            "component": {"name": "@acme/minimist", "purl": "pkg:npm/%40acme/minimist@1.2.0"},
            "tags": ["package_vulnerability", "ignored", "reachability:no-info", "team:blue", "pci:yes"],
            "sightings": [{"source_status": "open"}],
        }),
    );
    includes(
        of_source(&findings, &numbered(3)),
        &json!({"kind": "component", "severity": "low", "vulnerability_id": null, "aliases": [], "component": {"name": "copyleft"}}),
    );
    includes(
        of_source(&findings, &numbered(5)),
        &json!({
            "kind": "code", "cwes": [89], "source_location": {"file": "src/db.js", "line_start": 12, "line_end": 14},
            "tags": ["code", "snyk://code", "Regel–für–Daten"], "branch": "main", "sightings": [{"record": SNYK_CODE}],
        }),
    );
    includes(
        of_source(&findings, &numbered(6)),
        &json!({"kind": "secret", "severity": "critical", "source_location": {"file": "deploy.sh", "line_start": null}}),
    );
    includes(
        of_source(&findings, &numbered(7)),
        &json!({
            "kind": "other", "severity": "info", "branch": null, "description": "The bucket shop-data has no encryption.",
            "recommendation": "Set `server_side_encryption_configuration`.",
            "tags": ["config", "resource > aws_s3_bucket[shop-data]"], "references": [],
        }),
    );
    includes(
        of_source(&findings, &numbered(8)),
        &json!({
            "kind": "component", "severity": "critical", "vulnerability_id": "CVE-2023-5363", "cvss3_score": 7.5, "branch": null,
            "component": {"name": "openssl/libssl3", "version": "3.0.11-1~deb12u1", "purl": null},
            "image": {"name": "registry.example.com/shop/web", "tag": "1.2"},
        }),
    );
    includes(
        of_source(&findings, &numbered(9)),
        &json!({"kubernetes": {"namespace": "shop", "kind": "deployment.apps", "name": "web"}}),
    );
    includes(
        of_source(&findings, &numbered(10)),
        &json!({
            "vulnerability_id": "GHSA-0000-0000-0001", "branch": "main", "sightings": [{"record": "acme/new:go.mod"}],
            "component": {"purl": "pkg:golang/golang.org/x/net@0.17.0"},
        }),
    );
    includes(
        of_source(&findings, &numbered(12)),
        &json!({
            "kind": "cloud", "sightings": [{"record": "production"}],
            "cloud": {"provider": "aws", "account": "123456789012", "region": "eu-central-1", "resource_type": "aws_security_group",
                "resource_id": "arn:aws:ec2:eu-central-1:123456789012:security-group/sg-1"},
        }),
    );
}

#[test]
fn requests_are_as_the_api_wants_them() {
    let simulator = serving(generated(250));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let requests = simulator.requests();
    assert!(
        requests.iter().all(|request| {
            request.credential
                && !request.credential_in_url
                && request.status == Some(200)
                && request.parameter("version") == Some("2024-10-15")
                && request.headers.get("accept").map(String::as_str)
                    == Some("application/vnd.api+json")
        }),
        "{requests:#?}"
    );
    let issues: Vec<_> = requests
        .iter()
        .filter(|one| one.path.ends_with("/issues"))
        .collect();
    assert_eq!(issues.len(), 3);
    assert!(issues.iter().all(
        |one| one.parameter("limit") == Some("100") && one.parameter("status") == Some("open")
    ));
    assert_eq!(issues[0].parameter("starting_after"), None);
    assert_eq!(requests[0].parameter("slug"), Some("acme"));
    // A UUID needs no looking up.
    let id = simulator
        .customer()
        .change(|world| world.organization("acme").id.clone());
    simulator.forget_requests();
    let by_id = self::installation(&simulator, &format!("organization = \"{id}\""));
    by_id.import("shop").exits(0);
    assert!(
        simulator
            .requests()
            .iter()
            .all(|one| one.path != "/rest/orgs")
    );
}

#[test]
fn links_are_followed_in_every_spelling_and_over_empty_pages() {
    for spelling in Spelling::ALL {
        let mut world = generated(250);
        world.spelling = spelling;
        let simulator = serving(world);
        let installation = installation(&simulator, ACME);
        installation.import("shop").exits(0);
        assert_eq!(open(&installation), 250, "{spelling:?}");
    }
    for quirk in [Quirk::EmptyPages, Quirk::EmptyCircle] {
        let mut world = generated(250);
        world.quirk = Some(quirk.clone());
        let simulator = serving(world);
        let installation = installation(&simulator, ACME);
        installation.import("shop").exits(0);
        let run = installation.last_run("shop");
        includes(&run, &json!({"status": "complete", "new": 250}));
    }
}

#[test]
fn a_link_to_another_host_is_not_followed() {
    let stranger = serving(generated(0));
    let mut world = generated(150);
    world.quirk = Some(Quirk::LeadsTo(stranger.url().to_owned()));
    let simulator = serving(world);
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    let error = run["error"].to_string();
    assert!(
        error.contains("another host") && error.contains(stranger.url()),
        "{error}"
    );
    assert_eq!(stranger.request_count(), 0, "the key went elsewhere");
}

#[test]
fn a_list_that_goes_in_a_circle_ends_and_resolves_nothing() {
    let simulator = serving(generated(150));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    for quirk in [Quirk::CircleAtTheEnd, Quirk::Endless] {
        simulator.customer().change(|world| {
            *world = generated(140);
            world.quirk = Some(quirk.clone());
        });
        installation.import("shop").exits(1);
        let run = installation.last_run("shop");
        includes(&run, &json!({"status": "partial", "resolved": 0}));
        let error = run["error"].to_string();
        assert!(
            error.contains("circle") || error.contains("come to an end"),
            "{error}"
        );
        assert_eq!(open(&installation), 150);
    }
    simulator.customer().change(|world| *world = generated(140));
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 140);
}

#[test]
fn statuses_follow_snyk_and_ids_stay_through_all_of_it() {
    let simulator = serving(snyk_shop());
    let installation = installation(
        &simulator,
        "organization = \"acme\"\nstatuses = [\"open\", \"resolved\"]",
    );
    installation.import("shop").exits(0);
    // What was never seen open is not stored.
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        Vec::<String>::new()
    );
    let set = |status: &str, ignored: bool| {
        simulator.customer().change(|world| {
            world.organization("acme").change(LODASH, |issue| {
                issue["attributes"]["status"] = json!(status);
                issue["attributes"]["ignored"] = json!(ignored);
            });
        });
        installation.import("shop").exits(0);
        let findings = installation.findings();
        of_source(&findings, LODASH)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(set("open", true), "risk_accepted");
    assert_eq!(set("open", false), "open");
    assert_eq!(set("resolved", true), "resolved");
    assert_eq!(set("open", false), "open");
    let ran = {
        simulator.customer().change(|world| {
            let change = |issue: &mut Value| issue["attributes"]["status"] = json!("paused");
            world.organization("acme").change(LODASH, change);
        });
        installation.import("shop").exits(0)
    };
    assert_eq!(
        of_source(&installation.findings(), LODASH)["status"],
        "open"
    );
    assert!(warnings(&ran).contains("paused"), "{ran:#?}");
}

#[test]
fn an_unchanged_import_writes_nothing_though_every_test_has_another_id() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    simulator.customer().change(|world| {
        for issue in &mut world.organization("acme").issues {
            issue["relationships"]["test_executions"]["data"][0]["id"] =
                json!("00000000-0000-4000-8000-000000000002");
        }
    });
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(
        &run,
        &json!({"new": 0, "updated": 0, "unchanged": 10, "resolved": 0}),
    );
}

#[test]
fn what_is_mended_is_resolved_and_the_issues_of_an_inactive_project_stay() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    let ran = installation.import("shop").exits(0);
    assert!(warnings(&ran).contains(SNYK_INACTIVE), "{ran:#?}");
    let remove = |id: &str| {
        let id = id.to_owned();
        simulator.customer().change(move |world| {
            world
                .organization("acme")
                .issues
                .retain(|issue| issue["id"] != *id);
        });
    };
    remove(&numbered(3));
    installation.import("shop").exits(0);
    assert_eq!(ids_of_status(&installation, "resolved"), [numbered(3)]);

    let status = |status: &str| {
        let status = status.to_owned();
        simulator.customer().change(move |world| {
            world.organization("acme").projects[1].status = status;
        });
    };
    status("inactive");
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "resolved": 0}),
    );
    // Active again, and one of its two issues was mended meanwhile.
    status("active");
    remove(&numbered(6));
    installation.import("shop").exits(0);
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        [numbered(3), numbered(6)]
    );
}

#[test]
fn a_project_that_is_deactivated_while_issues_are_read_loses_none() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let customer = simulator.customer();
    // The organization, its projects, and then the issues.
    simulator.before_request(3, move || {
        customer
            .change(|world| world.organization("acme").projects[0].status = "inactive".to_owned());
    });
    installation.import("shop").exits(0);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "resolved": 0}),
    );
}

#[test]
fn a_configured_project_is_read_alone_and_its_end_resolves_nothing() {
    let simulator = serving(snyk_shop());
    let id = Project::new(SNYK_PACKAGES, "npm", "main").id;
    let installation = installation(
        &simulator,
        &format!(
            "organization = \"acme\"\nproject_key = \"{}\"",
            id.to_uppercase()
        ),
    );
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 2);
    let issues = simulator.requests();
    let issues = issues
        .iter()
        .find(|one| one.path.ends_with("/issues"))
        .unwrap();
    assert_eq!(issues.parameter("scan_item.id"), Some(id.as_str()));
    assert_eq!(issues.parameter("scan_item.type"), Some("project"));

    let change = |act: fn(&mut Organization)| {
        simulator
            .customer()
            .change(|world| act(world.organization("acme")));
        installation.import("shop")
    };
    let ran = change(|acme| acme.projects[0].status = "inactive".to_owned()).exits(0);
    assert!(warnings(&ran).contains("inactive in Snyk"), "{ran:#?}");
    assert_eq!(open(&installation), 2);
    change(|acme| drop(acme.projects.remove(0))).exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    assert!(error.contains("nothing is concluded"), "{error}");
    assert_eq!(open(&installation), 2);
}

#[test]
fn a_type_that_is_taken_out_of_the_configuration_keeps_what_it_has() {
    let simulator = serving(snyk_shop());
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    let before = installation.findings().len();
    installation.configure(&configured(
        &simulator,
        "organization = \"acme\"\nissue_types = [\"package_vulnerability\"]",
    ));
    simulator.customer().change(|world| {
        let acme = world.organization("acme");
        acme.issues.retain(|issue| issue["id"] != LODASH && issue["attributes"]["type"] != "secrets");
        acme.add(SNYK_CODE, json!({"id": numbered(99), "attributes": {"type": "code", "status": "open", "title": "new"}}));
    });
    installation.import("shop").exits(0);
    // Gone are the vulnerability and the secret: that one is of another type, but no longer listed at all.
    assert_eq!(
        ids_of_status(&installation, "resolved"),
        [numbered(6), LODASH.to_owned()]
    );
    assert_eq!(
        installation.findings().len(),
        before,
        "another type was taken in"
    );
}

#[test]
fn a_group_is_read_with_all_its_organizations_and_one_that_fails_resolves_nothing() {
    let simulator = serving(snyk_shop());
    let group = simulator.customer().change(|world| world.group.clone());
    let installation = installation(&simulator, &format!("group = \"{group}\""));
    installation.import("shop").exits(0);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "complete", "new": 11}));
    let path = format!("/rest/groups/{group}/issues");
    assert!(simulator.requests().iter().any(|one| one.path == path));

    simulator.customer().change(|world| {
        world.organization("acme-labs").is_forbidden = true;
        world.organization("acme").issues.remove(0);
    });
    installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    includes(&run, &json!({"status": "partial", "resolved": 0}));
    let error = run["error"].to_string();
    assert!(
        error.contains("acme-labs") && error.contains("403"),
        "{error}"
    );
    simulator
        .customer()
        .change(|world| world.organization("acme-labs").is_forbidden = false);
    installation.import("shop").exits(0);
    assert_eq!(ids_of_status(&installation, "resolved"), [LODASH]);
}

#[test]
fn a_partial_list_keeps_what_it_read_and_resolves_nothing() {
    let simulator = serving(generated(250));
    let installation = installation(&simulator, ACME);
    installation.import("shop").exits(0);
    simulator.customer().change(|world| *world = generated(240));
    simulator.inflict_as(Plan::new(Misfortune::PermissionLostInTheMiddle).after(1));
    installation.import("shop").exits(1);
    includes(
        &installation.last_run("shop"),
        &json!({"status": "partial", "resolved": 0}),
    );
    assert_eq!(open(&installation), 250);
    simulator.calm();
    installation.import("shop").exits(0);
    assert_eq!(open(&installation), 240);
}

#[test]
fn the_end_of_a_version_is_told_once() {
    let mut world = generated(250);
    world.sunset = Some("2027-01-31".to_owned());
    let simulator = serving(world);
    let installation = installation(&simulator, ACME);
    let ran = installation.import("shop").exits(0);
    let said = warnings(&ran);
    assert!(said.contains("to be served until 2027-01-31"), "{said}");
    assert_eq!(said.matches("2027-01-31").count(), 1, "{said}");
}

#[test]
fn access_tokens_go_with_their_own_word() {
    let simulator = serving(snyk_shop());
    let toml = configured(&simulator, ACME).replace(API_KEY, ACCESS_TOKEN);
    let installation =
        Installation::new(&toml.replace("proxy = ", "auth_scheme = \"bearer\"\nproxy = "));
    installation.import("shop").exits(0);
    installation.configure(&toml);
    installation.import("shop").exits(1);
    let error = installation.last_run("shop")["error"].to_string();
    for word in [
        "401",
        "SNYK-0005",
        "api.eu.snyk.io",
        "auth_scheme",
        REQUEST_ID,
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!error.contains(ACCESS_TOKEN), "{error}");
}

#[test]
fn the_old_api_is_refused_and_the_right_one_named_before_any_request() {
    let simulator = serving(snyk_shop());
    let toml = configured(&simulator, ACME).replace("/rest\"", "/v1\"");
    let installation = Installation::new(&toml);
    let ran = installation.secpull(&["check"]).exits(1);
    let right = format!("set location = \\\"{}\\\"", simulator.rest()).replace("\\\"", "\"");
    assert!(warnings(&ran).contains(&right), "{ran:#?}");
    installation.import("shop").exits(1);
    assert_eq!(simulator.request_count(), 0);
    // Without /rest, and with a slash, it is understood.
    installation.configure(&toml.replace("/v1\"", "/\""));
    installation.import("shop").exits(0);
}

#[test]
fn mistakes_in_the_configuration_are_told() {
    let simulator = serving(snyk_shop());
    for (settings, word) in [
        ("", "organization"),
        (
            "organization = \"acme\"\ngroup = \"4a18d42f-0706-4ad0-b127-24078731fbed\"",
            "keep one of them",
        ),
        ("organization = \"acme\"\nproject_key = \"shop\"", "no UUID"),
        (
            "organization = \"acme\"\nissue_types = [\"sca\"]",
            "package_vulnerability",
        ),
    ] {
        let ran = installation(&simulator, settings)
            .secpull(&["check", "--offline"])
            .exits(2);
        assert!(warnings(&ran).contains(word), "{settings}: {ran:#?}");
    }
}

#[test]
fn check_and_discover_prove_what_can_be_read() {
    let simulator = serving(snyk_shop());
    let group = simulator.customer().change(|world| world.group.clone());
    let installation = installation(&simulator, ACME);
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(
        checked.stdout.contains("service account secpull")
            && checked
                .stdout
                .contains("issues of the organization acme readable"),
        "{checked:#?}"
    );
    let records = installation
        .secpull(&["discover", "snyk", "--format", "jsonl"])
        .exits(0)
        .stdout;
    assert!(
        records.contains(SNYK_PACKAGES) && records.contains("labs/probe"),
        "{records}"
    );

    // Keys of apps may not ask who they are.
    simulator
        .customer()
        .change(|world| world.denies_self = true);
    installation.secpull(&["check"]).exits(0);
    simulator
        .customer()
        .change(|world| world.denies_self = false);

    for (toml, word) in [
        (
            configured(&simulator, "organization = \"nowhere\""),
            "no organization with the slug",
        ),
        (
            configured(&simulator, &format!("group = \"{group}\""))
                .replace(API_KEY, ORGANIZATION_KEY),
            "cannot read a group",
        ),
        (
            configured(&simulator, ACME).replace(API_KEY, "51b01a7e-0000-4000-8000-another0ne00"),
            "401",
        ),
    ] {
        installation.configure(&toml);
        let ran = installation.secpull(&["check"]).exits(1);
        assert!(warnings(&ran).contains(word), "{word}: {ran:#?}");
        assert!(!warnings(&ran).contains("another0ne"), "{ran:#?}");
    }
}

#[test]
fn snyk_is_never_believed_when_it_should_not_be() {
    let simulator = serving(generated(160));
    let installation = Installation::new(&format!(
        "{}{IMPATIENT}[api_configurations.shop]\ntool = \"snyk\"\nproduct = \"Shop\"\n{ACME}\n",
        tool("snyk", &simulator)
    ));
    through_all(&Case {
        name: "Snyk",
        installation: &installation,
        secret: API_KEY,
        inflict: &|misfortune| simulator.inflict(misfortune),
        calm: &|| simulator.calm(),
    });
    assert!(
        simulator.requests_elsewhere().is_empty(),
        "followed to another host"
    );
}

#[test]
fn twenty_thousand_issues_stream() {
    let simulator = serving(generated(20_000));
    let installation = installation(&simulator, ACME);
    let mut child = installation
        .command(&["run", "--standalone", "shop"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(high.unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(ended.success());
    assert_eq!(installation.last_run("shop")["new"], 20_000);
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
