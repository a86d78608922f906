//! JSON:API documents: what stands around lists and single things.

use serde_json::value::RawValue;

use crate::connectors::lenient::{List, Object, Text};

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Vec<Box<RawValue>>,
    /// The link to the next page, as it is written.
    pub(super) next: Option<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Document {
    data: Option<Box<RawValue>>,
    links: Object<Links>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Links {
    next: Option<Box<RawValue>>,
}

/// A link that is an object (contract 3).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Link<'a> {
    #[serde(borrow)]
    href: Text<'a>,
}

/// Reads a page.
///
/// # Errors
/// It is none. A link that cannot be read is an error too, and not the end of the list.
pub(super) fn page(body: &str) -> Result<Page, String> {
    let document = document(body)?;
    let data = document
        .data
        .ok_or_else(|| "the answer has no data".to_owned())?;
    let rows = serde_json::from_str(data.get()).map_err(|_| "data is no list".to_owned())?;
    let next = document.links.0.next;
    Ok(Page {
        rows,
        next: next.map(|link| href(link.get())).transpose()?,
    })
}

/// Reads the one thing of an answer.
///
/// # Errors
/// There is none.
pub(super) fn one(body: &str) -> Result<Box<RawValue>, String> {
    document(body)?
        .data
        .ok_or_else(|| "the answer has no data".to_owned())
}

fn document(body: &str) -> Result<Document, String> {
    serde_json::from_str(body)
        .map_err(|_| "the answer is no JSON:API document; is location Snyk's REST API?".to_owned())
}

fn href(link: &str) -> Result<String, String> {
    let unreadable = || "the link to the next page cannot be read".to_owned();
    let Text(text) = serde_json::from_str(link).map_err(|_| unreadable())?;
    if let Some(text) = text {
        return Ok(text.into_owned());
    }
    let Object(Link { href }) = serde_json::from_str(link).map_err(|_| unreadable())?;
    href.to_owned().ok_or_else(unreadable)
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: List<Object<Fault<'a>>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Fault<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    title: Text<'a>,
    detail: Text<'a>,
}

/// What an error's body says, in one line; none if it is none of Snyk's, as proxies and gateways answer too.
pub(super) fn fault(body: &str) -> Option<String> {
    let Object(Errors { errors }) = serde_json::from_str(body).ok()?;
    let Object(first) = errors.0.first()?;
    let words = [&first.title, &first.detail, &first.code];
    let words: Vec<_> = words.iter().filter_map(|word| word.as_str()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_link_is_text_or_an_object_and_anything_else_is_not_the_end() {
        let next = |links: &str| page(&format!(r#"{{"data":[{{"id":1}}],{links}}}"#));
        for (links, expected) in [
            (r#""links":{"next":"/rest/a?b=%3D"}"#, Some("/rest/a?b=%3D")),
            (
                r#""links":{"next":{"href":"/orgs/a?b=c","meta":{}}}"#,
                Some("/orgs/a?b=c"),
            ),
            (r#""links":{"next":null}"#, None),
            (r#""links":{}"#, None),
            (r#""links":null"#, None),
            (r#""jsonapi":{}"#, None),
        ] {
            let page = next(links).unwrap();
            assert_eq!(page.next.as_deref(), expected, "{links}");
            assert_eq!(page.rows.len(), 1);
        }
        for links in [
            r#""links":{"next":7}"#,
            r#""links":{"next":{}}"#,
            r#""links":{"next":""}"#,
            r#""links":{"next":["a"]}"#,
        ] {
            assert!(next(links).is_err(), "{links}");
        }
    }

    #[test]
    fn what_has_no_list_is_no_page() {
        for body in [
            "{}",
            "[]",
            "null",
            r#"{"data":{}}"#,
            r#"{"data":null}"#,
            r#"{"errors":[]}"#,
        ] {
            assert!(page(body).is_err(), "{body}");
        }
        assert!(page(r#"{"data":[]}"#).unwrap().rows.is_empty());
        assert!(one(r#"{"data":{"id":"a"}}"#).is_ok());
        assert!(one(r#"{"data":null}"#).is_err());
    }

    #[test]
    fn an_error_is_told_in_its_own_words() {
        let body = r#"{"jsonapi":{"version":"1.0"},"errors":[{"id":"x","status":"401","code":"SNYK-0005","title":"Authentication error","detail":"no"}]}"#;
        assert_eq!(
            fault(body).as_deref(),
            Some("Authentication error, no, SNYK-0005")
        );
        assert_eq!(fault(r#"{"status":"401","code":"Unauthorized"}"#), None);
        assert_eq!(fault("<html>"), None);
        assert_eq!(fault(r#"{"errors":["x"]}"#), None);
    }
}
