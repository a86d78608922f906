//! What the connector says of itself, the settings it takes, and where the service is.

use super::target::{Target, is_id};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings};

/// The service's hosts by region (contract 1). The vendor's clients go to the first unless they are told otherwise, which is
/// in the EU.
pub(super) const HOSTS: &[(&str, &str)] = &[
    ("default", DEFAULT),
    ("eu", "https://api.eu.probely.com/"),
    ("us", "https://api.us.probely.com/"),
    ("au", "https://api.au.probely.com/"),
];

const DEFAULT: &str = "https://api.probely.com/";

/// Findings of a page; one may have half a megabyte.
const PAGE_LENGTH: i64 = 50;

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "probely",
    title: "Probely (Snyk API & Web)",
    direction: Direction::Source,
    location_meaning: "the API of your account's region, such as https://api.us.probely.com/, or the region alone (eu, us, au); without it https://api.probely.com/",
    default_location: Some(DEFAULT),
    endpoint_of_region: Some(endpoint_of_region),
    secret: Need::Required,
    secret_meaning: "an API key (sent as Authorization: JWT …)",
    permissions: &[
        "view_target, in a custom role of the key (without it every list is empty, and no error is told)",
        "all targets that are to be imported in the scope of that role; a key of one target sees that one only",
    ],
    record_meaning: "a target; its id is the target's",
    source_id_form: "<target id>-<number>: the finding's number counts per target",
    tool_settings: &[Setting {
        key: "page_length",
        kind: SettingKind::Integer {
            min: 1,
            max: 500,
            default: Some(PAGE_LENGTH),
        },
        required: false,
        meaning: "How many findings to ask for at once. Each may come with whole HTTP responses.",
    }],
    api_settings: &[
        Setting {
            key: "targets",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Ids of the targets to read. Without it: every target that the key sees.",
        },
        Setting {
            key: "target_labels",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Names of labels: only targets that have one of them are read. What was read of others stays as it is.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool: |_| Vec::new(),
};

fn endpoint_of_region(region: &str) -> Option<String> {
    let regions = HOSTS.iter().filter(|(_, url)| *url != DEFAULT);
    let mut named = regions.filter(|(name, _)| name.eq_ignore_ascii_case(region));
    named.next().map(|(_, url)| (*url).to_owned())
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for id in api.list("targets").iter().filter(|id| !is_id(id.trim())) {
        wrong.push((
            "targets",
            format!(
                "{id:?} is no id of a target like 46aGYvJUPCtW; `secpull discover TOOL` shows them, and names go into records"
            ),
        ));
    }
    if api
        .list("target_labels")
        .iter()
        .any(|label| label.trim().is_empty())
    {
        wrong.push(("target_labels", "an empty name is no label".to_owned()));
    }
    wrong
}

/// How many findings a page is to have.
pub(super) fn page_length(tool: &Settings) -> i64 {
    tool.integer("page_length").unwrap_or(PAGE_LENGTH)
}

/// Which targets an API configuration reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Ids; none named means all.
    ids: Vec<String>,
    /// One of these labels; none named means any target.
    labels: Vec<String>,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let trimmed = |key| {
            let list = settings.list(key).iter();
            list.map(|text| text.trim().to_owned()).collect()
        };
        Self {
            ids: trimmed("targets"),
            labels: trimmed("target_labels"),
        }
    }

    /// Whether it names its targets one by one.
    pub(super) fn names_targets(&self) -> bool {
        !self.ids.is_empty()
    }

    pub(super) fn includes(&self, target: &Target) -> bool {
        let named = self.ids.is_empty() || self.ids.contains(&target.id);
        let labelled =
            self.labels.is_empty() || self.labels.iter().any(|label| target.has_label(label));
        named && labelled
    }

    /// Those of all targets that are to be read.
    ///
    /// # Errors
    /// A target that is named is not there, or no target has what is asked for: that is never taken for "no findings".
    pub(super) fn choose<'a>(&self, all: &'a [Target]) -> Result<Vec<&'a Target>, String> {
        let missing = |id: &&String| !all.iter().any(|target| target.id == **id);
        if let Some(id) = self.ids.iter().find(missing) {
            return Err(format!(
                "target {id} is not there, or the key may not see it; its findings stay as they are"
            ));
        }
        let chosen: Vec<_> = all.iter().filter(|target| self.includes(target)).collect();
        if chosen.is_empty() && !self.labels.is_empty() {
            return Err(format!(
                "no target that the key sees, and that is selected, has a label of {:?}; their findings stay as they are",
                self.labels
            ));
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::Value;

    fn settings(targets: &[&str], labels: &[&str]) -> Settings {
        let list = |items: &[&str]| Value::List(items.iter().map(|&one| one.to_owned()).collect());
        let mut settings = Settings::default();
        settings.insert("targets", list(targets));
        settings.insert("target_labels", list(labels));
        settings
    }

    fn target(id: &str, labels: &[&str]) -> Target {
        Target {
            id: id.to_owned(),
            name: id.to_owned(),
            detail: None,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
        }
    }

    fn chosen(targets: &[&str], labels: &[&str]) -> Result<Vec<String>, String> {
        let all = [
            target("AxtkqTE0v3E-", &["prod"]),
            target("46aGYvJUPCtW", &["test", "eu"]),
        ];
        let chosen = Selection::of(&settings(targets, labels)).choose(&all)?;
        Ok(chosen.into_iter().map(|target| target.id.clone()).collect())
    }

    #[test]
    fn targets_are_chosen_by_id_and_by_label() {
        assert_eq!(chosen(&[], &[]).unwrap().len(), 2);
        assert_eq!(chosen(&["AxtkqTE0v3E-"], &[]).unwrap(), ["AxtkqTE0v3E-"]);
        assert_eq!(chosen(&[], &["eu", "other"]).unwrap(), ["46aGYvJUPCtW"]);
        let both = chosen(&["AxtkqTE0v3E-", " 46aGYvJUPCtW "], &["prod"]);
        assert_eq!(both.unwrap(), ["AxtkqTE0v3E-"]);
    }

    #[test]
    fn what_is_asked_for_and_not_there_is_an_error_and_not_nothing() {
        let error = chosen(&["46aGYvJUPCtW", "gone"], &[]).unwrap_err();
        assert!(error.contains("target gone is not there"), "{error}");
        let error = chosen(&[], &["PROD"]).unwrap_err();
        assert!(error.contains("PROD"), "{error}");
        assert!(chosen(&["46aGYvJUPCtW"], &["prod"]).is_err());
    }

    #[test]
    fn ids_must_look_like_ids_and_labels_must_have_a_name() {
        let wrong = |targets: &[&str], labels: &[&str]| {
            let wrong = validate_api(&Settings::default(), &settings(targets, labels));
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(wrong(&["AxtkqTE0v3E-", "_46aGYvJUPCtW"], &["a b"]).is_empty());
        assert_eq!(wrong(&["https://shop.example"], &[]), ["targets"]);
        assert_eq!(wrong(&["", "Shop web"], &[" "]).len(), 3);
    }

    #[test]
    fn a_region_is_a_location() {
        for (region, url) in [
            ("us", Some("https://api.us.probely.com/")),
            ("EU", Some("https://api.eu.probely.com/")),
            ("au", Some("https://api.au.probely.com/")),
            ("default", None),
            ("shop.example", None),
        ] {
            assert_eq!(endpoint_of_region(region).as_deref(), url, "{region}");
        }
    }
}
