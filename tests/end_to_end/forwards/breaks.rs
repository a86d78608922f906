//! What happens when something breaks on the way.

use std::time::Duration;

use secpull_simulators::dependency_track::Version;

use super::{change, configuration, dojo, open, uploads, waiting};
use crate::support::dependency_track::{project, server};
use crate::support::{Installation, wait_for};

#[test]
fn while_it_is_down_imports_go_on_and_status_tells_what_waits() {
    let track = server(Version::V5_0, vec![project("web", 0..5)]);
    let dojo = dojo();
    dojo.change(|world| world.behaviour.down = true);
    let installation = Installation::new(&configuration(&track, &dojo, ""));
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    let told = wait_for("the failure to be told", || {
        let waiting = waiting(&installation);
        let problem = waiting.first()?["problem"].as_str()?.to_owned();
        Some((waiting[0].clone(), problem))
    });
    let (waits, problem) = told;
    assert_eq!(waits["destination"], "forwards.dojo");
    assert_eq!(waits["messages"], 1);
    assert!(waits["since"].is_string(), "{waits}");
    assert!(problem.contains("502"), "{problem}");
    let table = installation.secpull(&["status"]).exits(0).stdout;
    assert!(
        table.contains("forwards.dojo") && table.contains("502"),
        "{table}"
    );

    change(&track, |web| web.findings = project("web", 0..7).findings);
    installation.secpull(&["run", "shop"]).exits(0);
    assert_eq!(waiting(&installation)[0]["messages"], 1);
    dojo.change(|world| world.behaviour.down = false);
    // A restart tries at once; left alone the daemon would within a minute.
    assert!(daemon.stop().success());
    let daemon = installation.daemon();
    wait_for("what is newest to arrive", || {
        (open(&dojo) == 7 && waiting(&installation).is_empty()).then_some(())
    });
    assert_eq!(uploads(&dojo), 1);
    assert!(daemon.stop().success());
}

#[test]
fn without_a_daemon_what_waits_is_said_and_the_exit_code_is_the_imports() {
    let track = server(Version::V5_0, vec![project("web", 0..5)]);
    let dojo = dojo();
    dojo.change(|world| world.behaviour.down = true);
    let installation = Installation::new(&configuration(&track, &dojo, ""));
    let ran = installation.import("shop").exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("forwards.dojo"), "{said}");
    dojo.change(|world| world.behaviour.down = false);
    let daemon = installation.daemon();
    wait_for("the daemon to deliver it", || {
        (open(&dojo) == 5).then_some(())
    });
    assert!(daemon.stop().success());
}

#[test]
fn killed_in_the_middle_it_is_looked_up_and_not_sent_again() {
    let track = server(Version::V5_0, vec![project("web", 0..5)]);
    let dojo = dojo();
    dojo.change(|world| world.behaviour.import_takes = Duration::from_secs(2));
    let installation = Installation::new(&configuration(&track, &dojo, ""));
    let daemon = installation.daemon();
    installation.secpull(&["run", "shop"]).exits(0);
    wait_for("the upload to begin", || {
        (uploads(&dojo) == 1).then_some(())
    });
    daemon.kill();
    wait_for("DefectDojo to end it all the same", || {
        (open(&dojo) == 5).then_some(())
    });
    // As if the minute had passed that the killed one holds the destination for.
    installation
        .place()
        .execute("UPDATE destinations SET held_until = 0");
    let daemon = installation.daemon();
    wait_for("the delivery to be done with", || {
        waiting(&installation).is_empty().then_some(())
    });
    assert_eq!(uploads(&dojo), 1);
    assert_eq!(dojo.change(|world| world.tests.count()), 1);
    assert!(daemon.stop().success());
}
