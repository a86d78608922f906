//! A program that believes nothing without a signature.

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, StatusCode};
use chrono::Utc;
use serde_json::Value;

use super::{Verdict, calls_itself_json};

/// An older request may be somebody's who has listened in.
const OLDEST_SECONDS: i64 = 300;

pub(super) fn verdict(key: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Verdict {
    let refused = |status: StatusCode, what: &str| Err((status, what.to_owned()));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = header("x-secpull-signature");
    let Some(timestamp) = header("x-secpull-timestamp") else {
        return refused(StatusCode::BAD_REQUEST, "no timestamp");
    };
    let is_signed = match (key, signature) {
        (None, None) => true,
        (Some(key), Some(signature)) => is_of(key, timestamp, body, signature),
        _ => false,
    };
    if !is_signed {
        return refused(StatusCode::UNAUTHORIZED, "wrong signature");
    }
    let age = timestamp
        .parse::<i64>()
        .map(|then| (Utc::now().timestamp() - then).abs());
    if !age.is_ok_and(|age| age <= OLDEST_SECONDS) {
        return refused(StatusCode::UNAUTHORIZED, "too old");
    }
    let named = header("x-secpull-event").is_some() && header("x-secpull-delivery").is_some();
    let is_json = calls_itself_json(headers) && serde_json::from_slice::<Value>(body).is_ok();
    if named && is_json {
        Ok((StatusCode::NO_CONTENT, ""))
    } else {
        refused(StatusCode::BAD_REQUEST, "not understood")
    }
}

fn is_of(key: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let Some(bytes) = signature.strip_prefix("sha256=").and_then(unhex) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signed = [timestamp.as_bytes(), b".", body].concat();
    hmac::verify(&key, &signed, &bytes).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    Some(
        digits?
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}
