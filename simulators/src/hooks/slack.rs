//! Slack's incoming webhook: Block Kit and its limits.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Verdict, calls_itself_json};

const KNOWN: &[&str] = &[
    "text",
    "blocks",
    "attachments",
    "mrkdwn",
    "unfurl_links",
    "unfurl_media",
    "thread_ts",
];

pub(super) fn verdict(headers: &HeaderMap, body: &[u8]) -> Verdict {
    let refused = |what: &str| Err((StatusCode::BAD_REQUEST, what.to_owned()));
    if !calls_itself_json(headers) {
        return refused("invalid_payload");
    }
    let Ok(Value::Object(message)) = serde_json::from_slice(body) else {
        return refused("invalid_payload");
    };
    if message.keys().any(|key| !KNOWN.contains(&key.as_str())) {
        return refused("invalid_payload");
    }
    let text = message.get("text").and_then(Value::as_str);
    let blocks = match message.get("blocks") {
        None => None,
        Some(Value::Array(blocks)) => Some(blocks),
        Some(_) => return refused("invalid_blocks_format"),
    };
    if text.is_none_or(|text| text.trim().is_empty()) && blocks.is_none() {
        return refused("no_text");
    }
    if text.is_some_and(|text| !is_escaped(text)) {
        return refused("unescaped_text");
    }
    let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
    if blocks.len() > 50 || !blocks.iter().all(is_sound) {
        return refused("invalid_blocks");
    }
    Ok((StatusCode::OK, "ok"))
}

fn is_sound(block: &Value) -> bool {
    let text = &block["text"];
    match block["type"].as_str() {
        Some("header") => text["type"] == "plain_text" && is_text(text, 150),
        Some("section") => is_text(text, 3000),
        Some("divider") => true,
        _ => false,
    }
}

fn is_text(text: &Value, longest: usize) -> bool {
    let is_plain = text["type"] == "plain_text";
    // Only one of them knows emoji, only the other whether to look for links.
    let members: &[&str] = if is_plain {
        &["type", "text", "emoji"]
    } else {
        &["type", "text", "verbatim"]
    };
    let known = text
        .as_object()
        .is_some_and(|text| text.keys().all(|key| members.contains(&key.as_str())));
    let words = text["text"].as_str().unwrap_or_default();
    let length = words.chars().count();
    known
        && (is_plain || text["type"] == "mrkdwn")
        && (1..=longest).contains(&length)
        && is_escaped(words)
}

/// Slack itself would take it; but then vendors' words can mention people and make links.
fn is_escaped(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        rest = &rest[at..];
        let Some(escape) = ["&amp;", "&lt;", "&gt;"]
            .iter()
            .find(|escape| rest.starts_with(**escape))
        else {
            return false;
        };
        rest = &rest[escape.len()..];
    }
    true
}
