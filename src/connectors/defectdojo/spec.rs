//! What the connector says of itself, and the settings it takes.

use super::inventory::Part;
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings, ToolDraft};

/// Findings of a page. From some hundred on the server needs seconds a page (contract 6).
const PAGE_SIZE: i64 = 100;

/// What ends a location that is the API's instead of the instance's.
const API: &str = "/api/v2";

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "defectdojo",
    title: "DefectDojo 2.x and 3.x, API v2",
    direction: Direction::Both,
    location_meaning: "the instance's address as people open it, with its URL prefix if it has one, and without /api/v2",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Required,
    secret_meaning: "an API v2 key (sent as Authorization: Token …)",
    permissions: &[
        "to read from it: Reader on the products to be imported (what the key's user may not see is not there for it, and no error is told)",
        "to forward to it: Writer or API Importer on the products, and the right to add products and product types where they shall be added",
    ],
    record_meaning: "a product (an asset, since 3.0); its id is the product's number",
    source_id_form: "the finding's number in the instance",
    tool_settings: &[],
    api_settings: &[
        Setting {
            key: "dojo_product",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Name of the product to read. Without it, and without the next two: every product that the key's user sees.",
        },
        Setting {
            key: "dojo_engagement_id",
            kind: SettingKind::Integer {
                min: 1,
                max: i64::MAX,
                default: None,
            },
            required: false,
            meaning: "Number of the engagement to read, in place of a product.",
        },
        Setting {
            key: "dojo_test_id",
            kind: SettingKind::Integer {
                min: 1,
                max: i64::MAX,
                default: None,
            },
            required: false,
            meaning: "Number of the test to read, in place of a product.",
        },
        Setting {
            key: "include_inactive",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether findings are taken in that are not active: false positives, accepted risks, what is out of scope or not confirmed yet. With false, those that are known stay as they were; what is mitigated is told as resolved all the same.",
        },
        Setting {
            key: "branch_tags",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether the branch_tag of a test is the branch of its findings. With false tests of all branches are read as one, and `branch` of automatic_import may name it.",
        },
        Setting {
            key: "page_size",
            kind: SettingKind::Integer {
                min: 1,
                max: 1000,
                default: Some(PAGE_SIZE),
            },
            required: false,
            meaning: "How many findings to ask for at once. DefectDojo takes seconds for some hundred; the tool's `timeout` must be enough for one page.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |api| {
        let one_test = api.integer(TEST).is_some();
        (branch_tags(api) && !one_test).then_some("branch_tags")
    },
    validate_api,
    validate_tool,
};

const PRODUCT: &str = "dojo_product";
const ENGAGEMENT: &str = "dojo_engagement_id";
const TEST: &str = "dojo_test_id";

fn branch_tags(api: &Settings) -> bool {
    api.boolean("branch_tags").unwrap_or(true)
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let given = [
        (PRODUCT, api.text(PRODUCT).is_some()),
        (ENGAGEMENT, api.integer(ENGAGEMENT).is_some()),
        (TEST, api.integer(TEST).is_some()),
    ];
    let mut given = given.iter().filter(|(_, is_given)| *is_given);
    let first = given.next().map_or("", |(first, _)| *first);
    let others = given.map(|(key, _)| {
        let message = format!("is given beside {first}; allowed: one of the two");
        (*key, message)
    });
    let blank = api.text(PRODUCT).is_some_and(|name| name.trim().is_empty());
    let blank = blank.then(|| {
        (
            PRODUCT,
            "is blank; allowed: the name of a product".to_owned(),
        )
    });
    others.chain(blank).collect()
}

fn validate_tool(tool: &ToolDraft<'_>) -> Vec<(&'static str, String)> {
    let path = tool.location.map(|location| location.path());
    let path = path.map(|path| path.trim_end_matches('/'));
    let instance = path.and_then(|path| path.strip_suffix(API));
    let mut wrong = Vec::new();
    if let (Some(instance), Some(location)) = (instance, tool.location) {
        let mut right = location.clone();
        right.set_path(instance);
        wrong.push((
            "location",
            format!("ends with {API}, which secpull adds itself; allowed: {right}"),
        ));
    }
    wrong
}

/// What an API configuration reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) wanted: Wanted,
    pub(super) include_inactive: bool,
    pub(super) branch_tags: bool,
    /// How many findings a page is to have.
    pub(super) page_size: u64,
}

/// Of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Every product that is seen.
    All,
    /// The product of this name.
    Named(String),
    /// An engagement or a test.
    Part(Part),
}

impl Selection {
    pub(super) fn of(api: &Settings) -> Self {
        let number = |key| api.integer(key).map(i64::unsigned_abs);
        let name = api.text(PRODUCT).map(|name| name.trim().to_owned());
        let wanted = match (name, number(ENGAGEMENT), number(TEST)) {
            (Some(name), _, _) => Wanted::Named(name),
            (None, Some(id), _) => Wanted::Part(Part::Engagement(id)),
            (None, None, Some(id)) => Wanted::Part(Part::Test(id)),
            (None, None, None) => Wanted::All,
        };
        Self {
            wanted,
            include_inactive: api.boolean("include_inactive").unwrap_or(true),
            branch_tags: branch_tags(api),
            page_size: api.integer("page_size").unwrap_or(PAGE_SIZE).unsigned_abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use url::Url;

    use super::*;
    use crate::config::Value;

    fn settings(values: &[(&'static str, Value)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in values {
            settings.insert(key, value.clone());
        }
        settings
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn one_thing_is_selected_or_everything() {
        let wanted = |values: &[_]| Selection::of(&settings(values)).wanted;
        assert_eq!(wanted(&[]), Wanted::All);
        assert_eq!(
            wanted(&[(PRODUCT, text(" Shop "))]),
            Wanted::Named("Shop".to_owned())
        );
        assert_eq!(
            wanted(&[(ENGAGEMENT, Value::Integer(5))]),
            Wanted::Part(Part::Engagement(5))
        );
        assert_eq!(
            wanted(&[(TEST, Value::Integer(7))]),
            Wanted::Part(Part::Test(7))
        );
        let wrong = validate_api(
            &Settings::default(),
            &settings(&[(PRODUCT, text("Shop")), (TEST, Value::Integer(7))]),
        );
        assert_eq!(
            wrong,
            [(
                TEST,
                "is given beside dojo_product; allowed: one of the two".to_owned()
            )]
        );
        let wrong = validate_api(&Settings::default(), &settings(&[(PRODUCT, text(" "))]));
        assert_eq!(wrong[0].0, PRODUCT);
    }

    #[test]
    fn several_branches_are_read_unless_the_settings_say_otherwise() {
        let several = |values: &[_]| (SPEC.reads_several_branches)(&settings(values));
        assert_eq!(several(&[]), Some("branch_tags"));
        assert_eq!(several(&[("branch_tags", Value::Boolean(false))]), None);
        assert_eq!(several(&[(TEST, Value::Integer(7))]), None);
    }

    #[test]
    fn a_location_of_the_api_is_told_with_what_it_should_be() {
        let told = |location: &str| {
            let location = Url::parse(location).unwrap();
            let settings = Settings::default();
            validate_tool(&ToolDraft {
                location: Some(&location),
                secret: None,
                settings: &settings,
            })
        };
        for location in [
            "https://dojo.example",
            "https://dojo.example/dojo/",
            "https://dojo.example/api/v2x",
        ] {
            assert!(told(location).is_empty(), "{location}");
        }
        for location in [
            "https://dojo.example/dojo/api/v2",
            "https://dojo.example/dojo/api/v2/",
        ] {
            let (key, message) = told(location).remove(0);
            assert_eq!(key, "location");
            assert!(
                message.ends_with("allowed: https://dojo.example/dojo"),
                "{message}"
            );
        }
    }
}
