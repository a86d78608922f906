//! What the connector says of itself, and the settings it takes.

use std::net::IpAddr;

use super::keys::{Keys, is_key};
use super::selection::{SEVERITIES, Source};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings, ToolDraft};

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    endpoint_of_region: None,
    name: "tenable",
    title: "Tenable Vulnerability Management and Web App Scanning (cloud)",
    direction: Direction::Source,
    location_meaning: "the address of Tenable's cloud, https://cloud.tenable.com unless your tenant is on another",
    default_location: Some("https://cloud.tenable.com"),
    secret: Need::Required,
    secret_meaning: "the secret key that belongs to access_key; or, without access_key, both keys as accessKey=…;secretKey=…",
    permissions: &[
        "a user of its own with the role Basic, or a custom role with the privilege VM.VM_EXPLORE.VM_EXPLORE.EXPORT",
        "the permission Can View on All Assets: assets without it are left out of every export without a word",
        "only for `secpull discover` to list networks: the privilege VM.VM_SENSOR.NETWORK.READ",
    ],
    record_meaning: "the assets that an API configuration selects: all-assets, web-applications, or its network, address range and tags",
    source_id_form: "<asset UUID>:<plugin id>:<port>:<protocol>; of web applications was:<finding id>",
    tool_settings: &[
        Setting {
            key: "access_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The access key of the pair. Without it the secret must hold both keys.",
        },
        Setting {
            key: "export_timeout_minutes",
            kind: SettingKind::Integer {
                min: 1,
                max: 1440,
                default: Some(180),
            },
            required: false,
            meaning: "How many minutes one export may take from its request until Tenable has finished it; then it is cancelled. Chunks are kept by Tenable for a day.",
        },
        Setting {
            key: "num_assets",
            kind: SettingKind::Integer {
                min: 50,
                max: 5000,
                default: Some(500),
            },
            required: false,
            meaning: "How many assets Tenable puts into one chunk, with all their findings.",
        },
    ],
    api_settings: &[
        Setting {
            key: "source",
            kind: SettingKind::Words {
                allowed: &["vm", "was"],
                default: Some("vm"),
            },
            required: false,
            meaning: "What is read: `vm` the findings on assets, `was` those of Web App Scanning.",
        },
        Setting {
            key: "network_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "UUID of the network whose findings are read. Without it: all networks.",
        },
        Setting {
            key: "cidr_range",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Reads only assets with an address in this range, such as \"10.0.0.0/8\".",
        },
        Setting {
            key: "tags",
            kind: SettingKind::Lists,
            required: false,
            meaning: "Reads only assets with these tags, by category: one of the values of each, such as { Environment = [\"Production\"] }.",
        },
        Setting {
            key: "severities",
            kind: SettingKind::List {
                allowed: SEVERITIES,
                default: SEVERITIES,
            },
            required: false,
            meaning: "Takes no new findings of other severities. Known ones stay as they are while Tenable lists them.",
        },
        Setting {
            key: "plugin_families",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Takes new findings only of plugins of these families, spelled as in Tenable. Known ones stay as they are while Tenable lists them.",
        },
        Setting {
            key: "since_days",
            kind: SettingKind::Integer {
                min: 0,
                max: 3650,
                default: Some(0),
            },
            required: false,
            meaning: "Reads only what was found or fixed in so many days; 0 is the whole history. Such an import is partial: only what Tenable lists as fixed is resolved.",
        },
        Setting {
            key: "include_unlicensed",
            kind: SettingKind::Boolean {
                default: Some(true),
            },
            required: false,
            meaning: "Whether the findings of assets without a licence are read too.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool,
};

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let given = |key: &str| {
        api.text(key).is_some() || !api.list(key).is_empty() || api.lists(key).next().is_some()
    };
    if Source::of(api) == Source::Was {
        for key in ["network_id", "cidr_range", "tags", "plugin_families"] {
            if given(key) {
                wrong.push((
                    key,
                    "is not known to Web App Scanning; allowed: leave it out, or source = \"vm\""
                        .to_owned(),
                ));
            }
        }
    }
    if let Some(network) = api.text("network_id")
        && !is_uuid(network)
    {
        wrong.push((
            "network_id",
            "is no UUID; allowed: the id of a network as `secpull discover` lists it".to_owned(),
        ));
    }
    if let Some(range) = api.text("cidr_range")
        && !is_range(range)
    {
        wrong.push((
            "cidr_range",
            "is no range of addresses; allowed: such as \"10.0.0.0/8\"".to_owned(),
        ));
    }
    wrong
}

fn validate_tool(tool: &ToolDraft<'_>) -> Vec<(&'static str, String)> {
    let access = tool.settings.text("access_key");
    if access.is_some_and(|key| !is_key(key.trim())) {
        return vec![(
            "access_key",
            "is no access key; allowed: the 64 letters and digits that Tenable shows, alone"
                .to_owned(),
        )];
    }
    let keys = tool.secret.map(|secret| Keys::of(access, secret));
    match keys {
        Some(Err(reason)) => vec![("secret", reason)],
        _ => Vec::new(),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_range(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let bits = bits.parse::<u8>();
    match address.parse() {
        Ok(IpAddr::V4(_)) => bits.is_ok_and(|bits| bits <= 32),
        Ok(IpAddr::V6(_)) => bits.is_ok_and(|bits| bits <= 128),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Secret, Value};

    fn wrong_keys(pairs: Vec<(&'static str, Value)>) -> Vec<&'static str> {
        let mut api = Settings::default();
        for (key, value) in pairs {
            api.insert(key, value);
        }
        let wrong = validate_api(&Settings::default(), &api);
        wrong.into_iter().map(|(key, _)| key).collect()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn selectors_must_be_what_tenable_understands() {
        let network = "00000000-0000-0000-0000-000000000000";
        assert!(wrong_keys(vec![("network_id", text(network))]).is_empty());
        assert_eq!(
            wrong_keys(vec![("network_id", text("Default"))]),
            ["network_id"]
        );
        for right in ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"] {
            assert!(
                wrong_keys(vec![("cidr_range", text(right))]).is_empty(),
                "{right}"
            );
        }
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "/8", "x/y"] {
            assert_eq!(
                wrong_keys(vec![("cidr_range", text(wrong))]),
                ["cidr_range"]
            );
        }
    }

    #[test]
    fn web_findings_take_no_selectors_of_assets() {
        let tags = BTreeMap::from([("Environment".to_owned(), vec!["Production".to_owned()])]);
        let selectors = vec![
            ("source", text("was")),
            ("cidr_range", text("10.0.0.0/8")),
            ("tags", Value::Lists(tags)),
            ("plugin_families", Value::List(vec!["CGI".to_owned()])),
        ];
        assert_eq!(
            wrong_keys(selectors),
            ["cidr_range", "tags", "plugin_families"]
        );
    }

    #[test]
    fn two_keys_are_needed_and_an_access_key_stands_alone() {
        let wrong = |access: Option<&str>, secret: Option<&str>| {
            let mut settings = Settings::default();
            if let Some(access) = access {
                settings.insert("access_key", text(access));
            }
            let secret = secret.map(Secret::new);
            let wrong = validate_tool(&ToolDraft {
                location: None,
                secret: secret.as_ref(),
                settings: &settings,
            });
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        let key = "2c".repeat(32);
        assert!(wrong(Some(&key), Some(&key)).is_empty());
        assert!(wrong(None, Some("accessKey=aa11;secretKey=bb22")).is_empty());
        assert_eq!(wrong(Some("accessKey=2c;"), Some(&key)), ["access_key"]);
        assert_eq!(wrong(Some(""), Some(&key)), ["access_key"]);
        assert_eq!(wrong(None, Some(&key)), ["secret"]);
        // That it is missing is told already.
        assert!(wrong(None, None).is_empty());
    }
}
