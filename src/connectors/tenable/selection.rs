//! What an API configuration asks Tenable for, and what it leaves out of the answer.
//!
//! What selects assets (network, addresses, tags, licence) is asked of Tenable, and makes the record: another selection is
//! another record, and closes nothing of the one before. What selects among an asset's findings is left out here, so that what
//! is known stays as it is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::config::Settings;
use crate::connectors::Record;
use crate::finding::{Severity, Sighting, Status};

/// Tenable's words for severities, least severe first.
pub(super) const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];

/// 1 January 2000: before every finding. Without a time Tenable exports the last 30 days only, and a 0 is how it writes "unset".
const BEGINNING: i64 = 946_684_800;

/// Which of Tenable's products is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Vulnerability Management: findings on assets.
    Vm,
    /// Web App Scanning.
    Was,
}

impl Source {
    pub(super) fn of(api: &Settings) -> Self {
        match api.text("source") {
            Some("was") => Self::Was,
            _ => Self::Vm,
        }
    }

    /// The path below which the jobs of its exports are.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Vm => "/vulns/export",
            Self::Was => "/was/v1/export/vulns",
        }
    }
}

/// What an API configuration asks for.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) source: Source,
    network: Option<String>,
    range: Option<String>,
    tags: BTreeMap<String, Vec<String>>,
    severities: Vec<String>,
    families: Vec<String>,
    since_days: i64,
    include_unlicensed: bool,
}

impl Selection {
    pub(super) fn of(api: &Settings) -> Self {
        let text = |key| api.text(key).map(str::trim).filter(|t| !t.is_empty());
        let tags = api.lists("tags").map(|(category, values)| {
            let mut values = values.to_vec();
            values.sort();
            values.dedup();
            (category.to_owned(), values)
        });
        Self {
            source: Source::of(api),
            network: text("network_id").map(str::to_ascii_lowercase),
            range: text("cidr_range").map(str::to_owned),
            tags: tags.collect(),
            severities: api.list("severities").to_vec(),
            families: api.list("plugin_families").to_vec(),
            since_days: api.integer("since_days").unwrap_or(0),
            include_unlicensed: api.boolean("include_unlicensed").unwrap_or(true),
        }
    }

    /// The body of the request for an export. Everything is said, since every default leaves something out.
    pub(super) fn body(&self, num_assets: i64, now: DateTime<Utc>) -> Value {
        let since = match self.since_days {
            0 => BEGINNING,
            days => (now - TimeDelta::days(days)).timestamp(),
        };
        let mut filters = Map::new();
        filters.insert("since".to_owned(), since.into());
        filters.insert("state".to_owned(), json!(["OPEN", "REOPENED", "FIXED"]));
        if let Some(network) = &self.network {
            filters.insert("network_id".to_owned(), network.as_str().into());
        }
        if let Some(range) = &self.range {
            filters.insert("cidr_range".to_owned(), range.as_str().into());
        }
        for (category, values) in &self.tags {
            filters.insert(format!("tag.{category}"), json!(values));
        }
        json!({
            "num_assets": num_assets,
            "include_unlicensed": self.include_unlicensed,
            "filters": filters,
        })
    }

    /// Why absence from the export proves nothing, if so.
    pub(super) fn excerpt(&self) -> Option<String> {
        (self.since_days > 0).then(|| {
            format!(
                "since_days = {} reads a part of the history only, so nothing but what Tenable lists as fixed is resolved",
                self.since_days
            )
        })
    }

    /// Whether a finding is not to be taken in. One that is fixed always is: that it is over is news whatever is selected.
    pub(super) fn leaves_out(&self, sighting: &Sighting, family: Option<&str>) -> bool {
        if sighting.status == Status::Resolved {
            return false;
        }
        let severity = sighting.severity;
        let other_severity = severity != Severity::Unknown
            && !self.severities.is_empty()
            && !self.severities.iter().any(|word| word == severity.as_str());
        let other_family = !self.families.is_empty()
            && !family.is_some_and(|family| self.families.iter().any(|own| own == family));
        other_severity || other_family
    }

    /// The record that the selected assets are.
    pub(super) fn record(&self) -> Record {
        let mut parts = Vec::new();
        if let Some(network) = &self.network {
            parts.push((
                id_of_network(network),
                format!("assets of network {network}"),
            ));
        }
        if let Some(range) = &self.range {
            parts.push((format!("cidr:{range}"), format!("assets in {range}")));
        }
        for (category, values) in &self.tags {
            let values = values.join("|");
            parts.push((
                format!("tag:{category}={values}"),
                format!("assets tagged {category}: {values}"),
            ));
        }
        if parts.is_empty() {
            let Record { id, name, .. } = whole(self.source);
            parts.push((id, name));
        }
        if !self.include_unlicensed {
            parts.push(("licensed".to_owned(), "licensed only".to_owned()));
        }
        let (ids, names): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Record {
            id: ids.join(";"),
            name: names.join(", "),
            detail: None,
        }
    }

    /// Whether a record of the discovery is what is selected, or a part of how it is selected.
    pub(super) fn names(&self, record: &Record) -> bool {
        let one_of_tag = |(category, values): (&String, &Vec<String>)| {
            let mut ids = values.iter().map(|value| id_of_tag(category, value));
            ids.any(|id| id == record.id)
        };
        let own = self.record().id;
        own.split(';').any(|part| part == record.id) || self.tags.iter().any(one_of_tag)
    }
}

/// The record of everything that a product has.
pub(super) fn whole(source: Source) -> Record {
    let (id, name) = match source {
        Source::Vm => ("all-assets", "All assets"),
        Source::Was => ("web-applications", "Web applications"),
    };
    Record {
        id: id.to_owned(),
        name: name.to_owned(),
        detail: None,
    }
}

pub(super) fn id_of_network(uuid: &str) -> String {
    format!("network:{}", uuid.to_ascii_lowercase())
}

pub(super) fn id_of_tag(category: &str, value: &str) -> String {
    format!("tag:{category}={value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value as Setting;

    const NETWORK: &str = "42475F11-5e6b-4d6a-a53d-63fe494961df";

    fn selection(pairs: Vec<(&'static str, Setting)>) -> Selection {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, value);
        }
        Selection::of(&settings)
    }

    fn text(text: &str) -> Setting {
        Setting::Text(text.to_owned())
    }

    fn list(items: &[&str]) -> Setting {
        Setting::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    fn tags() -> Setting {
        let values = vec!["Staging".to_owned(), "Production".to_owned()];
        Setting::Lists(BTreeMap::from([("Environment".to_owned(), values)]))
    }

    #[test]
    fn the_whole_history_all_states_and_unlicensed_assets_are_asked_for() {
        let expected = json!({
            "num_assets": 500, "include_unlicensed": true,
            "filters": {"since": 946_684_800, "state": ["OPEN", "REOPENED", "FIXED"]},
        });
        let all = selection(vec![("severities", list(&["high"]))]);
        assert_eq!(all.body(500, Utc::now()), expected);
        assert_eq!(all.excerpt(), None);
    }

    #[test]
    fn selectors_of_assets_are_asked_of_tenable_and_make_the_record() {
        let narrow = selection(vec![
            ("network_id", text(NETWORK)),
            ("cidr_range", text("10.0.0.0/8")),
            ("tags", tags()),
            ("include_unlicensed", Setting::Boolean(false)),
            ("since_days", Setting::Integer(2)),
        ]);
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        assert_eq!(
            narrow.body(50, now),
            json!({
                "num_assets": 50, "include_unlicensed": false,
                "filters": {
                    "since": 1_699_827_200, "state": ["OPEN", "REOPENED", "FIXED"],
                    "network_id": NETWORK.to_lowercase(), "cidr_range": "10.0.0.0/8",
                    "tag.Environment": ["Production", "Staging"],
                },
            })
        );
        assert_eq!(
            narrow.record().id,
            format!(
                "network:{};cidr:10.0.0.0/8;tag:Environment=Production|Staging;licensed",
                NETWORK.to_lowercase()
            )
        );
        assert!(narrow.excerpt().is_some_and(|why| why.contains("2")));
    }

    #[test]
    fn records_of_the_discovery_are_recognised() {
        let record = |id: String| Record {
            id,
            name: String::new(),
            detail: None,
        };
        let all = selection(vec![]);
        assert!(all.names(&whole(Source::Vm)) && !all.names(&whole(Source::Was)));
        assert!(!all.names(&record(id_of_network(NETWORK))));
        let tagged = selection(vec![("tags", tags())]);
        assert!(tagged.names(&record(id_of_tag("Environment", "Staging"))));
        assert!(!tagged.names(&record(id_of_tag("Environment", "Test"))));
        assert!(!tagged.names(&whole(Source::Vm)));
        let network = selection(vec![("network_id", text(NETWORK))]);
        assert!(network.names(&record(id_of_network(NETWORK))));
        let web = selection(vec![("source", text("was"))]);
        assert_eq!(web.record(), whole(Source::Was));
    }

    #[test]
    fn other_severities_and_families_are_left_out_unless_they_are_fixed() {
        let narrow = selection(vec![
            ("severities", list(&["high", "critical"])),
            ("plugin_families", list(&["CGI abuses"])),
        ]);
        let left_out = |severity, status, family| {
            let sighting = Sighting {
                severity,
                status,
                ..Sighting::default()
            };
            narrow.leaves_out(&sighting, family)
        };
        let own = Some("CGI abuses");
        assert!(!left_out(Severity::High, Status::Open, own));
        assert!(!left_out(Severity::Unknown, Status::Open, own));
        assert!(!left_out(Severity::Info, Status::Resolved, None));
        assert!(left_out(Severity::Low, Status::Open, own));
        assert!(left_out(Severity::High, Status::RiskAccepted, Some("Web")));
        assert!(left_out(Severity::High, Status::Open, None));
        let all = selection(vec![("severities", list(SEVERITIES))]);
        assert!(!all.leaves_out(&Sighting::default(), None));
    }
}
