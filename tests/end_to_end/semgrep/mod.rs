//! Semgrep through the real binary: types, refs, pages without a count, secrets by cursor, every field.

mod completeness;
mod fields;
mod misfortunes;
mod views;

use secpull_simulators::misfortune::Misfortune;
use secpull_simulators::scenario::{semgrep_code, semgrep_shop};
use secpull_simulators::semgrep::{API_TOKEN, CI_TOKEN, Project, Simulator};
use serde_json::{Value, json};

use super::support::Installation;
use super::support::semgrep::{deployment, tool};

const SHOP: &str = "project = \"acme/shop\"";

/// One API configuration, `shop`, with these settings.
fn installation(simulator: &Simulator, settings: &str) -> Installation {
    with_tool(simulator, "", settings)
}

/// The same, with more settings of the tool.
fn with_tool(simulator: &Simulator, of_tool: &str, settings: &str) -> Installation {
    Installation::new(&format!(
        "{}{of_tool}\n[api_configurations.shop]\ntool = \"semgrep\"\nproduct = \"Shop\"\n{settings}\n",
        tool("semgrep", simulator)
    ))
}

/// A project with open code findings on `main`, one for each id.
fn with_code(ids: impl IntoIterator<Item = u64>) -> Project {
    Project::new("acme/shop").with("sast", codes(ids))
}

fn codes(ids: impl IntoIterator<Item = u64>) -> Vec<Value> {
    ids.into_iter().map(on_main).collect()
}

fn on_main(id: u64) -> Value {
    let line = u32::try_from(id).unwrap();
    semgrep_code(id, "python.sqli", "src/db.py", line)
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

/// The open sightings, each with the branch that it is filed under.
fn open_ids(installation: &Installation) -> Vec<String> {
    let mut ids = Vec::new();
    for finding in installation.findings() {
        let branch = finding["branch"].as_str().unwrap_or("-");
        for sighting in finding["sightings"].as_array().unwrap() {
            if sighting["status"] == "open" {
                let id = sighting["source_id"].as_str().unwrap();
                ids.push(format!("{branch} {id}"));
            }
        }
    }
    ids.sort();
    ids
}

#[test]
fn the_token_goes_along_in_a_header_and_requests_ask_for_all_there_is() {
    let simulator = deployment(semgrep_shop());
    let installation = installation(&simulator, SHOP);
    installation.import("shop").exits(0);
    let requests = simulator.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.credential && !request.credential_in_url)
    );
    let to = |part: &str| {
        let all = requests.iter();
        let all = all.filter(|request| request.path.ends_with(part));
        all.collect::<Vec<_>>()
    };
    assert_eq!(to("/projects/acme%2Fshop").len(), 1);
    // Each type up to an empty page.
    let findings = to("/deployments/acme-prod/findings");
    let asked: Vec<_> = findings
        .iter()
        .map(|request| ["issue_type", "page"].map(|name| request.parameter(name).unwrap()))
        .collect();
    assert_eq!(
        asked,
        [["sast", "0"], ["sast", "1"], ["sca", "0"], ["sca", "1"]]
    );
    for request in findings {
        assert_eq!(request.parameter("page_size"), Some("3000"));
        assert_eq!(request.parameter("dedup"), Some("true"));
        assert_eq!(request.parameter("repos"), Some("acme/shop"));
        for never in ["status", "since", "ref"] {
            assert_eq!(request.parameter(never), None);
        }
    }
    let secrets = to("/deployments/20169/secrets");
    assert_eq!(secrets.len(), 1);
    assert_eq!(secrets[0].parameter("repo"), Some("acme/shop"));
    assert_eq!(secrets[0].parameter("status"), None);
}

#[test]
fn a_token_that_is_refused_or_lacks_the_scope_is_explained_and_never_shown() {
    let simulator = deployment(semgrep_shop());
    for (token, words) in [
        (CI_TOKEN, ["404", "lacks the Web API scope"]),
        ("sgp_ThisOneIsWrong00000000000000", ["401", "API token"]),
    ] {
        let toml = format!(
            "{}\n[api_configurations.shop]\ntool = \"semgrep\"\nproduct = \"Shop\"\n",
            tool("semgrep", &simulator).replace(API_TOKEN, token)
        );
        let installation = Installation::new(&toml);
        let ran = installation.import("shop").exits(1);
        let error = installation.last_run("shop")["error"].to_string();
        assert_eq!(installation.last_run("shop")["status"], "failed");
        for word in words {
            assert!(error.contains(word), "{error}");
        }
        let checked = installation.secpull(&["check"]).exits(1);
        for text in [&error, &ran.stderr, &checked.stdout, &checked.stderr] {
            assert!(!text.contains(token), "{text}");
        }
    }
}

#[test]
fn a_token_of_another_deployment_is_refused_where_one_is_named() {
    let simulator = deployment(semgrep_shop());
    let other = with_tool(&simulator, "deployment = \"acme-test\"\n", SHOP);
    other.import("shop").exits(1);
    let error = other.last_run("shop")["error"].to_string();
    assert!(
        error.contains("acme-prod") && error.contains("acme-test"),
        "{error}"
    );
    let same = with_tool(&simulator, "deployment = \"acme-prod\"\n", SHOP);
    same.import("shop").exits(0);
}

#[test]
fn check_and_discover_prove_what_can_be_read() {
    let simulator = deployment(semgrep_shop());
    let installation = installation(&simulator, SHOP);
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(
        checked
            .stdout
            .contains("deployment acme-prod, sast, sca, secrets of project acme/shop readable"),
        "{checked:#?}"
    );
    let records = installation
        .secpull(&["discover", "semgrep", "--format", "jsonl"])
        .exits(0)
        .stdout;
    assert!(
        records.contains("acme/shop") && records.contains("acme/tools"),
        "{records}"
    );
    assert!(!records.contains("acme/old"), "{records}");

    let never = self::installation(&simulator, "project = \"acme/tools\"");
    let checked = never.secpull(&["check"]).exits(0);
    assert!(checked.stdout.contains("never scanned"), "{checked:#?}");
    let unknown = self::installation(&simulator, "project = \"acme/shpo\"");
    let checked = unknown.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(
        said.contains("there is no project \\\"acme/shpo\\\"")
            || said.contains("there is no project \"acme/shpo\""),
        "{said}"
    );

    simulator.inflict(Misfortune::KeyRevoked);
    let checked = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("401") && !said.contains(API_TOKEN), "{said}");
}

#[test]
fn a_host_that_is_not_semgreps_is_told_by_its_answer() {
    let simulator = deployment(semgrep_shop());
    let installation = installation(&simulator, SHOP);
    simulator.inflict_as(Misfortune::HtmlLoginPage.plan().everywhere());
    let checked = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("https://semgrep.dev/api/v1/"), "{said}");
}

#[test]
fn twenty_thousand_findings_stream() {
    let simulator = deployment(vec![Project::new("acme/shop").with_many(20_000)]);
    let installation = installation(&simulator, "");
    let peak = installation.peak_memory_of_import("shop");
    includes(
        &installation.last_run("shop"),
        &json!({"status": "complete", "new": 20_000, "unreadable": 0}),
    );
    assert!((1..96 << 10).contains(&peak), "peak of {peak} KiB");
}
