//! A daemon that hangs, is given up, and wakes.

use nix::sys::signal::Signal;

use super::super::support::postgres::{self, Database};
use super::super::support::wait_for;
use super::{assert_whole, installations, world};

#[test]
fn a_daemon_that_hung_and_wakes_writes_nothing() {
    let (_tool, toml) = world(1, 10_000, "enabled = false");
    let database = Database::on(postgres::server());
    let installations = installations(&database, &toml);
    let hung = installations[0].daemon();
    installations[0]
        .secpull(&["run", "--detach", "a0"])
        .exits(0);
    wait_for("the first rows", || {
        (database.number("SELECT count(*) FROM sightings") > 0).then_some(())
    });
    hung.signal(Signal::SIGSTOP);
    let awake = installations[1].daemon();
    let taken = wait_for("another daemon to take over", || {
        let runs = installations[1].runs("a0");
        (runs.len() == 2 && runs[0]["status"] == "complete").then_some(runs)
    });
    assert_eq!(taken[1]["status"], "interrupted", "{taken:#?}");
    assert_ne!(taken[0]["daemon"], taken[1]["daemon"]);
    let rows = || database.texts("SELECT s.xmin || ' ' || s.id FROM sightings s ORDER BY s.id");
    let before = rows();
    hung.signal(Signal::SIGCONT);
    // It has more to write than it had written, and is told by the store that it may not.
    wait_for("it to notice", || {
        hung.log()
            .contains("marked this run as interrupted")
            .then_some(())
    });
    assert_eq!(rows(), before);
    assert_eq!(installations[0].runs("a0")[1]["status"], "interrupted");
    assert_whole(&installations[1], 10_000);
    drop(awake);
}
