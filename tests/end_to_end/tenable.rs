//! Tenable through the real binary: every field, the whole history, jobs that come to no good end.

use std::fs;

use secpull_simulators::tenable::{
    ACCESS_KEY, Fate, SECRET_KEY, Simulator, Tenable, World, finding, shop,
};
use serde_json::{Value, json};

use super::misfortunes::{Case, IMPATIENT, through_all};
use super::support::{Installation, wait_for};

const PLANT: &str = "42475f11-5e6b-4d6a-a53d-63fe494961df";

fn tool(name: &str, tenant: &Simulator) -> String {
    format!(
        "[tools.{name}]\nconnector = \"tenable\"\nlocation = \"{}\"\naccess_key = \"{ACCESS_KEY}\"\n\
         secret = \"{SECRET_KEY}\"\nproxy = \"none\"\n",
        tenant.url()
    )
}

fn plant(settings: &str) -> String {
    format!("[api_configurations.plant]\ntool = \"tenable\"\nproduct = \"Plant\"\n{settings}\n")
}

fn installation(tenant: &Simulator, settings: &str) -> Installation {
    Installation::new(&format!("{}{}", tool("tenable", tenant), plant(settings)))
}

/// So many findings, each on an asset of its own.
fn assets(numbers: impl IntoIterator<Item = u64>) -> Vec<Value> {
    let one = |number| finding(&format!("host-{number}"), 1000 + number, 443, "TCP");
    numbers.into_iter().map(one).collect()
}

/// A tenant with so many assets, some a chunk.
fn chunked(count: u64, per_chunk: usize) -> Tenable {
    Tenable::new().with(|world| {
        world.findings = assets(0..count);
        world.assets_per_chunk = Some(per_chunk);
    })
}

fn id(asset: &str, rest: &str) -> String {
    format!("{}:{rest}", World::asset(asset))
}

fn all(installation: &Installation) -> Vec<Value> {
    installation
        .secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"])
        .exits(0)
        .lines()
}

/// The finding with a sighting of this id.
#[track_caller]
fn of_source(installation: &Installation, id: &str) -> Value {
    let has = |finding: &&Value| {
        let mut sightings = finding["sightings"].as_array().unwrap().iter();
        sightings.any(|sighting| sighting["source_id"] == id)
    };
    let findings = all(installation);
    let found = findings.iter().find(has);
    found
        .unwrap_or_else(|| panic!("no {id} in {findings:#?}"))
        .clone()
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

fn with_status(installation: &Installation, status: &str) -> usize {
    let findings = installation.findings();
    findings.iter().filter(|f| f["status"] == status).count()
}

#[test]
fn every_field_of_every_finding_arrives() {
    let tenant = shop().start_blocking().unwrap();
    let installation = installation(&tenant, "");
    installation.import("plant").exits(0);
    let run = installation.last_run("plant");
    // Eleven are there; the fixed one was never seen open.
    includes(
        &run,
        &json!({"status": "complete", "new": 11, "unreadable": 0}),
    );
    includes(
        &of_source(&installation, &id("db.example", "156641:445:TCP")),
        &json!({
            "kind": "host", "product": "Plant", "title": "Security Updates for the file service", "severity": "high",
            "status": "open", "vulnerability_id": "CVE-2022-21837", "aliases": ["CVE-2022-21840"], "cwes": [20, 787],
            "description": "An attacker can run commands.\n\nUpdates are missing.\n\n### Output\n\n```\n  KB : 5002113\n  Remote version : 16.0.4342\n```",
            "recommendation": "Install KB5002113.",
            "cvss3_score": 8.8, "cvss3_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
            "cvss4_score": 6.9, "cvss4_vector": "CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:H",
            "epss_score": 0.10647,
            "component": {"cpe": "cpe:/a:example:file_service"},
            "host": {"name": "db.example", "ip": "192.0.2.20", "port": 445, "protocol": "tcp"},
            "references": ["https://example.com/kb/5002113", "https://example.com/more"],
            "tags": ["family:Windows : Microsoft Bulletins", "source:NESSUS", "kev"],
            "sightings": [{
                "connector": "tenable", "record": "All assets", "source_severity": "high", "source_status": "OPEN",
                "found_at": "2026-09-01T06:00:00.123Z", "source_updated_at": "2026-10-20T06:10:00.123456Z",
                "raw": {"finding_id": "02716af9-1adb-4057-b4d5-dcb0c36b290c", "plugin": {"vpr": {"score": 6.7}}},
            }],
        }),
    );
    for (asset, rest, expected) in [
        (
            "db.example",
            "156641:445:UDP",
            json!({"host": {"port": 445, "protocol": "udp"}}),
        ),
        (
            "db.example",
            "156641:139:TCP",
            json!({"host": {"port": 139, "protocol": "tcp"}}),
        ),
        (
            "db.example",
            "20007:1433:TCP",
            json!({"severity": "critical", "status": "open", "tags": ["family:General", "source:NESSUS", "recast"],
                "sightings": [{"source_status": "REOPENED"}]}),
        ),
        (
            "db.example",
            "57582:1433:TCP",
            json!({"severity": "medium", "status": "risk_accepted", "tags": ["family:General", "source:NESSUS", "accepted"]}),
        ),
        (
            "db.example",
            "11219:0:ICMP",
            json!({"title": "Client < 2.0 & others \"seen\"", "severity": "info", "recommendation": null,
                "cvss3_score": null, "host": {"port": null, "protocol": "icmp"}, "tags": ["source:NNM"],
                "references": ["https://example.com/one", "https://example.com/two"],
                "sightings": [{"source_updated_at": "2026-10-20T06:00:00.123Z"}]}),
        ),
        (
            "plc",
            "500001:502:TCP",
            json!({"host": {"name": "198.51.100.7", "ip": "198.51.100.7", "port": 502}, "tags": ["family:General", "source:OT"],
                "sightings": [{"found_at": "2024-01-02T03:04:05Z", "source_updated_at": "2024-10-20T06:10:00Z"}]}),
        ),
        (
            "plc",
            "500002:502:TCP",
            json!({"severity": "high", "status": "open",
                "sightings": [{"source_severity": "severe", "source_status": "DORMANT"}]}),
        ),
        (
            "spare",
            "500001:502:TCP",
            json!({"host": {"name": "SPARE", "ip": "2001:db8::99"}}),
        ),
        (
            "office",
            "190500:0:TCP",
            json!({"title": "vim < 9.1", "vulnerability_id": "CVE-2026-1111", "description": null, "recommendation": null,
                "epss_score": null, "host": {"name": "office-17", "ip": "192.0.2.117", "port": null},
                "component": {"name": "vim", "version": "9.0", "purl": "pkg:deb/debian/vim@9.0", "fixed_version": "9.1"}}),
        ),
        (
            "guest",
            "19506:0:TCP",
            json!({"host": {"name": "203.0.113.9", "ip": "203.0.113.9"},
                "tags": ["family:General", "source:NESSUS", "untracked"]}),
        ),
    ] {
        includes(&of_source(&installation, &id(asset, rest)), &expected);
    }

    installation.import("plant").exits(0);
    includes(
        &installation.last_run("plant"),
        &json!({"status": "complete", "new": 0, "updated": 0, "unchanged": 11, "resolved": 0}),
    );
}

#[test]
fn web_findings_arrive_too() {
    let tenant = shop().start_blocking().unwrap();
    let installation = installation(&tenant, "source = \"was\"");
    installation.import("plant").exits(0);
    includes(
        &of_source(&installation, "was:044a6c5f-3b1c-5c2d-bc76-36e0072ab19c"),
        &json!({
            "kind": "endpoint", "title": "Cross-Site Scripting (XSS)", "severity": "medium", "status": "open",
            "cwes": [79, 80, 116], "cvss3_score": 6.1, "cvss3_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
            "endpoint": {"url": "https://shop.example.com/search?q=1", "method": "GET", "parameter": "q"},
            "recommendation": "Encode what is put into pages.", "references": ["https://example.com/xss"],
            "sightings": [{"record": "Web applications", "source_severity": "MEDIUM", "found_at": "2026-09-01T16:08:41Z",
                "source_updated_at": "2026-10-20T16:18:41Z"}],
        }),
    );
}

#[test]
fn fixed_findings_and_those_of_deleted_assets_are_resolved_and_come_back_reopened() {
    let tenant = shop().start_blocking().unwrap();
    let installation = installation(&tenant, "");
    installation.import("plant").exits(0);
    tenant.change(|world| {
        world.change_plugin(20_007, |row| {
            row["state"] = json!("FIXED");
            row["last_fixed"] = json!("2026-10-21T06:00:00Z");
        });
        world.delete_asset(&World::asset("plc"));
    });
    installation.import("plant").exits(0);
    includes(
        &installation.last_run("plant"),
        &json!({"status": "complete", "resolved": 3}),
    );
    let status = |asset, rest| of_source(&installation, &id(asset, rest))["status"].clone();
    assert_eq!(status("db.example", "20007:1433:TCP"), "resolved");
    assert_eq!(status("plc", "500001:502:TCP"), "resolved");
    assert_eq!(status("spare", "500001:502:TCP"), "open");

    tenant.change(|world| {
        world.change_plugin(20_007, |row| row["state"] = json!("REOPENED"));
        world.change_plugin(156_641, |row| {
            row["severity_modification_type"] = json!("ACCEPTED");
        });
    });
    installation.import("plant").exits(0);
    includes(&installation.last_run("plant"), &json!({"reopened": 1}));
    assert_eq!(status("db.example", "20007:1433:TCP"), "open");
    assert_eq!(status("db.example", "156641:445:TCP"), "risk_accepted");
}

#[test]
fn exports_that_lack_something_resolve_nothing() {
    let tenant = chunked(4, 1).start_blocking().unwrap();
    let installation = installation(&tenant, "");
    installation.import("plant").exits(0);
    assert_eq!(with_status(&installation, "open"), 4);
    for (fates, words) in [
        (
            vec![Fate::FailedChunk(1), Fate::FailedChunk(1)],
            "1 of 4 chunks failed",
        ),
        (vec![Fate::Error, Fate::Error], "failed to export"),
        (vec![Fate::Cancelled], "cancelled"),
        (vec![Fate::OneChunkShort], "5 chunks by its own count"),
        (vec![Fate::Expired, Fate::Expired], "expired"),
        (vec![Fate::EmptyBody(2, 9)], "chunk 4 could not be read"),
        (vec![Fate::LostChunk(2)], "chunk 4 could not be read"),
    ] {
        // One is gone, and may not be taken for gone yet.
        tenant.change(|world| {
            world.findings = assets(1..4);
            world.findings.push(finding("new", 77, 1, "TCP"));
            world.fates = fates.iter().cloned().collect();
        });
        installation.import("plant").exits(1);
        let run = installation.last_run("plant");
        assert_eq!(run["resolved"], 0, "{run}");
        assert_ne!(run["status"], "complete", "{run}");
        assert!(run["error"].as_str().unwrap().contains(words), "{run}");
    }
    // What could be read was kept.
    assert_eq!(with_status(&installation, "open"), 5);
    installation.import("plant").exits(0);
    assert_eq!(installation.last_run("plant")["resolved"], 1);
}

#[test]
fn a_changed_choice_resolves_nothing() {
    let tenant = shop().start_blocking().unwrap();
    let installation = installation(&tenant, "");
    installation.import("plant").exits(0);
    let open = with_status(&installation, "open");
    for (settings, read) in [
        ("severities = [\"critical\"]".to_owned(), 11),
        ("plugin_families = [\"Local\"]".to_owned(), 11),
        (format!("network_id = \"{PLANT}\""), 11),
        (
            "tags = { Environment = [\"Production\", \"Office\"] }".to_owned(),
            11,
        ),
        ("include_unlicensed = false".to_owned(), 11),
    ] {
        installation.configure(&format!("{}{}", tool("tenable", &tenant), plant(&settings)));
        installation.import("plant").exits(0);
        includes(
            &installation.last_run("plant"),
            &json!({"status": "complete", "resolved": 0}),
        );
        assert_eq!(with_status(&installation, "open"), open, "{settings}");
        assert_eq!(installation.findings().len(), read, "{settings}");
    }
    let filters = tenant.jobs()[4].body["filters"].clone();
    assert_eq!(filters["tag.Environment"], json!(["Office", "Production"]));

    installation.configure(&format!(
        "{}{}",
        tool("tenable", &tenant),
        plant("since_days = 30")
    ));
    tenant.change(|world| world.findings.clear());
    installation.import("plant").exits(1);
    let run = installation.last_run("plant");
    assert!(
        run["error"].as_str().unwrap().contains("since_days = 30"),
        "{run}"
    );
    assert_eq!(with_status(&installation, "open"), open);
}

#[test]
fn an_export_without_findings_is_warned_about_and_held() {
    let tenant = chunked(30, 50).start_blocking().unwrap();
    let installation = installation(&tenant, "");
    installation.import("plant").exits(0);
    tenant.change(|world| world.findings.clear());
    let ran = installation.import("plant").exits(1);
    assert!(ran.stderr.contains("Can View"), "{ran:#?}");
    assert_eq!(installation.last_run("plant")["status"], "held");
    assert_eq!(with_status(&installation, "open"), 30);
}

#[test]
fn an_import_that_runs_out_of_time_cancels_its_job() {
    let tenant = chunked(2, 1).with(|world| world.fates = [Fate::Stuck].into());
    let tenant = tenant.start_blocking().unwrap();
    let installation = installation(&tenant, "timeout = \"2s\"");
    let daemon = installation.daemon();
    installation.secpull(&["run", "plant"]).exits(1);
    wait_for("the end of the job", || {
        (tenant.jobs()[0].status == "CANCELLED").then_some(())
    });
    // Its place is free again.
    installation.secpull(&["run", "plant"]).exits(0);
    drop(daemon);
    assert_eq!(with_status(&installation, "open"), 2);
}

#[test]
fn api_configurations_of_one_tool_share_the_places_for_exports() {
    let tenant = shop()
        .with(|world| world.looks = 2)
        .start_blocking()
        .unwrap();
    let mut toml = tool("tenable", &tenant);
    for (name, tag) in [("one", "Production"), ("two", "Office"), ("three", "Attic")] {
        toml.push_str(&format!(
            "[api_configurations.{name}]\ntool = \"tenable\"\nproduct = \"{name}\"\n\
             tags = {{ Environment = [\"{tag}\"] }}\n"
        ));
    }
    let installation = Installation::new(&toml);
    let daemon = installation.daemon();
    installation.secpull(&["run", "--all"]).exits(0);
    drop(daemon);
    assert_eq!((tenant.jobs().len(), tenant.most_at_once()), (3, 2));
    assert!(
        tenant
            .requests()
            .iter()
            .all(|request| request.status != Some(429))
    );
}

#[test]
fn check_and_discover_tell_what_the_keys_may() {
    let tenant = shop().start_blocking().unwrap();
    let installation = installation(&tenant, "tags = { Environment = [\"Office\"] }");
    let checked = installation.secpull(&["check"]).exits(0).stdout;
    assert!(
        checked.contains("keys accepted, exports allowed"),
        "{checked}"
    );
    let records = installation
        .secpull(&["discover", "tenable", "--format", "jsonl"])
        .exits(0)
        .lines();
    let imported: Vec<_> = records.iter().filter(|r| r["imported"] == true).collect();
    assert_eq!((records.len(), imported.len()), (6, 1));
    assert_eq!(imported[0]["id"], "tag:Environment=Office");

    tenant.change(|world| world.may_export = false);
    let checked = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("privilege to export"), "{said}");

    let text = fs::read_to_string(installation.path("secpull.toml")).unwrap();
    let other = text.replace(SECRET_KEY, "0123456789abcdef");
    installation.write("secpull.toml", &other);
    let checked = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(
        said.contains("newest pair") && !said.contains("0123456789abcdef"),
        "{said}"
    );

    let lone = text.replace("access_key =", "# access_key =");
    let web = text.replace(
        "tags =",
        "source = \"was\"\ncidr_range = \"10.0.0.0\"\ntags =",
    );
    for (toml, words) in [
        (lone, &["tools.tenable.secret: is one key alone"][..]),
        (
            web,
            &[
                "plant.cidr_range: is not known to Web App Scanning",
                "plant.cidr_range: is no range of addresses",
                "plant.tags: is not known to Web App Scanning",
            ],
        ),
    ] {
        installation.write("secpull.toml", &toml);
        let said = installation
            .secpull(&["check", "--offline"])
            .exits(2)
            .stderr;
        assert!(words.iter().all(|words| said.contains(words)), "{said}");
        assert!(!said.contains(SECRET_KEY), "{said}");
    }
}

#[test]
fn tenable_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "Tenable",
        secret: SECRET_KEY,
        start: &|name| {
            let tenant = chunked(60, 30).start_blocking().unwrap();
            let toml = format!(
                "{}{IMPATIENT}[api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n",
                tool(name, &tenant)
            );
            (tenant, toml)
        },
    });
}

#[test]
fn twenty_thousand_findings_need_little_memory() {
    let tenant = Tenable::new().many(20_000).start_blocking().unwrap();
    let installation = installation(&tenant, "");
    let peak = installation.peak_memory_of_import("plant");
    assert_eq!(installation.last_run("plant")["new"], 20_000);
    assert_eq!(tenant.jobs()[0].downloads.len(), 1, "all in one chunk");
    assert!((1..96 << 10).contains(&peak), "{peak} KiB");
}
