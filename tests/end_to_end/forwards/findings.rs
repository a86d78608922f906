//! What arrives.

use secpull_simulators::dependency_track::Version;

use super::{change, configuration, dojo, findings, open, run_and_deliver, uploads};
use crate::support::dependency_track::{project, server};
use crate::support::{Installation, wait_for};

#[test]
fn each_import_that_changes_something_is_sent_on() {
    let track = server(Version::V5_0, vec![project("web", 0..30)]);
    let dojo = dojo();
    let keys = "close_old = \"complete_only\"\n[api_configurations.shop.automatic_import]\nbranch = \"main\"\nservice = \"checkout\"";
    let installation = Installation::new(&configuration(&track, &dojo, keys));
    let daemon = installation.daemon();
    run_and_deliver(&installation);
    wait_for("the findings to arrive", || {
        (open(&dojo) == 30).then_some(())
    });
    let arrived = findings(&dojo).remove(0);
    assert_eq!(arrived.service.as_deref(), Some("checkout"));
    assert_eq!(arrived.component_name.as_deref(), Some("library-0"));
    assert_eq!(arrived.vulnerability_ids, ["CVE-2026-00000"]);
    let title = dojo.change(|world| world.tests.get(1).unwrap().title.clone());
    assert_eq!(
        title.as_deref(),
        Some("shop (branch main, service checkout)")
    );

    // Nothing new, nothing sent.
    run_and_deliver(&installation);
    assert_eq!(uploads(&dojo), 1);

    // One is gone, one has another severity.
    change(&track, |project| {
        let named = |number: u32| format!("CVE-2026-{number:05}");
        let findings = &mut project.findings;
        findings.set_severity(|one| one.vulnerability.id == named(0), "CRITICAL");
        findings.remove(|one| one.vulnerability.id == named(29));
    });
    run_and_deliver(&installation);
    wait_for("the changes to arrive", || {
        let first = findings(&dojo).remove(0);
        (open(&dojo) == 29 && first.severity == "Critical").then_some(())
    });
    assert!(daemon.stop().success());
}

#[test]
fn an_import_without_a_daemon_delivers_before_it_ends() {
    let track = server(Version::V5_0, vec![project("web", 0..5)]);
    let dojo = dojo();
    let installation = Installation::new(&configuration(&track, &dojo, ""));
    installation.import("shop").exits(0);
    assert_eq!(open(&dojo), 5);
    installation.import("shop").exits(0);
    assert_eq!(uploads(&dojo), 1);
    // A forward that comes later gets what is there.
    let other = super::dojo();
    installation.configure(&configuration(&track, &other, ""));
    installation.import("shop").exits(0);
    assert_eq!(open(&other), 5);
}

#[test]
fn the_tool_of_a_forward_is_checked_like_any_other() {
    let track = server(Version::V5_0, vec![]);
    let dojo = dojo();
    let installation = Installation::new(&configuration(&track, &dojo, ""));
    let checked = installation.secpull(&["check"]).exits(0);
    assert!(checked.stdout.contains("1 forward"), "{checked:#?}");
    assert!(checked.stdout.contains("tool dojo: ok"), "{checked:#?}");
    dojo.change(|world| world.behaviour.tokens_enabled = false);
    let checked = installation.secpull(&["check", "dojo"]).exits(1);
    assert!(checked.stdout.contains("tool dojo: failed"), "{checked:#?}");
}
