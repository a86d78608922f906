#![allow(clippy::unwrap_used)]

use reqwest::Client;
use serde_json::json;

use super::*;

async fn send(receiver: &Receiver, body: Value) -> (u16, String) {
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let response = client
        .post(receiver.hook_url())
        .json(&body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn slack_takes_blocks_within_its_limits_and_names_what_it_refuses() {
    let slack = Hook::slack().start_blocking().unwrap();
    let header = |text: String| json!({"text": "t", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": text}}]});
    assert_eq!(
        send(&slack, header("a".repeat(150))).await,
        (200, "ok".to_owned())
    );
    for (body, word) in [
        (header("a".repeat(151)), "invalid_blocks"),
        (header("<!channel>".into()), "invalid_blocks"),
        (json!({"blocks": {}}), "invalid_blocks_format"),
        (json!({"text": ""}), "no_text"),
        (json!({"text": "a & b"}), "unescaped_text"),
        (json!([]), "invalid_payload"),
        (json!({"text": "t", "title": "t"}), "invalid_payload"),
    ] {
        let refused = send(&slack, body.clone()).await;
        assert_eq!(refused, (400, word.to_owned()), "{body}");
    }
    slack.refuse(404, "no_service");
    assert_eq!(send(&slack, json!({"text": "t"})).await.0, 404);
    slack.accept();
    assert_eq!(slack.taken().len(), 1);
}

#[tokio::test]
async fn teams_takes_one_card_that_is_not_too_large() {
    let teams = Hook::teams().start_blocking().unwrap();
    let message = |text: String| {
        json!({"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text}]},
        }]})
    };
    assert_eq!(
        send(&teams, message("t".into())).await,
        (202, String::new())
    );
    assert_eq!(send(&teams, message("t".repeat(22_000))).await.0, 413);
    assert_eq!(send(&teams, json!({"text": "legacy"})).await.0, 400);
}

#[tokio::test]
async fn a_webhook_without_the_right_signature_is_not_believed() {
    let webhook = Hook::webhook("key").start_blocking().unwrap();
    assert_eq!(send(&webhook, json!({})).await.0, 400);
    assert!(webhook.taken().is_empty());
}
