//! Who may ask.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::TOKEN;
use super::answer::Refusal;
use super::routes::Instance;
use crate::server::{lock, parameters};

/// A request with the key: its parameters, as far as this release knows them.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) parameters: Vec<(String, String)>,
    /// `http://127.0.0.1:8080`, as the request says.
    pub(super) origin: String,
    /// Of the request, with the prefix.
    pub(super) path: String,
}

impl FromRequestParts<Instance> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, instance: &Instance) -> Result<Self, Refusal> {
        let world = lock(&instance.world);
        let sent = parts.headers.get(AUTHORIZATION);
        let sent = sent.and_then(|value| value.to_str().ok());
        // Where tokens are switched off nobody reads the header.
        admit(sent.filter(|_| world.behaviour.tokens_enabled))?;
        let behaviour = &world.behaviour;
        let known =
            |(key, _): &(String, String)| !behaviour.unknown_parameters.contains(key.as_str());
        let host = parts
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok());
        let origin = format!("http://{}", host.unwrap_or_default());
        Ok(Self {
            parameters: parameters(&parts.extensions)
                .into_iter()
                .filter(known)
                .collect(),
            origin: behaviour.origin.clone().unwrap_or(origin),
            path: format!("{}{}", instance.prefix, parts.uri.path()),
        })
    }
}

/// The word is `Token`, in any case. Another one means that nothing was said to this API.
fn admit(sent: Option<&str>) -> Result<(), Refusal> {
    let words: Vec<_> = sent.unwrap_or_default().split_whitespace().collect();
    match *words {
        [word, ..] if !word.eq_ignore_ascii_case("token") => Err(Refusal::NoCredentials),
        [] => Err(Refusal::NoCredentials),
        [_, TOKEN] => Ok(()),
        [_] => Err(Refusal::WrongCredentials(
            "Invalid token header. No credentials provided.",
        )),
        [_, _] => Err(Refusal::WrongCredentials("Invalid token.")),
        _ => Err(Refusal::WrongCredentials(
            "Invalid token header. Token string should not contain spaces.",
        )),
    }
}
