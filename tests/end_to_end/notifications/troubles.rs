//! Imports that go wrong, and receivers that do.

use std::time::{Duration, Instant};

use secpull_simulators::hooks::Hook;
use secpull_simulators::misfortune::Misfortune;
use serde_json::Value;

use super::super::support::wait_for;
use super::{Shop, events, taken, told};

const TROUBLES: &str = "kind = \"webhook\"\nevents = [\"import_failed\", \"import_partial\", \"credentials_refused\"]\ntimeout = \"20s\"";

#[test]
fn a_failing_tool_is_told_once_and_once_more_when_it_is_well_again() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let shop = Shop::new(3, &told(&receiver, TROUBLES));
    let _daemon = shop.daemon();
    shop.runs(0);
    shop.server.inflict(Misfortune::HtmlLoginPage);
    shop.runs(1);
    shop.runs(1);
    shop.server.calm();
    shop.runs(0);
    let told = taken(&receiver, 2);
    assert_eq!(events(&told[0]), ["import_failed"]);
    let error = told[0].body["error"].as_str().unwrap();
    assert!(error.contains("/api/"), "{error}");
    assert_eq!(events(&told[1]), ["recovered"]);
    assert_eq!(told[1].body["recovered"]["from"], "import_failed");
    assert_eq!(told[1].body["run"]["status"], "complete");
}

#[test]
fn refused_credentials_are_told_as_such() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let shop = Shop::new(3, &told(&receiver, TROUBLES));
    let _daemon = shop.daemon();
    shop.server.inflict(Misfortune::KeyRevoked);
    shop.runs(1);
    let told = taken(&receiver, 1).remove(0);
    assert_eq!(events(&told), ["credentials_refused", "import_failed"]);
    assert_eq!(told.header("x-secpull-event"), Some("credentials_refused"));
    assert_eq!(told.body["action"], "secpull check dt");
}

/// What `status` says of what waits.
fn waiting(shop: &Shop) -> Vec<Value> {
    let status = shop.installation.secpull(&["status", "--format", "json"]);
    let status = status.json();
    status["waiting"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_receiver_that_was_down_gets_everything_later_and_once() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let shop = Shop::new(3, &told(&receiver, "kind = \"webhook\""));
    receiver.refuse(503, "down for maintenance");
    let daemon = shop.daemon();
    shop.runs(0);
    let waits = wait_for("the message to wait with its reason", || {
        let waits = waiting(&shop);
        waits.into_iter().find(|waits| waits["problem"].is_string())
    });
    assert_eq!(waits["destination"], "notifications.n");
    assert_eq!(waits["messages"], 1);
    let problem = waits["problem"].as_str().unwrap();
    assert!(
        problem.contains("503 \"down for maintenance\""),
        "{problem}"
    );

    // The message outlives the daemon; another one begins anew with what waits.
    assert!(daemon.stop().success());
    receiver.accept();
    let _daemon = shop.daemon();
    let told = taken(&receiver, 1).remove(0);
    assert_eq!(events(&told), ["new_findings"]);
    wait_for("nothing to wait", || {
        waiting(&shop).is_empty().then_some(())
    });
}

#[test]
fn a_receiver_that_hangs_holds_no_import_up() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let shop = Shop::new(3, &told(&receiver, TROUBLES));
    receiver.inflict(Misfortune::NoAnswer);
    shop.server.inflict(Misfortune::HtmlLoginPage);
    let daemon = shop.daemon();
    shop.runs(1);
    wait_for("the receiver to have the message", || {
        (receiver.request_count() > 0).then_some(())
    });
    let started = Instant::now();
    shop.runs(1);
    shop.server.calm();
    shop.runs(0);
    let stopping = Instant::now();
    assert!(daemon.stop().success());
    // The receiver is waited for 20 s. A busy machine needs its time for two imports.
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    assert!(
        stopping.elapsed() < Duration::from_secs(15),
        "{:?}",
        stopping.elapsed()
    );
    assert!(receiver.taken().is_empty());
}

#[test]
fn what_a_standalone_run_cannot_deliver_waits_and_does_not_change_its_exit_code() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let shop = Shop::new(3, &told(&receiver, "kind = \"webhook\""));
    receiver.refuse(410, "gone");
    let ran = shop.installation.import("shop").exits(0);
    assert!(ran.stderr.contains("notifications.n"), "{ran:#?}");
    receiver.accept();
    let _daemon = shop.daemon();
    taken(&receiver, 1);
}
