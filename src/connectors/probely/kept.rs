//! What is kept of a finding's JSON: all but credentials, and of the recorded HTTP traffic the beginning.
//!
//! Each finding comes with its whole target, and that with what the scanner logs in with. The mapping reads what is kept
//! and nothing else, so that no field can bring a credential along.

use serde_json::Value;

use super::target::without_user;
use crate::connectors::members::Members;
use crate::connectors::message::{Credentials, TAKEN_OUT, is_secret_name};

/// So many pairs of request and response are kept; each may be a whole page.
const EXCHANGES: usize = 1;

/// Bytes of a request or response that are kept.
const MESSAGE: usize = 16 << 10;

/// Bytes of it that are looked through for credentials: more, so that none is cut before it is known as one.
const LOOKED_THROUGH: usize = 4 * MESSAGE;

/// Members of a finding with words of the tested application, or of people.
const WORDS: &[&str] = &["evidence", "extra", "params", "value", "comment"];

/// Members with a URL.
const URLS: &[&str] = &["url", "path"];

/// Members of a target with one of these in their names are credentials (contract 7), as those are whose names say so.
const LOGIN_MEMBERS: &[&str] = &["login", "header", "cookie", "verification"];

/// Members that say where to log in, and how to tell that it worked.
const ABOUT_LOGIN: &[&str] = &[
    "form_login_url",
    "form_login_check_pattern",
    "verification_date",
    "verification_method",
    "verification_last_error",
];

/// The finding as it is kept.
///
/// # Errors
/// It is no object, or no JSON.
pub(super) fn kept(element: &str) -> Result<String, String> {
    let mut members = serde_json::from_str::<Members<'_>>(element)
        .map_err(|error| format!("a finding cannot be read: {error}"))?;
    let mut credentials = Credentials::default();
    // First, for what it holds is looked for in all others.
    members.rewrite("target", |value| in_target(value, &mut credentials));
    members.rewrite("requests", |value| exchanges(value, &mut credentials));
    for name in WORDS {
        members.rewrite(name, |value| words(value, &mut credentials));
    }
    for name in URLS {
        members.rewrite(name, |value| match value {
            Value::String(url) => without_user(&url).into(),
            other => other,
        });
    }
    Ok(members.write())
}

/// A target, or a part of one, without what the scanner logs in with.
fn in_target(value: Value, credentials: &mut Credentials) -> Value {
    match value {
        Value::Object(members) => {
            let mut members = members;
            // A header, a cookie, a field: what it is called may be told, what is in it not.
            if members.contains_key("name")
                && let Some(value) = members.get_mut("value")
            {
                know(value, credentials);
                *value = TAKEN_OUT.into();
            }
            let members = members.into_iter().filter_map(|(name, value)| {
                if is_credential(&name, &value) {
                    know(&value, credentials);
                    return None;
                }
                Some((name, in_target(value, credentials)))
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| in_target(item, credentials)).collect()
        }
        Value::String(text) => without_user(&text).into(),
        other => other,
    }
}

fn is_credential(name: &str, value: &Value) -> bool {
    let name = name.to_ascii_lowercase();
    let is_of_login = LOGIN_MEMBERS.iter().any(|part| name.contains(part));
    // Whether there is one is no secret.
    let has_text = value.is_string() || value.is_array() || value.is_object();
    has_text && (is_of_login || is_secret_name(&name)) && !ABOUT_LOGIN.contains(&name.as_str())
}

/// Takes note of the texts in what is taken out, to find them elsewhere: of pairs the value only, and no addresses.
fn know(value: &Value, credentials: &mut Credentials) {
    match value {
        Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {}
        Value::String(text) => credentials.know(text),
        Value::Array(items) => items.iter().for_each(|item| know(item, credentials)),
        Value::Object(members) => {
            for (name, value) in members {
                if !["id", "name", "type", "username"].contains(&name.as_str()) {
                    know(value, credentials);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first pairs of request and response.
fn exchanges(value: Value, credentials: &mut Credentials) -> Value {
    let Value::Array(mut pairs) = value else {
        return Value::Null;
    };
    pairs.truncate(EXCHANGES);
    let mut pairs = Value::Array(pairs);
    each_text(&mut pairs, &mut |text| {
        let looked_through = &text[..text.floor_char_boundary(LOOKED_THROUGH)];
        *text = credentials.take_out_of_message(looked_through);
    });
    each_text(&mut pairs, &mut |text| {
        *text = credentials.take_out(text);
        if text.len() > MESSAGE {
            text.truncate(text.floor_char_boundary(MESSAGE));
            text.push('…');
        }
    });
    pairs
}

/// Words of the application without credentials: those that are known, and those that their names tell.
fn words(mut value: Value, credentials: &mut Credentials) -> Value {
    hide_named(&mut value);
    each_text(&mut value, &mut |text| {
        let told = credentials.take_out_of_message(text);
        *text = credentials.take_out(&told);
    });
    value
}

fn hide_named(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match is_secret_name(name) {
                    true => *value = TAKEN_OUT.into(),
                    false => hide_named(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_named),
        _ => {}
    }
}

fn each_text(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| each_text(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn kept_of(finding: &Value) -> Value {
        serde_json::from_str(&kept(&finding.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn the_targets_credentials_are_not_kept_and_the_rest_of_it_is() {
        let site = json!({
            "id": "3Q855jvjrpqs", "name": "Shop", "url": "https://u:url-password@shop.example", "host": "shop.example",
            "has_basic_auth": true, "basic_auth": {"username": "tester", "password": "basic-password"},
            "has_form_login": true, "form_login_url": "https://shop.example/login", "form_login_check_pattern": "Hello",
            "form_login": [{"name": "user", "value": "tester"}, {"name": "pass", "value": "form-password"}],
            "headers": [{"name": "X-Api", "value": "header-value", "allow_testing": false}],
            "cookies": [{"name": "sid", "value": "cookie-value"}],
            "has_otp": true, "otp_secret": "OTPSECRET234", "otp_algorithm": "SHA1", "otp_digits": 6,
            "verification_token": "verify-token", "verified": true, "verification_method": "dns",
            "api_scan_settings": {"api_login_payload": "{\"k\":\"api-password\"}", "custom_api_parameters": [{"name": "key", "value": "parameter-value"}], "api_schema_url": "https://shop.example/openapi"},
        });
        let finding = json!({"id": 1, "target": {
            "id": "46aGYvJUPCtW", "site": site, "type": "single", "labels": [{"name": "prod"}],
            "assets": [{"host": "api.shop.example", "cookies": [{"name": "a", "value": "asset-cookie"}]}],
        }});
        let target = kept_of(&finding)["target"].take();
        let text = target.to_string();
        for secret in [
            "url-password",
            "basic-password",
            "tester",
            "form-password",
            "header-value",
            "cookie-value",
            "OTPSECRET234",
            "verify-token",
            "api-password",
            "parameter-value",
            "asset-cookie",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert_eq!(
            target,
            json!({
                "id": "46aGYvJUPCtW", "type": "single", "labels": [{"name": "prod"}],
                "assets": [{"host": "api.shop.example"}],
                "site": {
                    "id": "3Q855jvjrpqs", "name": "Shop", "url": "https://shop.example/", "host": "shop.example",
                    "has_basic_auth": true, "has_form_login": true, "form_login_url": "https://shop.example/login",
                    "form_login_check_pattern": "Hello", "has_otp": true, "otp_digits": 6, "verified": true,
                    "verification_method": "dns",
                    "api_scan_settings": {"custom_api_parameters": [{"name": "key", "value": "***"}], "api_schema_url": "https://shop.example/openapi"},
                },
            })
        );
    }

    #[test]
    fn a_credential_of_the_target_is_taken_out_wherever_it_is_repeated() {
        let finding = json!({
            "requests": [{"request": "```\nGET /?q=header-value HTTP/1.1\n```", "response": "you sent header-value"}],
            "evidence": "header-value was reflected", "value": "header-value", "params": {"q": ["header-value"]},
            "extra": "header-value", "comment": "try header-value",
            "target": {"id": "a", "site": {"headers": [{"name": "X-Api", "value": "header-value"}]}},
        });
        let text = kept_of(&finding).to_string();
        assert!(!text.contains("header-value"), "{text}");
        assert!(text.contains("*** was reflected"), "{text}");
    }

    #[test]
    fn of_the_traffic_the_first_pair_is_kept_cut_and_without_session_cookies() {
        let response = format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: sid=session-cookie-1\r\n\r\n{}session-cookie-1",
            "é".repeat(400_000)
        );
        let request =
            "POST /login HTTP/1.1\r\nCookie: sid=session-cookie-1\r\n\r\nuser=me&password=hunter2";
        let finding = json!({"requests": [
            {"request": request, "response": response},
            {"request": "GET /second HTTP/1.1", "response": ""},
        ]});
        let requests = kept_of(&finding)["requests"].take();
        assert_eq!(requests.as_array().unwrap().len(), 1);
        assert_eq!(
            requests[0]["request"],
            "POST /login HTTP/1.1\r\nCookie: ***\r\n\r\nuser=me&password=***"
        );
        let response = requests[0]["response"].as_str().unwrap();
        assert!(response.len() <= MESSAGE + '…'.len_utf8() && response.ends_with('…'));
        assert!(!requests.to_string().contains("session-cookie"));
    }

    #[test]
    fn parameters_that_are_called_like_a_password_lose_their_values() {
        let finding = json!({"params": {"password": ["hunter2"], "page": ["2"], "n": {"csrf_token": "t"}}, "evidence": null});
        assert_eq!(
            kept_of(&finding)["params"],
            json!({"password": "***", "page": ["2"], "n": {"csrf_token": "***"}})
        );
    }

    #[test]
    fn what_holds_no_credentials_is_kept_word_for_word() {
        let text = r#"{ "id":12, "severity":30.0, "new":{"b":1, "a":[1e2]},"ü":"\u00e9", "requests":"odd","url":"https://shop.example/p?a=1"}"#;
        assert_eq!(
            kept(text).unwrap(),
            r#"{"id":12,"severity":30.0,"new":{"b":1, "a":[1e2]},"ü":"\u00e9","requests":null,"url":"https://shop.example/p?a=1"}"#
        );
    }

    #[test]
    fn what_is_no_object_is_no_finding_and_what_cannot_be_looked_through_is_not_kept() {
        for broken in ["null", "[]", "7", "{", r#"{"id":1"#] {
            assert!(kept(broken).is_err(), "{broken}");
        }
        let text = kept(r#"{"target":{"site":{"basic_auth":1e999}},"id":1}"#).unwrap();
        assert_eq!(text, r#"{"target":null,"id":1}"#);
    }
}
