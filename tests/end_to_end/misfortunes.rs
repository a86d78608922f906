//! Every connector through the table of misfortunes: nothing is falsely resolved, the message helps, and when all is well
//! again so is the store.

use secpull_simulators::dependency_track::{API_KEY, Version};
use secpull_simulators::misfortune::Misfortune;
use secpull_simulators::prometheus::{Prometheus, Series};
use serde_json::Value;

use super::support::dependency_track::{project, server};
use super::support::{Installation, Ran};

/// Short limits, so that what would hang ends soon.
pub(crate) const IMPATIENT: &str = "timeout = \"2s\"\n";

/// What an import under a misfortune may end as.
fn may_be_complete(misfortune: Misfortune) -> bool {
    matches!(
        misfortune,
        // Rows are kept as well as can be, or the tool answers in the end.
        Misfortune::UnknownEnumValues
            | Misfortune::WrongTypesAndNullsInARow
            | Misfortune::CredentialInARow
            | Misfortune::TooManyRequests { retry_after: Some(_) }
            // Lists that are not paged have no other pages.
            | Misfortune::ServerErrorOnPage(_)
            | Misfortune::RepeatedPage
            | Misfortune::EndlessPages
            | Misfortune::PermissionLostInTheMiddle
    )
}

pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) installation: &'a Installation,
    /// What no message may show.
    pub(crate) secret: &'a str,
    pub(crate) inflict: &'a dyn Fn(Misfortune),
    pub(crate) calm: &'a dyn Fn(),
}

/// Leads one tool, which is known to have open findings only, through all misfortunes.
pub(crate) fn through_all(case: &Case<'_>) {
    let import = || case.installation.secpull(&["run", "--standalone", "--all"]);
    import().exits(0);
    let before = snapshot(case.installation);
    assert!(!before.is_empty());
    for &misfortune in Misfortune::ALL {
        (case.inflict)(misfortune);
        let ran = import();
        let what = format!("{}, when {}", case.name, misfortune.description());
        judge(&what, misfortune, &ran, case);
        (case.calm)();
    }
    // Twice: a row that was unreadable, or changed for a while, is as before again.
    import().exits(0);
    import().exits(0);
    let after = snapshot(case.installation);
    let lost: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let added: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(
        lost.is_empty() && added.is_empty(),
        "{}: not as before; lost {lost:#?}, added {added:#?}",
        case.name
    );
}

fn judge(what: &str, misfortune: Misfortune, ran: &Ran, case: &Case<'_>) {
    let installation = case.installation;
    let run = &installation.secpull(&["runs", "--format", "jsonl"]).lines()[0];
    let resolved: Vec<Value> = installation
        .findings()
        .into_iter()
        .filter(|finding| finding["status"] == "resolved")
        .collect();
    assert!(
        resolved.is_empty(),
        "{what}: falsely resolved: {resolved:#?}\n{run}"
    );
    let complete = run["status"] == "complete";
    assert_eq!(ran.code, i32::from(!complete), "{what}: {ran:#?}");
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

/// Identity, status and severity of every unresolved sighting. (What a misfortune invented is resolved in the end.)
fn snapshot(installation: &Installation) -> Vec<String> {
    let mut all: Vec<_> = installation
        .findings()
        .iter()
        .flat_map(|finding| finding["sightings"].as_array().unwrap().clone())
        .filter(|sighting| sighting["status"] != "resolved")
        .map(|sighting| {
            format!(
                "{} {} {}",
                sighting["source_id"], sighting["status"], sighting["severity"]
            )
        })
        .collect();
    all.sort();
    all
}

fn dependency_track(version: Version) {
    // More than one page of the size that is asked for.
    let shop = project("shop", 0..60);
    let uuid = shop.uuid.clone();
    let server = server(version, vec![shop]);
    let installation = Installation::new(&format!(
        "[tools.dt]\nconnector = \"dependency-track\"\nlocation = \"{}\"\nsecret = \"{API_KEY}\"\n\
         page_size = 20\n{IMPATIENT}\
         [api_configurations.shop]\ntool = \"dt\"\nproduct = \"Shop\"\nproject_key = \"{uuid}\"\n",
        server.url()
    ));
    through_all(&Case {
        name: &format!("Dependency-Track {version:?}"),
        installation: &installation,
        secret: API_KEY,
        inflict: &|misfortune| server.inflict(misfortune),
        calm: &|| server.calm(),
    });
    assert!(
        server.requests_elsewhere().is_empty(),
        "followed to another host"
    );
}

#[test]
fn dependency_track_4_is_never_believed_when_it_should_not_be() {
    dependency_track(Version::V4_14);
}

#[test]
fn dependency_track_5_is_never_believed_when_it_should_not_be() {
    dependency_track(Version::V5_0);
}

#[test]
fn prometheus_is_never_believed_when_it_should_not_be() {
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
    let prometheus = Prometheus::new()
        .series(series.chain([counted]))
        .start_blocking()
        .unwrap();
    let installation = Installation::new(&format!(
        "[tools.prom]\nconnector = \"trivy-operator-prometheus\"\nlocation = \"{}\"\n{IMPATIENT}\
         [api_configurations.cluster]\ntool = \"prom\"\nproduct = \"Cluster\"\n\
         query = \"trivy_vulnerability_id\"\n",
        prometheus.url()
    ));
    through_all(&Case {
        name: "Prometheus",
        installation: &installation,
        secret: API_KEY,
        inflict: &|misfortune| prometheus.inflict(misfortune),
        calm: &|| prometheus.calm(),
    });
    assert!(
        prometheus.requests_elsewhere().is_empty(),
        "followed to another host"
    );
}
