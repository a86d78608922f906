//! The form of an import.

use axum::extract::Multipart;
use bytes::Bytes;

/// Largest report, in bytes (`DD_SCAN_FILE_MAX_SIZE`).
const LARGEST: usize = 100 * 1_000_000;

const BOOLEANS: &[&str] = &[
    "auto_create_context",
    "close_old_findings",
    "do_not_reactivate",
    "deduplication_on_engagement",
    "active",
    "verified",
];

const NOT_BLANK: &[&str] = &[
    "product_type_name",
    "product_name",
    "engagement_name",
    "test_title",
    "service",
    "version",
    "branch_tag",
    "build_id",
    "commit_hash",
];

/// Its fields, as sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    texts: Vec<(String, String)>,
    file: Option<(String, Bytes)>,
}

impl Form {
    /// Reads it; none if it is no proper form.
    pub(super) async fn read(mut form: Multipart) -> Option<Self> {
        let mut read = Self::default();
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            match field.file_name().map(str::to_owned) {
                Some(file) => read.file = Some((file, field.bytes().await.ok()?)),
                None => read.texts.push((name, field.text().await.ok()?)),
            }
        }
        Some(read)
    }

    /// What is wrong with its fields: the field's name and DefectDojo's words.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        if !self.has("scan_type") {
            return Some(("scan_type", "This field is required.".to_owned()));
        }
        let scan_type = self.text("scan_type").unwrap_or_default();
        if scan_type != super::GENERIC {
            return Some((
                "scan_type",
                format!("\"{scan_type}\" is not a valid choice."),
            ));
        }
        for name in NOT_BLANK {
            if self.raw(name).is_some_and(|text| text.trim().is_empty()) {
                return Some((name, "This field may not be blank.".to_owned()));
            }
        }
        for name in BOOLEANS {
            if self.raw(name).is_some() && self.flag(name).is_none() {
                return Some((name, "Must be a valid boolean.".to_owned()));
            }
        }
        let severity = self.text("minimum_severity").unwrap_or("Info");
        if !["Info", "Low", "Medium", "High", "Critical"].contains(&severity) {
            let words = format!("\"{severity}\" is not a valid choice.");
            return Some(("minimum_severity", words));
        }
        match &self.file {
            None => Some(("non_field_errors", "File is required.".to_owned())),
            Some((_, file)) if file.len() > LARGEST => {
                let words = "Report file is too large. Maximum supported size is 100 MB";
                Some(("non_field_errors", words.to_owned()))
            }
            Some(_) => None,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let mut named = self.texts.iter().filter(|(key, _)| key == name);
        named.next_back().map(|(_, text)| text.as_str())
    }

    /// A text, without white space around it, if there is anything in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.raw(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// In lower case.
    pub(super) fn tags(&self) -> Vec<String> {
        let tags = self.texts.iter().filter(|(key, _)| key == "tags");
        tags.map(|(_, tag)| tag.to_lowercase()).collect()
    }

    /// By its name the parser knows the format.
    pub(super) fn is_json(&self) -> bool {
        let name = self.file.as_ref().map(|(name, _)| name.as_str());
        name.is_some_and(|name| name.ends_with(".json"))
    }

    pub(super) fn file(&self) -> &[u8] {
        self.file.as_ref().map_or(&[], |(_, file)| file)
    }
}
