//! Rows as they come: every field may be missing, null, blank or of another type.

use crate::connectors::lenient::{List, Number, Object, Text, Whole};

/// An issue of `issues/search`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Issue<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) project: Text<'a>,
    pub(super) component: Text<'a>,
    pub(super) rule: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) text_range: Object<TextRange>,
    pub(super) line: Whole,
    pub(super) severity: Text<'a>,
    pub(super) impacts: List<Object<Impact<'a>>>,
    /// From 10.4 on; the two that follow it before, and still.
    pub(super) issue_status: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) resolution: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) tags: List<Text<'a>>,
    pub(super) internal_tags: List<Text<'a>>,
    pub(super) code_variants: List<Text<'a>>,
    pub(super) creation_date: Text<'a>,
    pub(super) update_date: Text<'a>,
    pub(super) branch: Text<'a>,
    pub(super) pull_request: Text<'a>,
    pub(super) rule_description_context_key: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TextRange {
    pub(super) start_line: Whole,
    pub(super) end_line: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Impact<'a> {
    #[serde(borrow)]
    pub(super) software_quality: Text<'a>,
    pub(super) severity: Text<'a>,
}

/// A hotspot of `hotspots/search`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Hotspot<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    pub(super) project: Text<'a>,
    pub(super) component: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) security_category: Text<'a>,
    pub(super) vulnerability_probability: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) resolution: Text<'a>,
    /// From 9.7 on.
    pub(super) rule_key: Text<'a>,
    pub(super) text_range: Object<TextRange>,
    pub(super) line: Whole,
    pub(super) creation_date: Text<'a>,
    pub(super) update_date: Text<'a>,
}

/// A dependency risk of `sca/issues-releases`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Risk<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) vulnerability_id: Text<'a>,
    pub(super) cvss_score: Number,
    pub(super) cwe_ids: List<Text<'a>>,
    pub(super) created_at: Text<'a>,
    pub(super) release: Object<Release<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Release<'a> {
    #[serde(borrow)]
    pub(super) package_name: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) package_url: Text<'a>,
    pub(super) package_manager: Text<'a>,
}

/// Reads one element of a page; `what` is what it should be.
///
/// # Errors
/// It is no object.
pub(super) fn parse<'a, T>(json: &'a [u8], what: &str) -> Result<(T, &'a str), String>
where
    T: Default + serde::Deserialize<'a>,
{
    let text = std::str::from_utf8(json).map_err(|_| format!("{what} is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(format!("{what} is no object"));
    }
    let Object(row) = serde_json::from_str::<Object<T>>(text)
        .map_err(|error| format!("{what} cannot be read: {error}"))?;
    Ok((row, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn fields_of_wrong_types_are_absent_and_what_is_no_object_is_refused() {
        let json = br#"{"key":"k","project":7,"textRange":[],"line":"x","impacts":{},"tags":["a",1],"type":null}"#;
        let (issue, text) = parse::<Issue<'_>>(json, "an issue").unwrap();
        assert_eq!(issue.key.as_str(), Some("k"));
        assert_eq!(issue.project.as_str(), None);
        assert_eq!(issue.text_range.0.start_line.0, None);
        assert_eq!(issue.impacts.0.len(), 0);
        assert_eq!(text.as_bytes(), json);
        for wrong in ["null", "[]", "7", "\"x\""] {
            let refused = parse::<Issue<'_>>(wrong.as_bytes(), "an issue").unwrap_err();
            assert_eq!(refused, "an issue is no object");
        }
        assert!(parse::<Issue<'_>>(b"{\"key\":\"\xff\"}", "an issue").is_err());
    }
}
