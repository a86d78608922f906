//! Receivers that messages are posted to, and what becomes of their answers.

use chrono::{DateTime, TimeDelta, Utc};
use secpull_simulators::hooks::{Hook, Receiver as Simulated, SLACK_TOKEN, TEAMS_SIGNATURE};
use secpull_simulators::misfortune::Misfortune;

use super::super::failure::Failure;
use super::super::post;
use super::{notice, notification};
use crate::config::Receiver;

const KEY: &str = "canary-signing-key";

/// Posts a notice, signed where there is a key.
async fn post_at(simulated: &Simulated, keys: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let url = simulated.hook_url();
    let notification = notification(&format!("{keys}\nurl = '{url}'\nproxy = 'none'"));
    let (notice, templates) = (notice(), &notification.templates);
    match &notification.receiver {
        Receiver::Webhook { hook, key, headers } => {
            post::webhook(hook, key.as_ref(), headers, &notice, templates, now).await
        }
        Receiver::Slack(hook) => post::slack(hook, &notice, templates).await,
        Receiver::Teams(hook) => post::teams(hook, &notice, templates).await,
        Receiver::Email(_) => panic!("no hook"),
    }
}

async fn post(simulated: &Simulated, keys: &str) -> Result<(), Failure> {
    post_at(simulated, keys, Utc::now()).await
}

/// A failure without anything that must not be told.
#[track_caller]
fn clean(failed: Result<(), Failure>) -> Failure {
    let failure = failed.unwrap_err();
    for secret in [
        SLACK_TOKEN,
        TEAMS_SIGNATURE,
        KEY,
        "canary",
        "0123456789abcdef",
    ] {
        assert!(!failure.problem.contains(secret), "{failure:?}");
    }
    assert!(
        failure.problem.starts_with("POST http://127.0.0.1:"),
        "{failure:?}"
    );
    failure
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_time_and_body() {
    let webhook = Hook::webhook(KEY).start_blocking().unwrap();
    let signed = format!("kind = 'webhook'\nsecret = '{KEY}'\nheaders = {{ X-Team = 'red' }}");
    post(&webhook, &signed).await.unwrap();
    let taken = webhook.taken().remove(0);
    assert_eq!(taken.header("x-secpull-event"), Some("import_failed"));
    assert_eq!(
        taken.header("x-secpull-delivery"),
        Some("0123456789abcdef0123456789abcdef")
    );
    assert_eq!(taken.header("x-team"), Some("red"));
    assert_eq!(taken.body["version"], 1);
    assert_eq!(taken.body["title"], "shop: import failed");

    let other = clean(post(&webhook, "kind = 'webhook'\nsecret = 'another'").await);
    assert!(
        other.problem.contains("401 \"wrong signature\""),
        "{other:?}"
    );
    clean(post(&webhook, "kind = 'webhook'").await);
    let late = Utc::now() - TimeDelta::hours(1);
    clean(post_at(&webhook, &signed, late).await);
    assert_eq!(webhook.taken().len(), 1);
    let open = Hook::unsigned_webhook().start_blocking().unwrap();
    post(&open, "kind = 'webhook'").await.unwrap();
}

#[tokio::test]
async fn slack_and_teams_take_a_message_of_hostile_words() {
    let slack = Hook::slack().start_blocking().unwrap();
    post(&slack, "kind = 'slack'").await.unwrap();
    let written = slack.taken()[0].body.to_string();
    assert!(
        written.contains("&lt;!channel&gt; [x](http://evil) ünd &amp; more"),
        "{written}"
    );
    let teams = Hook::teams().start_blocking().unwrap();
    post(&teams, "kind = 'teams'").await.unwrap();
    let written = teams.taken()[0].body.to_string();
    assert!(written.contains("<!channel> [x](http://evil)"), "{written}");
}

#[tokio::test]
async fn what_is_no_ok_of_slacks_is_not_delivered() {
    let slack = Hook::slack().start_blocking().unwrap();
    for (status, words, is_of_message, hint) in [
        (404, "no_service", false, "make a new one"),
        (403, "action_prohibited", false, "does not let secpull post"),
        (410, "channel_is_archived", false, "make a new one"),
        (400, "invalid_blocks", true, "does not take this message"),
        (500, "rollup_error", false, "out of order"),
        (
            200,
            "a proxy's own page",
            false,
            "not the answer of the service",
        ),
    ] {
        slack.refuse(status, words);
        let failure = clean(post(&slack, "kind = 'slack'").await);
        assert!(
            failure.problem.contains(words) && failure.problem.contains(hint),
            "{failure:?}"
        );
        assert_eq!(failure.is_of_message, is_of_message, "{failure:?}");
    }
    assert!(slack.taken().is_empty());
}

#[tokio::test]
async fn what_legacy_connectors_say_with_a_good_status_is_no_delivery() {
    let teams = Hook::teams().start_blocking().unwrap();
    teams.refuse(200, "Webhook message delivery failed with error: 413");
    clean(post(&teams, "kind = 'teams'").await);
}

#[tokio::test]
async fn receivers_out_of_order_are_told_from_messages_that_they_refuse() {
    let webhook = Hook::unsigned_webhook().start_blocking().unwrap();
    let hasty = "kind = 'webhook'\ntimeout = '1s'";
    for misfortune in [
        Misfortune::TooManyRequests {
            retry_after: Some(7),
        },
        Misfortune::BadGateway,
        Misfortune::NoAnswer,
    ] {
        webhook.inflict(misfortune);
        let failure = clean(post(&webhook, hasty).await);
        assert!(!failure.is_of_message, "{failure:?}");
        if let Misfortune::TooManyRequests { .. } = misfortune {
            assert_eq!(failure.after, Some(std::time::Duration::from_secs(7)));
        }
        webhook.calm();
    }
    webhook.inflict(Misfortune::RedirectToAnotherHost);
    let failure = clean(post(&webhook, hasty).await);
    assert!(
        failure.problem.contains("redirects are not followed"),
        "{failure:?}"
    );
    assert!(webhook.requests_elsewhere().is_empty());
    webhook.calm();
    post(&webhook, hasty).await.unwrap();
}
