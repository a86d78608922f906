//! What leaves: runs become known to destinations, and what waits is shown.

use secpull_simulators::dependency_track::Version;

use super::support::dependency_track::{project, server, tool};
use super::support::{Installation, wait_for};

/// A message for a destination that the configuration does not have.
fn leave_waiting(installation: &Installation) {
    let now = chrono::Utc::now().timestamp_millis();
    installation.place().execute(&format!(
        "INSERT INTO outbox (destination, content, since, revised_at, attempts, problem)
         VALUES ('forwards.gone', '{{}}', {now}, {now}, 3, '502 Bad Gateway')"
    ));
}

#[test]
fn what_waits_is_shown_everywhere_and_changes_no_exit_code() {
    let server = server(Version::V5_0, vec![project("shop", 0..3)]);
    let installation = Installation::new(&format!(
        "{}\n[api_configurations.shop]\ntool = \"dt\"\n",
        tool("dt", &server)
    ));
    let first = installation.import("shop").exits(0);
    assert!(!first.stderr.contains("waits"), "{first:#?}");
    assert_eq!(installation.unannounced(), 0);
    leave_waiting(&installation);
    let words = "forwards.gone: 1 message, the oldest of";
    let again = installation.import("shop").exits(0);
    assert!(again.stderr.contains(words), "{again:#?}");
    let status = installation.secpull(&["status"]).exits(3);
    let block = format!("Waiting to be delivered\n  {words}");
    assert!(status.stdout.contains(&block), "{status:#?}");

    let daemon = installation.daemon();
    let waiting = daemon.get("/v1/status")["waiting"][0].clone();
    assert_eq!(waiting["destination"], "forwards.gone");
    assert_eq!(waiting["configured"], false);
    assert_eq!(
        (&waiting["messages"], &waiting["attempts"]),
        (&1.into(), &3.into())
    );
    assert_eq!(waiting["problem"], "502 Bad Gateway");
    installation.secpull(&["run", "shop"]).exits(0);
    wait_for("the run to be announced", || {
        (installation.unannounced() == 0).then_some(())
    });
    let gauge = r#"secpull_outbox_waiting{destination="forwards.gone"} 1"#;
    wait_for("the metric", || {
        let (_, text) = daemon.request("GET", "/metrics", None);
        text.contains(gauge).then_some(())
    });
    assert!(daemon.stop().success());
    // It is kept.
    let status = installation.secpull(&["status", "--format", "json"]);
    assert_eq!(status.json()["waiting"][0]["messages"], 1);
}
