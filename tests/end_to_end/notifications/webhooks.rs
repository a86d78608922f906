//! New findings, in each receiver's form.

use secpull_simulators::hooks::Hook;

use super::{Shop, events, taken, told};

const SIGNED: &str = "kind = \"webhook\"\nsecret = \"signing-key\"\nevents = [\"new_findings\"]";

#[test]
fn new_findings_are_told_in_one_signed_message_per_run() {
    let receiver = Hook::webhook("signing-key").start_blocking().unwrap();
    let shop = Shop::new(30, &told(&receiver, SIGNED));
    let _daemon = shop.daemon();
    shop.runs(0);
    let first = taken(&receiver, 1).remove(0);
    assert_eq!(first.header("x-secpull-event"), Some("new_findings"));
    let new = &first.body["new_findings"];
    assert_eq!(new["count"], 30);
    assert_eq!(new["findings"].as_array().unwrap().len(), 20);
    assert_eq!(new["more"], 10);
    assert_eq!(first.body["run"]["status"], "complete");

    // What is known is no news.
    shop.runs(0);
    shop.has((0..30).chain([901, 900]));
    shop.runs(0);
    let second = taken(&receiver, 2).remove(1);
    let new = &second.body["new_findings"];
    assert_eq!(
        new["by_severity"],
        serde_json::json!([{"severity": "critical", "count": 2}])
    );
    let listed = &new["findings"][0];
    assert_eq!(listed["severity"], "critical");
    assert_eq!(listed["product"], "Shop");
    assert_eq!(listed["place"], "library-901 1.0");
    assert!(
        second.body["text"]
            .as_str()
            .unwrap()
            .contains("CVE-2026-0090")
    );
    assert_ne!(
        first.header("x-secpull-delivery"),
        second.header("x-secpull-delivery")
    );
}

#[test]
fn what_is_below_the_severity_or_of_others_is_not_told() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let other = Hook::unsigned_webhook().start_blocking().unwrap();
    let tables = format!(
        "{}[notifications.m]\nkind = \"webhook\"\nurl = \"{}\"\nproxy = \"none\"\nfrom = [\"depot-*\"]\n",
        told(&receiver, "kind = \"webhook\"\nseverity = \"critical\""),
        other.hook_url()
    );
    let shop = Shop::new(3, &tables);
    let _daemon = shop.daemon();
    shop.runs(0);
    shop.has([0, 1, 2, 900]);
    shop.runs(0);
    let told = taken(&receiver, 1).remove(0);
    assert_eq!(told.body["new_findings"]["count"], 1);
    assert_eq!(other.request_count(), 0);
}

#[test]
fn slack_and_teams_are_told_in_their_forms() {
    for (receiver, kind) in [
        (Hook::slack().start_blocking().unwrap(), "slack"),
        (Hook::teams().start_blocking().unwrap(), "teams"),
    ] {
        let shop = Shop::new(300, &told(&receiver, &format!("kind = \"{kind}\"")));
        // Without a daemon: what the run has to tell leaves before it ends.
        shop.installation.import("shop").exits(0);
        let message = taken(&receiver, 1)[0].body.to_string();
        assert!(
            message.contains("shop: 300 new findings at or above high (300 high)"),
            "{message}"
        );
        assert!(
            message.contains("and 280 more: secpull findings"),
            "{message}"
        );
    }
}

#[test]
fn an_accepted_import_does_not_tell_its_findings_again() {
    let receiver = Hook::unsigned_webhook().start_blocking().unwrap();
    let tables = format!(
        "{}[import]\nmin_held = 1\n",
        told(&receiver, "kind = \"webhook\"")
    );
    let shop = Shop::new(4, &tables);
    let _daemon = shop.daemon();
    shop.runs(0);
    shop.has([900]);
    shop.runs(1);
    let held = taken(&receiver, 2).remove(1);
    assert_eq!(events(&held), ["import_held", "new_findings"]);
    assert_eq!(held.body["action"], "secpull accept shop");
    shop.installation.secpull(&["accept", "shop"]).exits(0);
    // The next import has news again: what was accepted has none before it.
    shop.has([900, 901]);
    shop.runs(0);
    let last = taken(&receiver, 3).remove(2);
    assert_eq!(events(&last), ["new_findings"]);
    assert_eq!(last.body["new_findings"]["count"], 1);
}
