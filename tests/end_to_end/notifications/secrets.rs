//! The secrets of receivers are in the requests to them, and nowhere else.

use std::fs;

use secpull_simulators::hooks::Hook;
use secpull_simulators::mail::MailServer;

use super::super::support::{Daemon, wait_for};
use super::Shop;

/// Parts of every secret of this test.
const TRACE: &str = "canary";

#[track_caller]
fn is_clean(what: &str, bytes: &[u8]) {
    if let Some(at) = memchr::memmem::find(bytes, TRACE.as_bytes()) {
        let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 60)];
        panic!(
            "a secret stands in {what}: …{}…",
            String::from_utf8_lossy(around)
        );
    }
}

#[test]
fn secrets_of_receivers_are_told_to_nobody_else() {
    let slack = Hook::slack().start_blocking().unwrap();
    let teams = Hook::teams().start_blocking().unwrap();
    let webhook = Hook::webhook("canary-signing-key")
        .start_blocking()
        .unwrap();
    // Another password than is given: the server repeats it in its refusal.
    let mails = MailServer::new().login("secpull", "another");
    let postbox = mails.start_blocking().unwrap();
    let shop = Shop::new(2, "");
    let hook = |kind: &str, url: &str, more: &str| {
        format!(
            "[notifications.{kind}]\nkind = \"{kind}\"\nurl = \"{url}\"\nproxy = \"none\"\n{more}\n"
        )
    };
    let mail = format!(
        "[notifications.email]\nkind = \"email\"\nsmtp = \"localhost:{}\"\ntls = \"none\"\nuser = \"secpull\"\n\
         secret = \"canary-mail-password\"\nfrom_address = \"secpull@example.com\"\nto = [\"a@example.com\"]\n",
        postbox.port()
    );
    let tables = [
        hook("slack", slack.hook_url(), ""),
        hook("teams", teams.hook_url(), ""),
        hook(
            "webhook",
            webhook.hook_url(),
            "secret = \"canary-signing-key\"\nheaders = { Authorization = \"canary-of-a-header\" }",
        ),
        mail,
    ];
    shop.installation
        .write("conf.d/told.toml", &tables.concat());
    slack.refuse(404, "no_service canarySlackToken24letter");
    let daemon = Daemon::start_with(&shop.installation, &[("SECPULL_LOG", "trace")]);
    shop.runs(0);
    wait_for("all to be tried", || {
        let waits = shop.installation.secpull(&["status", "--format", "json"]);
        is_clean("status", waits.stdout.as_bytes());
        let waits = waits.json()["waiting"].as_array().cloned()?;
        let tried = |waits: &&serde_json::Value| waits["problem"].is_string();
        (waits.iter().filter(tried).count() == 2).then_some(())
    });
    wait_for("the others to be told", || {
        (teams.taken().len() == 1 && webhook.taken().len() == 1).then_some(())
    });
    assert_eq!(
        webhook.taken()[0].header("authorization"),
        Some("canary-of-a-header")
    );
    let table = shop.installation.secpull(&["status"]);
    is_clean("the table", table.stdout.as_bytes());
    let (_, metrics) = daemon.request("GET", "/metrics", None);
    is_clean("metrics", metrics.as_bytes());
    let log = daemon.log();
    assert!(log.contains("TRACE"), "the log is not at trace level");
    is_clean("the log", log.as_bytes());
    assert!(daemon.stop().success());
    for file in fs::read_dir(shop.installation.folder()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            is_clean(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
    // A mistake beside a secret is told without it.
    let wrong = tables
        .concat()
        .replace("kind = \"teams\"", "kind = \"team\"");
    shop.installation.write("conf.d/told.toml", &wrong);
    let ran = shop.installation.secpull(&["check", "--offline"]).exits(2);
    is_clean("check", ran.stderr.as_bytes());
}
