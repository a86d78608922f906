//! A workflow of Teams that posts the cards it gets.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Verdict, calls_itself_json};

/// "About 28 KB", of a form that Teams makes of the card; with room for what that adds.
const LARGEST: usize = 21_000;

pub(super) fn verdict(headers: &HeaderMap, body: &[u8]) -> Verdict {
    let refused = |what: &str| Err((StatusCode::BAD_REQUEST, what.to_owned()));
    if body.len() > LARGEST {
        return Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge".to_owned(),
        ));
    }
    if !calls_itself_json(headers) {
        return refused("InvalidRequestContent");
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return refused("InvalidRequestContent");
    };
    let Some([attachment]) = message["attachments"].as_array().map(Vec::as_slice) else {
        return refused("attachments is of type 'Null'");
    };
    let card = &attachment["content"];
    let is_card = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && matches!(
            card["version"].as_str(),
            Some("1.0" | "1.1" | "1.2" | "1.3" | "1.4" | "1.5")
        );
    let is_sound = card["body"]
        .as_array()
        .is_some_and(|body| !body.is_empty() && body.iter().all(is_sound));
    if is_card && is_sound {
        // A workflow that was started answers so, without a word.
        Ok((StatusCode::ACCEPTED, ""))
    } else {
        refused("BadPayload")
    }
}

fn is_sound(block: &Value) -> bool {
    match block["type"].as_str() {
        Some("TextBlock") => block["text"].is_string(),
        Some("RichTextBlock") => block["inlines"].as_array().is_some_and(|inlines| {
            !inlines.is_empty()
                && inlines
                    .iter()
                    .all(|run| run["type"] == "TextRun" && run["text"].is_string())
        }),
        _ => false,
    }
}
