//! Signature version 4: what is signed is written down again here, and must come out the same.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::answer::Refusal;
use super::{ACCESS_KEY, REGION, SECRET_KEY};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "securityhub";

/// Refuses what is not signed as it should be.
pub(super) fn check(parts: &Parts, body: &[u8], session: Option<&str>) -> Result<(), Refusal> {
    let header = |name: &str| text(&parts.headers, name);
    let authorization =
        header("authorization").ok_or_else(|| Refusal::from(Refusal::MISSING_TOKEN))?;
    let signature =
        Signature::parse(authorization).ok_or_else(|| Refusal::from(Refusal::INCOMPLETE))?;
    if signature.access_key != ACCESS_KEY || session != header("x-amz-security-token") {
        return Err(Refusal::UNKNOWN_KEY.into());
    }
    let date = header("x-amz-date").ok_or_else(|| Refusal::from(Refusal::INCOMPLETE))?;
    let day = date
        .get(..8)
        .ok_or_else(|| Refusal::from(Refusal::INCOMPLETE))?;
    if signature.scope != format!("{day}/{REGION}/{SERVICE}/aws4_request") {
        return Err(Refusal::WRONG_SCOPE.into());
    }
    for name in ["host", "x-amz-date"] {
        if !signature.headers.split(';').any(|signed| signed == name) {
            return Err(Refusal::INCOMPLETE.into());
        }
    }
    if session.is_some() && !signature.headers.contains("x-amz-security-token") {
        return Err(Refusal::INCOMPLETE.into());
    }
    let expected = signature_of(parts, body, &signature, date, day);
    if expected == signature.value {
        Ok(())
    } else {
        Err(Refusal::WRONG_SIGNATURE.into())
    }
}

struct Signature<'a> {
    access_key: &'a str,
    scope: &'a str,
    headers: &'a str,
    value: &'a str,
}

impl<'a> Signature<'a> {
    fn parse(authorization: &'a str) -> Option<Self> {
        let rest = authorization.strip_prefix(ALGORITHM)?.trim();
        let part = |name: &str| {
            rest.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (access_key, scope) = part("Credential")?.split_once('/')?;
        Some(Self {
            access_key,
            scope,
            headers: part("SignedHeaders")?,
            value: part("Signature").filter(|hex| hex.len() == 64)?,
        })
    }
}

fn signature_of(
    parts: &Parts,
    body: &[u8],
    signature: &Signature<'_>,
    date: &str,
    day: &str,
) -> String {
    let mut request = format!(
        "{}\n{}\n{}\n",
        parts.method,
        encoded_once_more(parts.uri.path()),
        sorted(parts.uri.query().unwrap_or_default())
    );
    for name in signature.headers.split(';') {
        let value = text(&parts.headers, name).unwrap_or_default();
        request.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let hash = hex(digest(&SHA256, body).as_ref());
    request.push_str(&format!("\n{}\n{hash}", signature.headers));
    let hash = hex(digest(&SHA256, request.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{date}\n{}\n{hash}", signature.scope);
    let mut key = format!("AWS4{SECRET_KEY}").into_bytes();
    for part in [day, REGION, SERVICE, "aws4_request", &to_sign] {
        key = sign(&Key::new(HMAC_SHA256, &key), part.as_bytes())
            .as_ref()
            .to_vec();
    }
    hex(&key)
}

/// As every service but S3 wants it: the path as it is sent, with `%` and the like encoded again.
fn encoded_once_more(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
