//! The pair of keys, in the forms in which admins have it.

use crate::config::Secret;

/// The two keys that prove who asks.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    access: String,
    /// The one that opens the door.
    pub(super) secret: Secret,
}

impl Keys {
    /// The pair out of `access_key` and the secret, or out of a secret that holds both: `accessKey=…;secretKey=…` or
    /// `ACCESS:SECRET`.
    ///
    /// # Errors
    /// What is wrong, without any part of a key.
    pub(super) fn of(access: Option<&str>, secret: &Secret) -> Result<Self, String> {
        let both = pair(secret.expose());
        let (access, secret) = match (access.map(str::trim), both) {
            (None, Some(both)) => both,
            (Some(access), Some(both)) if both.0 == access => both,
            (Some(_), Some(_)) => {
                return Err(
                    "holds both keys, and its access key is not the one in access_key; keep one of them"
                        .to_owned(),
                );
            }
            (Some(access), None) => (access.to_owned(), secret.expose().trim().to_owned()),
            (None, None) => {
                return Err(
                    "is one key alone, and Tenable wants two; set access_key beside it, or write both as accessKey=…;secretKey=…"
                        .to_owned(),
                );
            }
        };
        if !is_key(&access) || !is_key(&secret) {
            return Err(
                "holds characters that no key has; write access_key and secret as Tenable shows them"
                    .to_owned(),
            );
        }
        Ok(Self {
            access,
            secret: Secret::new(&secret),
        })
    }

    /// The value of `X-ApiKeys`.
    pub(super) fn header(&self) -> Secret {
        let Self { access, secret } = self;
        Secret::new(&format!("accessKey={access};secretKey={}", secret.expose()))
    }
}

/// Access key and secret key of a text that holds both.
fn pair(text: &str) -> Option<(String, String)> {
    if text.contains('=') {
        let mut keys = (None, None);
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, key) = part.split_once('=')?;
            let key = Some(key.trim().to_owned());
            match name.trim().to_ascii_lowercase().as_str() {
                "accesskey" => keys.0 = key,
                "secretkey" => keys.1 = key,
                _ => return None,
            }
        }
        return keys.0.zip(keys.1);
    }
    let (access, secret) = text.trim().split_once(':')?;
    Some((access.trim().to_owned(), secret.trim().to_owned()))
}

/// Whether a text is one key: letters and digits.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn header(access: Option<&str>, secret: &str) -> Result<String, String> {
        let keys = Keys::of(access, &Secret::new(secret))?;
        Ok(keys.header().expose().to_owned())
    }

    #[test]
    fn a_pair_may_be_two_settings_or_one_text() {
        let expected = "accessKey=aa11;secretKey=bb22";
        for (access, secret) in [
            (Some("aa11"), "bb22"),
            (Some(" aa11 "), " bb22\n"),
            (None, "accessKey=aa11;secretKey=bb22"),
            (None, "accessKey=aa11; secretKey=bb22;"),
            (None, "secretkey = bb22 ; ACCESSKEY = aa11"),
            (None, "aa11:bb22"),
            (Some("aa11"), "accessKey=aa11;secretKey=bb22"),
        ] {
            assert_eq!(header(access, secret).unwrap(), expected, "{secret}");
        }
    }

    #[test]
    fn one_key_alone_and_what_is_no_key_are_refused_without_showing_any() {
        let lone = "7f".repeat(32);
        for (access, secret, word) in [
            (None, lone.as_str(), "access_key"),
            (None, "accessKey=aa11", "access_key"),
            (None, "accessKey=aa11;token=bb22", "access_key"),
            (Some("cc33"), "accessKey=aa11;secretKey=bb22", "keep one"),
            (Some("aa11"), "bb 22", "characters"),
            (None, "aa11:", "characters"),
            (Some("aa11"), "", "characters"),
        ] {
            let reason = header(access, secret).unwrap_err();
            assert!(reason.contains(word), "{reason}");
            for key in ["aa11", "bb22", "cc33", "bb 22", &lone] {
                assert!(!reason.contains(key), "{reason}");
            }
        }
    }
}
