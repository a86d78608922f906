//! Every connector through the table of misfortunes: nothing is falsely resolved, the message helps, and when all is well
//! again so is the store.

use std::collections::BTreeSet;
use std::ops::Deref;

use secpull_simulators::dependency_track::{API_KEY, Version};
use secpull_simulators::misfortune::Misfortune;
use secpull_simulators::prometheus::{Prometheus, Series};
use secpull_simulators::server::Running;
use serde_json::Value;

use super::support::Installation;
use super::support::dependency_track::{project, server};

/// Short limits, so that what would hang ends soon.
pub(crate) const IMPATIENT: &str = "timeout = \"2s\"\n";

/// What an import under a misfortune may end as.
fn may_be_complete(misfortune: Misfortune) -> bool {
    matches!(
        misfortune,
        // Rows are kept as well as can be, or the tool answers in the end.
        Misfortune::UnknownEnumValues
            | Misfortune::WrongTypesAndNullsInARow
            // The body is the right one, and a vendor's own library may not care.
            | Misfortune::WrongContentType
            | Misfortune::CredentialInARow
            | Misfortune::TooManyRequests { retry_after: Some(_) }
            // Lists that are not paged have no other pages.
            | Misfortune::ServerErrorOnPage(_)
            | Misfortune::RepeatedPage
            | Misfortune::EndlessPages
            | Misfortune::PermissionLostInTheMiddle
    )
}

pub(crate) struct Case<'a, S> {
    pub(crate) name: &'a str,
    /// What no message may show.
    pub(crate) secret: &'a str,
    /// Starts a simulator that has open findings only, and writes the TOML of a tool and an API configuration of this name, which is
    /// the product's name too.
    pub(crate) start: &'a dyn Fn(&str) -> (S, String),
}

/// One misfortune, and whom it strikes.
struct Struck<S> {
    misfortune: Misfortune,
    name: String,
    simulator: S,
}

/// Leads a connector through all misfortunes: each strikes a tool of its own, all at the same time, since most of them are a matter
/// of waiting.
pub(crate) fn through_all<S: Deref<Target = Running>>(case: &Case<'_, S>) {
    let mut toml = format!(
        "[automatic_import]\nmax_concurrent = {}\n",
        Misfortune::ALL.len()
    );
    let mut all = Vec::new();
    for (number, &misfortune) in Misfortune::ALL.iter().enumerate() {
        let name = format!("tool-{number}");
        let (simulator, tables) = (case.start)(&name);
        toml.push_str(&tables);
        all.push(Struck {
            misfortune,
            name,
            simulator,
        });
    }
    let installation = Installation::new(&toml);
    let import = || installation.secpull(&["run", "--standalone", "--all"]);
    import().exits(0);
    let before = snapshot(&installation);
    for struck in &all {
        let own = format!("{} ", struck.name);
        assert!(before.iter().any(|line| line.starts_with(&own)));
        struck.simulator.inflict(struck.misfortune);
    }
    import().exits(1);
    let findings = installation.findings();
    let raw = installation.secpull(&["findings", "--status", "all", "--raw", "--format", "jsonl"]);
    // A token that was fetched at run time stands in no configuration.
    for echoed in raw.exits(0).stdout.split("sent with ").skip(1) {
        let harmless = ["***", "no credential", "Signature="];
        let harmless = harmless.iter().any(|word| echoed.starts_with(word));
        assert!(harmless, "{}: stored: {echoed:.60}", case.name);
    }
    for struck in &all {
        judge(
            case,
            struck,
            &installation.last_run(&struck.name),
            &findings,
        );
        struck.simulator.calm();
    }
    // Twice: a row that was unreadable, or changed for a while, is as before again.
    import().exits(0);
    import().exits(0);
    let after = snapshot(&installation);
    let lost: Vec<_> = before.difference(&after).collect();
    let added: Vec<_> = after.difference(&before).collect();
    assert!(
        lost.is_empty() && added.is_empty(),
        "{}: not as before; lost {lost:#?}, added {added:#?}",
        case.name
    );
    let runs = installation.secpull(&["runs", "--format", "jsonl"]);
    assert!(!runs.exits(0).stdout.contains(case.secret));
}

fn judge<S: Deref<Target = Running>>(
    case: &Case<'_, S>,
    struck: &Struck<S>,
    run: &Value,
    findings: &[Value],
) {
    let misfortune = struck.misfortune;
    let what = format!("{}, when {}", case.name, misfortune.description());
    let resolved: Vec<_> = findings
        .iter()
        .filter(|finding| finding["product"] == *struck.name && finding["status"] == "resolved")
        .collect();
    assert!(
        resolved.is_empty(),
        "{what}: falsely resolved: {resolved:#?}\n{run}"
    );
    assert!(
        struck.simulator.requests_elsewhere().is_empty(),
        "{what}: followed to another host"
    );
    let complete = run["status"] == "complete";
    assert!(
        !complete || may_be_complete(misfortune),
        "{what}: complete: {run}"
    );
    // Where it also strikes what is asked before the findings, the run may fail as a whole.
    if misfortune == Misfortune::NullInsteadOfARow && run["status"] != "failed" {
        let counted = |key: &str| run[key].as_u64().unwrap();
        assert!(counted("unreadable") > 0, "{what}: {run}");
        assert!(
            counted("unchanged") > 0,
            "{what}: the other rows were lost: {run}"
        );
    }
    if !complete {
        let error = run["error"].as_str().unwrap_or_default();
        assert!(
            error.len() > 10 && error.lines().count() == 1,
            "{what}: {run}"
        );
        assert!(!error.contains(case.secret), "{what}: {error}");
    }
}

/// API configuration, identity, status and severity of every unresolved sighting. (What a misfortune invented is resolved in
/// the end.)
fn snapshot(installation: &Installation) -> BTreeSet<String> {
    installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .filter(|sighting| sighting["status"] != "resolved")
        .map(|sighting| {
            format!(
                "{} {} {} {}",
                sighting["api_configuration"].as_str().unwrap(),
                sighting["source_id"],
                sighting["status"],
                sighting["severity"]
            )
        })
        .collect()
}

fn dependency_track(version: Version) {
    through_all(&Case {
        name: &format!("Dependency-Track {version:?}"),
        secret: API_KEY,
        start: &|name| {
            // More than one page of the size that is asked for.
            let shop = project("shop", 0..60);
            let uuid = shop.uuid.clone();
            let server = server(version, vec![shop]);
            let toml = format!(
                "[tools.{name}]\nconnector = \"dependency-track\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\n\
                 page_size = 20\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\nproject_key = \"{uuid}\"\n",
                server.url()
            );
            (server, toml)
        },
    });
}

#[test]
fn dependency_track_4_is_never_believed_when_it_should_not_be() {
    dependency_track(Version::V4_14);
}

#[test]
fn dependency_track_5_is_never_believed_when_it_should_not_be() {
    dependency_track(Version::V5_0);
}

/// Sixty vulnerabilities, and the series that says that there are so many.
fn cluster() -> Prometheus {
    let series = (0..60).map(|number| {
        let name = format!("library-{number}");
        Series::new(
            "trivy_vulnerability_id",
            &[
                ("namespace", "shop"),
                ("resource_kind", "ReplicaSet"),
                ("resource_name", "web-6d4cf56db6"),
                ("resource", &name),
                ("installed_version", "1.0"),
                ("severity", "High"),
                ("vuln_id", "CVE-2026-00001"),
            ],
            1.0,
        )
    });
    let counted = Series::new("trivy_image_vulnerabilities", &[("severity", "High")], 60.0);
    Prometheus::new().series(series.chain([counted]))
}

#[test]
fn prometheus_is_never_believed_when_it_should_not_be() {
    through_all(&Case {
        name: "Prometheus",
        secret: API_KEY,
        start: &|name| {
            let prometheus = cluster().start_blocking().unwrap();
            let toml = format!(
                "[tools.{name}]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{}\"\n{IMPATIENT}\
                 [api_configurations.{name}]\ntool = \"{name}\"\nproduct = \"{name}\"\n\
                 query = \"trivy_vulnerability_id\"\n",
                prometheus.url()
            );
            (prometheus, toml)
        },
    });
}
