//! Misfortunes below HTTP: names that do not resolve, certificates that are not to be trusted, a tool that crawls. They are
//! the shared client's affair, so one connector stands for all.

use rcgen::date_time_ymd;
use secpull_simulators::dependency_track::{API_KEY, Simulator, Version};
use secpull_simulators::misfortune::Misfortune;

use super::support::dependency_track::{project, server, tool};
use super::support::tls::Authority;
use super::support::{Installation, wait_for};

fn configured(location: &str, more: &str) -> String {
    format!(
        "[tools.dt]\nconnector = \"dependency-track\"\nlocation = \"{location}\"\nsecret = \"{API_KEY}\"\n{more}\
         [api_configurations.shop]\ntool = \"dt\"\n"
    )
}

/// An import from there fails before anything is asked of the tool, in words that hold all of these.
#[track_caller]
fn refused(installation: &Installation, simulator: &Simulator, words: &[&str]) {
    let asked = simulator.request_count();
    let ran = installation.import("shop").exits(1);
    let run = installation.last_run("shop");
    assert_eq!(run["status"], "failed", "{run}");
    let error = run["error"].as_str().unwrap();
    for word in words {
        assert!(error.contains(word), "{word} is not in: {error}");
        assert!(
            ran.stderr.contains(word) || ran.stdout.contains(word),
            "{ran:#?}"
        );
    }
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(
        simulator.request_count(),
        asked,
        "the tool was asked all the same"
    );
    // `check` says the same without an import.
    let check = installation.secpull(&["check"]).exits(1);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(words.iter().all(|word| said.contains(word)), "{check:#?}");
}

#[test]
fn an_unknown_ca_is_refused_and_a_ca_bundle_mends_it() {
    let simulator = server(Version::V5_0, vec![project("shop", 0..3)]);
    let authority = Authority::new();
    let front = authority.front("localhost", simulator.address(), |_| {});
    let installation = Installation::new(&configured(&front.url(), ""));
    refused(&installation, &simulator, &["not trusted", "ca_bundle"]);

    installation.write("company-ca.pem", &authority.pem());
    let bundle = installation.path("company-ca.pem");
    let bundle = format!("ca_bundle = \"{}\"\n", bundle.display());
    installation.configure(&configured(&front.url(), &bundle));
    installation.import("shop").exits(0);
    assert_eq!(installation.findings().len(), 3);
}

#[test]
fn an_expired_certificate_and_one_for_another_host_are_refused_even_from_a_trusted_ca() {
    let simulator = server(Version::V5_0, vec![project("shop", 0..3)]);
    let authority = Authority::new();
    let expired = authority.front("localhost", simulator.address(), |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let installation = Installation::new("");
    installation.write("company-ca.pem", &authority.pem());
    let bundle = installation.path("company-ca.pem");
    let bundle = format!("ca_bundle = \"{}\"\n", bundle.display());
    installation.configure(&configured(&expired.url(), &bundle));
    refused(&installation, &simulator, &["expired on 2021-01-01"]);

    let other = authority.front("tool.example", simulator.address(), |_| {});
    installation.configure(&configured(&other.url(), &bundle));
    refused(
        &installation,
        &simulator,
        &["not valid for name", "localhost", "tool.example"],
    );
}

#[test]
fn a_host_name_that_does_not_resolve_is_said_to_be_one() {
    let simulator = server(Version::V5_0, vec![]);
    let installation = Installation::new(&configured("https://dependency-track.invalid", ""));
    refused(
        &installation,
        &simulator,
        &[
            "dependency-track.invalid",
            "cannot be resolved",
            "`location`",
        ],
    );
}

#[test]
fn a_tool_that_sends_a_byte_a_second_ends_at_its_time_limit_and_holds_nobody_up() {
    let slow = server(Version::V5_0, vec![project("slow", 0..20)]);
    let quick = server(Version::V5_0, vec![project("quick", 0..20)]);
    let installation = Installation::new(&format!(
        "[automatic_import]\nmax_concurrent = 2\n\
         {}timeout = \"20s\"\n{}\
         [api_configurations.slow]\ntool = \"slow\"\ntimeout = \"6s\"\nautomatic_import = {{ enabled = false }}\n\
         [api_configurations.quick]\ntool = \"quick\"\nautomatic_import = {{ enabled = false }}\n",
        tool("slow", &slow),
        tool("quick", &quick)
    ));
    installation.import("slow").exits(0);
    slow.inflict(Misfortune::OneByteASecond);
    let daemon = installation.daemon();
    installation.secpull(&["run", "slow", "--detach"]).exits(0);
    wait_for("the slow import", || {
        (daemon.get("/v1/runs")["runs"][0]["status"] == "running").then_some(())
    });
    // Others come and go while it crawls.
    for _ in 0..3 {
        installation.secpull(&["run", "quick"]).exits(0);
    }
    let statuses = || -> Vec<(String, String)> {
        let text = |run: &serde_json::Value, key: &str| run[key].as_str().unwrap().to_owned();
        daemon.get("/v1/runs")["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| (text(run, "api_configuration"), text(run, "status")))
            .collect()
    };
    let of = |name: &str| statuses().into_iter().find(|(api, _)| api == name);
    assert_eq!(of("quick").unwrap().1, "complete");
    assert_eq!(of("slow").unwrap().1, "running", "{:?}", statuses());
    // Its run has a limit of its own, whatever single requests may take.
    wait_for("the time limit", || {
        of("slow").filter(|(_, status)| status != "running")
    });
    let run = installation.last_run("slow");
    assert!(
        run["error"].as_str().unwrap().contains("time limit of 6s"),
        "{run}"
    );
    assert!(
        installation
            .findings()
            .iter()
            .all(|finding| finding["status"] == "open")
    );
}
