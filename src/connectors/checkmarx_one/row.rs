//! A result as it comes: every field may be missing, null, blank or of another type.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::connectors::lenient::{List, Number, Object, Text, Whole};

/// A number or a text: the vendor's ids are either, by version and by engine.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Scalar<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl Scalar<'_> {
    /// What is written there; none if it is blank, or neither.
    pub(super) fn text(self) -> Option<String> {
        let raw = self.0?.get();
        let text = match raw.as_bytes().first()? {
            b'"' => serde_json::from_str::<String>(raw).ok()?,
            b'0'..=b'9' | b'-' => raw.to_owned(),
            _ => return None,
        };
        (!text.trim().is_empty()).then_some(text)
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Row<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) id: Scalar<'a>,
    pub(super) similarity_id: Scalar<'a>,
    /// So in an older description.
    #[serde(rename = "similarityID")]
    pub(super) similarity_id_of_old: Scalar<'a>,
    pub(super) alternate_id: Scalar<'a>,
    pub(super) status: Text<'a>,
    pub(super) state: Text<'a>,
    pub(super) severity: Text<'a>,
    pub(super) first_found_at: Text<'a>,
    pub(super) found_at: Text<'a>,
    pub(super) update_at: Text<'a>,
    pub(super) description: Text<'a>,
    pub(super) sca_type: Text<'a>,
    pub(super) data: Object<Data<'a>>,
    pub(super) vulnerability_details: Object<Details<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) query_id: Scalar<'a>,
    pub(super) query_name: Text<'a>,
    pub(super) query_url: Text<'a>,
    pub(super) group: Text<'a>,
    pub(super) result_hash: Scalar<'a>,
    pub(super) language_name: Text<'a>,
    pub(super) nodes: List<Object<Node<'a>>>,
    pub(super) file_name: Text<'a>,
    /// So in exports of the command line.
    #[serde(rename = "filename")]
    pub(super) filename: Text<'a>,
    pub(super) line: Whole,
    pub(super) platform: Text<'a>,
    pub(super) issue_type: Text<'a>,
    pub(super) expected_value: Text<'a>,
    pub(super) value: Text<'a>,
    pub(super) package_identifier: Text<'a>,
    pub(super) recommendations: Text<'a>,
    pub(super) recommended_version: Scalar<'a>,
    pub(super) package_data: List<Object<PackageData<'a>>>,
    pub(super) package_name: Text<'a>,
    pub(super) package_version: Text<'a>,
    pub(super) image_name: Text<'a>,
    pub(super) image_tag: Text<'a>,
    pub(super) image_file_path: Text<'a>,
    pub(super) image_origin: Text<'a>,
    pub(super) rule_id: Text<'a>,
    pub(super) rule_name: Text<'a>,
    pub(super) rule_description: Text<'a>,
    pub(super) slsa_step: Text<'a>,
    pub(super) remediation: Text<'a>,
    pub(super) remediation_link: Text<'a>,
    pub(super) validity: Text<'a>,
    pub(super) commit_url: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Node<'a> {
    #[serde(borrow)]
    pub(super) file_name: Text<'a>,
    #[serde(rename = "filename")]
    pub(super) filename: Text<'a>,
    pub(super) line: Whole,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct PackageData<'a> {
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Details<'a> {
    #[serde(borrow)]
    pub(super) cwe_id: Scalar<'a>,
    pub(super) cvss_score: Number,
    pub(super) cve_name: Text<'a>,
    /// Its keys are spelled in two ways.
    pub(super) cvss: Object<BTreeMap<String, Text<'a>>>,
    pub(super) compliances: List<Text<'a>>,
}

impl<'a> Row<'a> {
    /// Reads one element of the answer.
    ///
    /// # Errors
    /// It is no JSON object with a type.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let Object(row) = serde_json::from_str::<Object<Row<'a>>>(text)
            .map_err(|error| format!("a result cannot be read: {error}"))?;
        match row.kind.as_str() {
            Some(_) => Ok(row),
            None => Err("a result has no type".to_owned()),
        }
    }

    /// Its type, as ids begin with it.
    pub(super) fn type_name(&self) -> String {
        let kind = self.kind.as_str().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    pub(super) fn similarity(&self) -> Option<String> {
        self.similarity_id
            .text()
            .or_else(|| self.similarity_id_of_old.text())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ids_may_be_numbers_of_any_size_or_text() {
        let text = |json: &str| {
            let json = format!(r#"{{"type":"sast","id":{json}}}"#);
            Row::parse(&json).unwrap().id.text()
        };
        assert_eq!(
            text("12956636075206043460").as_deref(),
            Some("12956636075206043460")
        );
        assert_eq!(text("-624652752").as_deref(), Some("-624652752"));
        assert_eq!(text(r#""a\/b""#).as_deref(), Some("a/b"));
        for none in ["null", r#"" ""#, "[]", "{}", "true"] {
            assert_eq!(text(none), None, "{none}");
        }
    }

    #[test]
    fn a_row_of_wrong_types_is_kept_as_long_as_it_has_a_type() {
        let json = r#"{"type":" SCA ","data":7,"vulnerabilityDetails":[],"severity":{},"similarityID":"s","unknown":1}"#;
        let row = Row::parse(json).unwrap();
        assert_eq!(row.type_name(), "sca");
        assert_eq!(row.similarity().as_deref(), Some("s"));
        assert!(Row::parse(r#"{"type":42}"#).is_err());
        assert!(Row::parse("null").is_err());
    }
}
