//! The answers to batches, and the refusals.

use serde_json::value::RawValue;

use super::super::lenient::Text;
use super::batch::Page;

/// Longest id that OSV takes.
const LONGEST_ID: usize = 100;

#[derive(serde::Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    vulns: Option<Vec<Option<Vulnerability<'a>>>>,
    next_page_token: Option<String>,
}

#[derive(serde::Deserialize)]
struct Vulnerability<'a> {
    id: Option<String>,
    /// Only says whether a record has to be fetched again.
    #[serde(borrow, default)]
    modified: Text<'a>,
}

/// Reads the answer to one query. Nothing that says what is there is read leniently: what is overlooked looks like a clean package.
pub(super) fn page(entry: &RawValue) -> Page {
    match hits(entry) {
        Ok(page) => page,
        Err(reason) => Page::Unreadable(reason),
    }
}

fn hits(entry: &RawValue) -> Result<Page, String> {
    let entry = serde_json::from_str::<Entry<'_>>(entry.get())
        .map_err(|error| format!("an entry of the answer cannot be read: {error}"))?;
    let hit = |vulnerability: Option<Vulnerability<'_>>| {
        let vulnerability = vulnerability.ok_or("a vulnerability is null")?;
        let id = vulnerability.id.filter(|id| is_id(id));
        let id = id.ok_or("a vulnerability has no usable id")?;
        Ok((id, vulnerability.modified.to_owned().unwrap_or_default()))
    };
    let hits: Result<Vec<_>, &str> = entry.vulns.into_iter().flatten().map(hit).collect();
    Ok(Page::Hits {
        hits: hits?,
        next: entry.next_page_token.filter(|token| !token.is_empty()),
    })
}

/// An id becomes part of a path.
fn is_id(id: &str) -> bool {
    id.chars().count() <= LONGEST_ID
        && id.contains(|c: char| c.is_ascii_alphanumeric())
        && !id.contains(char::is_control)
}

#[derive(serde::Deserialize)]
struct Status {
    code: i64,
    message: String,
}

/// gRPC's word for a request that is wrong in itself.
const INVALID_ARGUMENT: i64 = 3;

/// What a refusal says of a query: its place if it is named, and the reason; none if it is about anything else.
pub(super) fn refusal(body: &str) -> Option<(Option<usize>, String)> {
    let status: Status = serde_json::from_str(body).ok()?;
    if status.code != INVALID_ARGUMENT {
        return None;
    }
    let message = &status.message;
    let index = message.split_once("index ").and_then(|(_, rest)| {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    let reason = message
        .split_once("desc = ")
        .map_or(message.as_str(), |(_, reason)| reason);
    Some((index, reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(entry: &str) -> Page {
        page(&RawValue::from_string(entry.to_owned()).unwrap())
    }

    #[test]
    fn an_entry_without_hits_is_a_clean_package() {
        let clean = Page::Hits {
            hits: Vec::new(),
            next: None,
        };
        for entry in [
            "{}",
            r#"{"vulns":[]}"#,
            r#"{"vulns":null,"next_page_token":""}"#,
            r#"{"new":1}"#,
        ] {
            assert_eq!(read(entry), clean, "{entry}");
        }
    }

    #[test]
    fn ids_times_and_tokens_are_read() {
        assert_eq!(
            read(
                r#"{"vulns":[{"id":"GHSA-1","modified":"2026-07-29T05:15:34.230069Z"},{"id":"A"}],"next_page_token":"t"}"#
            ),
            Page::Hits {
                hits: vec![
                    (
                        "GHSA-1".to_owned(),
                        "2026-07-29T05:15:34.230069Z".to_owned()
                    ),
                    ("A".to_owned(), String::new())
                ],
                next: Some("t".to_owned()),
            }
        );
    }

    #[test]
    fn what_is_not_as_promised_is_never_a_clean_package() {
        let long = format!(r#"{{"vulns":[{{"id":"{}"}}]}}"#, "A".repeat(101));
        for entry in [
            "null",
            "[]",
            "7",
            r#"{"vulns":{}}"#,
            r#"{"vulns":[null]}"#,
            r#"{"vulns":[{}]}"#,
            r#"{"vulns":[{"id":7}]}"#,
            r#"{"vulns":[{"id":""}]}"#,
            r#"{"vulns":[{"id":".."}]}"#,
            r#"{"next_page_token":7}"#,
            &long,
        ] {
            assert!(matches!(read(entry), Page::Unreadable(_)), "{entry}");
        }
    }

    #[test]
    fn a_refusal_names_the_query_or_not() {
        let read = |body: &str| refusal(body);
        assert_eq!(
            read(
                r#"{"code":3,"message":"error in query at index 7: rpc error: code = InvalidArgument desc = invalid ecosystem"}"#
            ),
            Some((Some(7), "invalid ecosystem".to_owned()))
        );
        assert_eq!(
            read(r#"{"code":3,"message":"too many queries"}"#),
            Some((None, "too many queries".to_owned()))
        );
        assert_eq!(
            read(r#"{"code":13,"message":"internal server error at index 1"}"#),
            None
        );
        assert_eq!(read("Bad Request"), None);
    }
}
