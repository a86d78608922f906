//! Targets, which are the records.

use url::Url;

use super::row::{TargetPart, names};
use crate::connectors::Record;
use crate::connectors::lenient::Object;

/// A target that the key sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) name: String,
    /// URL and type.
    pub(super) detail: Option<String>,
    pub(super) labels: Vec<String>,
}

impl Target {
    /// Reads an element of the list.
    ///
    /// # Errors
    /// It has no id by which it can be asked for.
    pub(super) fn parse(element: &[u8]) -> Result<Self, String> {
        let Object(part) = serde_json::from_slice::<Object<TargetPart<'_>>>(element)
            .map_err(|error| format!("a target cannot be read: {error}"))?;
        let id = part.id.as_str().filter(|id| is_id(id));
        let id = id.ok_or_else(|| "a target has no id that can be asked for".to_owned())?;
        let site = &part.site.0;
        let url = site.url.as_str().map(without_user);
        let detail: Vec<_> = [url.as_deref(), part.kind.as_str()]
            .into_iter()
            .flatten()
            .collect();
        let name = [site.name.as_str(), part.name.as_str(), site.host.as_str()];
        let name = name.into_iter().flatten().next().unwrap_or(id);
        Ok(Self {
            id: id.to_owned(),
            name: name.trim().to_owned(),
            detail: (!detail.is_empty()).then(|| detail.join(", ")),
            labels: names(&part.labels),
        })
    }

    pub(super) fn record(&self) -> Record {
        Record {
            id: self.id.clone(),
            name: self.name.clone(),
            detail: self.detail.clone(),
        }
    }

    pub(super) fn has_label(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label.trim() == name)
    }
}

/// Whether it is a text that stands for itself in a path. The vendor's are base58 with `-` and `_`, at either end too.
pub(super) fn is_id(text: &str) -> bool {
    let is_mark = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(is_mark)
}

/// A URL without the user name and password that people put into it; any other text as it is.
pub(super) fn without_user(text: &str) -> String {
    let parsed = text.contains('@').then(|| Url::parse(text));
    match parsed {
        Some(Ok(mut url)) if !url.username().is_empty() || url.password().is_some() => {
            // Fails only for URLs that cannot have a user, and those have none.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_target_goes_by_the_name_of_its_site_else_by_its_own_else_by_its_host() {
        for (rest, name, detail) in [
            (
                r#""name":"own","site":{"name":"Shop","url":"https://me:pw@shop.example/","host":"shop.example"},"type":"single""#,
                "Shop",
                Some("https://shop.example/, single"),
            ),
            (
                r#""name":"own","site":{"name":"","host":"shop.example"},"type":"api""#,
                "own",
                Some("api"),
            ),
            (
                r#""name":"","site":{"name":null,"host":"shop.example"}"#,
                "shop.example",
                None,
            ),
            (r#""site":null"#, "AxtkqTE0v3E-", None),
        ] {
            let json = format!(r#"{{"id":"AxtkqTE0v3E-",{rest}}}"#);
            let target = Target::parse(json.as_bytes()).unwrap();
            assert_eq!(target.record().id, "AxtkqTE0v3E-");
            assert_eq!(
                (target.name.as_str(), target.detail.as_deref()),
                (name, detail)
            );
        }
    }

    #[test]
    fn a_target_that_cannot_be_asked_for_is_an_error() {
        for json in [
            "null",
            "{}",
            r#"{"id":null}"#,
            r#"{"id":"../profile"}"#,
            r#"{"id":"a b"}"#,
            r#"{"id":"a"#,
        ] {
            assert!(Target::parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn only_a_url_loses_its_user() {
        for (text, expected) in [
            ("https://shop.example/a@b", "https://shop.example/a@b"),
            ("https://u@shop.example/p?q=1", "https://shop.example/p?q=1"),
            ("me@shop.example", "me@shop.example"),
        ] {
            assert_eq!(without_user(text), expected);
        }
    }
}
