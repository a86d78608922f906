//! Projects: what is asked of them, and when an empty one proves nothing.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::lenient::{Object, Text, Whole};
use crate::connectors::Record;

/// How long after a BOM import an empty project may still be under analysis, on servers that do not tell when the last
/// analysis was (before 4.13).
const ANALYSIS_TAKES_AT_MOST: TimeDelta = TimeDelta::minutes(30);

/// A project as far as the import needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    last_bom_import: Option<DateTime<Utc>>,
    last_analysis: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    uuid: Text<'a>,
    name: Text<'a>,
    version: Text<'a>,
    last_bom_import: Whole,
    last_vulnerability_analysis: Whole,
}

impl Project {
    /// Reads a project; a missing name is replaced by the UUID.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let Object(row) = serde_json::from_slice::<Object<Row<'_>>>(json)
            .map_err(|error| format!("a project cannot be read: {error}"))?;
        let uuid = (row.uuid.to_owned()).ok_or_else(|| "a project has no uuid".to_owned())?;
        let time = |millis: Whole| millis.0.and_then(DateTime::from_timestamp_millis);
        Ok(Self {
            name: row.name.to_owned().unwrap_or_else(|| uuid.clone()),
            version: row.version.to_owned(),
            last_bom_import: time(row.last_bom_import),
            last_analysis: time(row.last_vulnerability_analysis),
            uuid,
        })
    }

    pub(super) fn record(&self) -> Record {
        Record {
            id: self.uuid.clone(),
            name: self.name.clone(),
            detail: self.version.clone(),
        }
    }

    /// `Shop 2.1`, for people.
    pub(super) fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// Why an answer without findings proves nothing: the newest BOM is not analysed yet. The findings' answer itself never
    /// says so.
    pub(super) fn analysis_pending(&self, now: DateTime<Utc>) -> Option<String> {
        let imported = self.last_bom_import?;
        let pending = match self.last_analysis {
            Some(analysed) => analysed < imported,
            None => now - imported < ANALYSIS_TAKES_AT_MOST,
        };
        pending.then(|| {
            format!(
                "no findings, but the BOM imported at {} is not analysed yet",
                imported.format("%Y-%m-%d %H:%M UTC")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn project(bom: Option<i64>, analysis: Option<i64>) -> Project {
        let mut json = serde_json::json!({"uuid": "u", "name": "Shop", "version": "2.1"});
        if let Some(minute) = bom {
            json["lastBomImport"] = (minute * 60_000).into();
        }
        if let Some(minute) = analysis {
            json["lastVulnerabilityAnalysis"] = (minute * 60_000).into();
        }
        Project::parse(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_project_whose_newest_bom_is_not_analysed_is_not_proven_clean() {
        let now = DateTime::from_timestamp(100 * 60, 0).unwrap();
        let pending = |bom, analysis| project(bom, analysis).analysis_pending(now).is_some();
        assert!(!pending(None, None));
        assert!(!pending(Some(50), Some(51)));
        assert!(pending(Some(50), Some(49)));
        assert!(pending(Some(90), None));
        assert!(!pending(Some(50), None));
    }

    #[test]
    fn a_project_needs_a_uuid_and_nothing_else() {
        assert!(Project::parse(br#"{"name":"Shop"}"#).is_err());
        let bare = Project::parse(br#"{"uuid":"u","name":null,"version":3}"#).unwrap();
        assert_eq!((bare.title(), bare.version), ("u".to_owned(), None));
        assert_eq!(project(None, None).title(), "Shop 2.1");
    }
}
