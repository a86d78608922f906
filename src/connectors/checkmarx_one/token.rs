//! From an API key to the access token that the API wants: fetched once for all requests, and anew before it is too old.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::config::Secret;
use crate::connectors::ConnectorError;
use crate::connectors::lenient::{Object, Text, Whole};
use crate::http::{Client, HttpError, HttpErrorKind, Meter};

/// The client for which users make API keys.
const DEFAULT_CLIENT: &str = "ast-app";

/// A token is not used in its last seconds: it has to be good until the answer.
const MARGIN: Duration = Duration::from_secs(30);

/// Lifetime of a token that comes without one; the vendor's command line takes 300 s for granted.
const USUAL_LIFETIME: Duration = Duration::from_secs(300);

/// A tenant's tokens.
pub(super) struct Tokens {
    /// Of the identity service's host. Nothing else ever gets the key.
    iam: Client,
    path: String,
    grant: Grant,
    /// `https://…/auth/realms/…` that is asked.
    realm: String,
    /// The one that the key says it is of.
    realm_of_key: Option<String>,
    current: Mutex<Option<Token>>,
}

enum Grant {
    /// An API key, which is a refresh token.
    Key { client: String, key: Secret },
    /// An OAuth client with its secret.
    Client { client: String, secret: Secret },
}

struct Token {
    secret: Secret,
    old_at: Instant,
}

impl Tokens {
    /// `client` names an OAuth client whose secret `secret` is; else `secret` is an API key.
    pub(super) fn new(
        iam: Client,
        location: &Url,
        tenant: &str,
        client: Option<&str>,
        secret: Secret,
    ) -> Self {
        // Realms are case-sensitive, and the vendor's are in lower case.
        let tenant = tenant.trim().to_ascii_lowercase();
        let claims = Claims::of(secret.expose());
        let grant = match client {
            Some(client) => Grant::Client {
                client: client.trim().to_owned(),
                secret,
            },
            None => Grant::Key {
                client: claims.client.unwrap_or_else(|| DEFAULT_CLIENT.to_owned()),
                key: secret,
            },
        };
        Self {
            iam,
            path: format!("/auth/realms/{tenant}/protocol/openid-connect/token"),
            grant,
            realm: format!("{location}auth/realms/{tenant}"),
            realm_of_key: claims.realm,
            current: Mutex::default(),
        }
    }

    /// A token that is good for now.
    ///
    /// # Errors
    /// The identity service gives none.
    pub(super) async fn get(&self, meter: &Arc<Meter>) -> Result<Secret, ConnectorError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(token) if Instant::now() < token.old_at => Ok(token.secret.clone()),
            _ => self.fetch(&mut current, meter).await,
        }
    }

    /// A token in place of one that the API has refused. Whoever comes second gets the one that the first has fetched.
    ///
    /// # Errors
    /// The identity service gives none.
    pub(super) async fn in_place_of(
        &self,
        refused: &Secret,
        meter: &Arc<Meter>,
    ) -> Result<Secret, ConnectorError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(token) if token.secret.expose() != refused.expose() => Ok(token.secret.clone()),
            _ => self.fetch(&mut current, meter).await,
        }
    }

    async fn fetch(
        &self,
        current: &mut Option<Token>,
        meter: &Arc<Meter>,
    ) -> Result<Secret, ConnectorError> {
        *current = None;
        let pairs = match &self.grant {
            Grant::Key { client, key } => [
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("refresh_token", key.expose()),
            ],
            Grant::Client { client, secret } => [
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", secret.expose()),
            ],
        };
        let asked_at = Instant::now();
        let iam = self.iam.metered(Arc::clone(meter));
        // Asking twice only makes two tokens.
        let request = iam.post(&self.path).form(&pairs).idempotent();
        let answer = request.json::<Box<RawValue>>().await;
        let answer = answer.map_err(|error| self.explain(error))?.body;
        let (token, lifetime) = read(answer.get()).ok_or_else(|| {
            ConnectorError::Refused(format!(
                "POST {}/protocol/openid-connect/token: the answer holds no access_token; check `location` and `iam_location`",
                self.realm
            ))
        })?;
        *current = Some(Token {
            secret: token.clone(),
            old_at: asked_at + lifetime.saturating_sub(MARGIN),
        });
        Ok(token)
    }

    /// What only Checkmarx's own facts explain.
    fn explain(&self, error: HttpError) -> ConnectorError {
        let HttpErrorKind::Status { status, body, .. } = &error.kind else {
            return ConnectorError::Http(error);
        };
        let is_key = matches!(self.grant, Grant::Key { .. });
        let mut advice = match status {
            400 | 401 if is_key && !body.contains("_client") => {
                "the API key is wrong, expired or revoked: make a new one (keys live 30 to 365 days, and all die when the tenant's licence changes)"
                    .to_owned()
            }
            400 | 401 if is_key => "the key's client is not known to this tenant".to_owned(),
            400 | 401 => "client_id or its secret is wrong".to_owned(),
            403 => "an IP allow list may keep this host out".to_owned(),
            404 => format!("there is no {}: check tenant and location", self.realm),
            _ => return ConnectorError::Http(error),
        };
        if let Some(realm) = self.realm_of_key.as_ref().filter(|own| **own != self.realm) {
            advice.push_str(&format!("; this key belongs to {realm}"));
        }
        let is_refusal = matches!(status, 400 | 401);
        let error = HttpError {
            message: format!("{}; {advice}", error.message),
            kind: error.kind,
        };
        match is_refusal {
            true => ConnectorError::Credentials(error),
            false => ConnectorError::Http(error),
        }
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct TokenAnswer<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    expires_in: Whole,
}

/// The token and how long it lives. Whatever else comes along, a new refresh token above all, is not kept: the key stays good.
fn read(answer: &str) -> Option<(Secret, Duration)> {
    let Object(answer) = serde_json::from_str::<Object<TokenAnswer<'_>>>(answer).ok()?;
    let token = answer.access_token.as_str().map(Secret::new)?;
    let seconds = answer.expires_in.0.and_then(|n| u64::try_from(n).ok());
    Some((token, seconds.map_or(USUAL_LIFETIME, Duration::from_secs)))
}

/// What an API key, which is a JWT, says of itself. Read for messages and for the client's name; never believed otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
struct Claims {
    client: Option<String>,
    realm: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Payload<'a> {
    #[serde(borrow)]
    azp: Text<'a>,
    iss: Text<'a>,
    aud: Text<'a>,
}

impl Claims {
    fn of(key: &str) -> Self {
        let payload = key.split('.').nth(1);
        let payload = payload.and_then(|part| {
            let part = part.trim_end_matches('=');
            URL_SAFE_NO_PAD.decode(part).ok()
        });
        let Some(payload) = payload else {
            return Self::default();
        };
        let Ok(Object(payload)) = serde_json::from_slice::<Object<Payload<'_>>>(&payload) else {
            return Self::default();
        };
        let realm = [payload.iss.as_str(), payload.aud.as_str()]
            .into_iter()
            .flatten()
            .map(str::trim)
            .find(|url| url.starts_with("https://") && url.contains("/auth/realms/"));
        Self {
            client: payload.azp.to_owned(),
            realm: realm.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_key_tells_its_client_and_its_realm_and_anything_else_tells_nothing() {
        let payload = r#"{"azp":"ast-github","iss":"https://eu.iam.checkmarx.net/auth/realms/acme","aud":["x"]}"#;
        let key = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(
            Claims::of(&key),
            Claims {
                client: Some("ast-github".to_owned()),
                realm: Some("https://eu.iam.checkmarx.net/auth/realms/acme".to_owned()),
            }
        );
        for odd in ["", "a.b", "e30.!!.x", "e30.W10.x", "no jwt"] {
            assert_eq!(Claims::of(odd), Claims::default(), "{odd}");
        }
    }

    #[test]
    fn a_token_without_a_lifetime_is_not_trusted_for_long() {
        let (token, lifetime) =
            read(r#"{"access_token":"t","expires_in":1800,"refresh_token":"r"}"#).unwrap();
        assert_eq!((token.expose(), lifetime.as_secs()), ("t", 1800));
        let (_, lifetime) = read(r#"{"access_token":"t","expires_in":-1}"#).unwrap();
        assert_eq!(lifetime, USUAL_LIFETIME);
        assert!(read(r#"{"access_token":"","expires_in":1800}"#).is_none());
        assert!(read("[]").is_none());
    }
}
