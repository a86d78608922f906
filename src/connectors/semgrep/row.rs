//! Findings as they come: every field may be missing, null, blank or of another type.

use serde_json::value::RawValue;

use crate::connectors::lenient::{Flag, List, Number, Object, Text, Whole};

/// An id, which is a number or a text by endpoint.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Id<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl Id<'_> {
    /// The id as text; none if it is blank, or neither.
    pub(super) fn text(self) -> Option<String> {
        let json = self.0?.get();
        let text: Text<'_> = serde_json::from_str(json).ok()?;
        text.to_owned().or_else(|| {
            let number: Whole = serde_json::from_str(json).ok()?;
            number.0.map(|number| number.to_string())
        })
    }
}

/// A finding in code or in a package.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) id: Id<'a>,
    pub(super) match_based_id: Text<'a>,
    pub(super) repository: Object<Repository<'a>>,
    #[serde(rename = "ref")]
    pub(super) git_ref: Text<'a>,
    pub(super) rule: Object<Rule<'a>>,
    /// Before there was `rule`.
    pub(super) rule_name: Text<'a>,
    pub(super) rule_message: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) categories: List<Text<'a>>,
    pub(super) status: Text<'a>,
    pub(super) triage_reason: Text<'a>,
    pub(super) location: Object<Location<'a>>,
    pub(super) line_of_code_url: Text<'a>,
    pub(super) created_at: Text<'a>,
    pub(super) relevant_since: Text<'a>,
    pub(super) state_updated_at: Text<'a>,
    pub(super) triaged_at: Text<'a>,
    pub(super) assistant: Object<Assistant<'a>>,
    pub(super) external_ticket: Object<Ticket<'a>>,
    pub(super) vulnerability_identifier: Text<'a>,
    pub(super) found_dependency: Object<Dependency<'a>>,
    pub(super) fix_recommendations: List<Object<Fix<'a>>>,
    pub(super) reachability: Text<'a>,
    pub(super) reachable_condition: Text<'a>,
    pub(super) is_malicious: Flag,
    pub(super) epss_score: Object<Epss>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Repository<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) category: Text<'a>,
    pub(super) subcategories: List<Text<'a>>,
    pub(super) vulnerability_classes: List<Text<'a>>,
    pub(super) cwe_names: List<Text<'a>>,
    pub(super) owasp_names: List<Text<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) file_path: Text<'a>,
    pub(super) line: Whole,
    pub(super) end_line: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Assistant<'a> {
    #[serde(borrow)]
    pub(super) guidance: Object<Guidance<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Guidance<'a> {
    #[serde(borrow)]
    pub(super) summary: Text<'a>,
    pub(super) instructions: Text<'a>,
}

/// So in both endpoints.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Ticket<'a> {
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Dependency<'a> {
    #[serde(borrow)]
    pub(super) package: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) ecosystem: Text<'a>,
    pub(super) transitivity: Text<'a>,
    pub(super) lockfile_line_url: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Fix<'a> {
    #[serde(borrow)]
    pub(super) package: Text<'a>,
    pub(super) version: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Epss {
    pub(super) score: Number,
}

/// A found secret.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SecretRow<'a> {
    #[serde(borrow)]
    pub(super) id: Id<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) finding_path: Text<'a>,
    pub(super) finding_path_url: Text<'a>,
    #[serde(rename = "ref")]
    pub(super) git_ref: Text<'a>,
    pub(super) repository: Object<Repository<'a>>,
    pub(super) severity: Text<'a>,
    pub(super) confidence: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) validation_state: Text<'a>,
    pub(super) mode: Text<'a>,
    pub(super) created_at: Text<'a>,
    pub(super) updated_at: Text<'a>,
    pub(super) external_ticket: Object<Ticket<'a>>,
}

/// Reads one element of an answer.
///
/// # Errors
/// It is no JSON at all, or names a field twice.
pub(super) fn parse<'a, T>(element: &'a [u8]) -> Result<(&'a str, T), String>
where
    T: serde::Deserialize<'a> + Default,
{
    let text = std::str::from_utf8(element).map_err(|_| "a finding is not UTF-8".to_owned())?;
    let Object(row) = serde_json::from_str::<Object<T>>(text)
        .map_err(|error| format!("a finding cannot be read: {error}"))?;
    Ok((text, row))
}

/// The URL if it is one for browsers.
pub(super) fn web(url: &Text<'_>) -> Option<String> {
    let url = url.as_str()?.trim();
    let web = url.starts_with("https://") || url.starts_with("http://");
    web.then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ids_may_be_numbers_or_text() {
        let id = |json: &str| {
            let json = format!(r#"{{"id":{json}}}"#);
            parse::<Row<'_>>(json.as_bytes()).unwrap().1.id.text()
        };
        assert_eq!(id("73000201").as_deref(), Some("73000201"));
        assert_eq!(id(r#""691234""#).as_deref(), Some("691234"));
        assert_eq!(id(r#""a\/b""#).as_deref(), Some("a/b"));
        for none in ["null", r#"" ""#, "[]", "{}", "true", "0.5"] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn a_row_of_wrong_types_is_read_all_the_same() {
        let json = br#"{"id":7,"location":"src","rule":[],"usage":7,"categories":"security","ref":4,"epss_score":{"score":"0.5"},
            "fix_recommendations":{},"found_dependency":null,"assistant":true,"is_malicious":"yes","unknown":{"a":[1]}}"#;
        let (_, row) = parse::<Row<'_>>(json).unwrap();
        assert_eq!(row.id.text().as_deref(), Some("7"));
        assert_eq!(row.epss_score.0.score.0, Some(0.5));
        assert_eq!(row.location.0.file_path.as_str(), None);
        assert_eq!(
            parse::<Row<'_>>(b"null").unwrap().1.id.text(),
            None,
            "null has no id"
        );
        assert!(parse::<Row<'_>>(b"\xff").is_err());
        assert!(parse::<Row<'_>>(b"{").is_err());
    }

    #[test]
    fn only_urls_for_browsers_are_kept() {
        let web = |url: &'static str| web(&Text(Some(url.into())));
        assert_eq!(web(" https://h/a ").as_deref(), Some("https://h/a"));
        assert_eq!(web("javascript:alert(1)"), None);
    }
}
