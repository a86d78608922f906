//! What the connector says of itself, and the settings it takes.

use url::Url;

use super::region;
use crate::config::{
    ConnectorSpec, Direction, Need, Secret, Setting, SettingKind, Settings, ToolDraft,
};

/// Most values that one attribute of a filter takes (GetFindings).
const MAX_VALUES: usize = 20;

/// The words of `min_severity`, worst first.
pub(super) const LABELS: &[&str] = &["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"];

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "aws-security-hub",
    title: "AWS Security Hub CSPM (the classic Security Hub, findings in ASFF)",
    direction: Direction::Source,
    location_meaning: "the service's endpoint (https://securityhub.us-east-1.amazonaws.com) or plain Region (us-east-1); with cross-Region aggregation, of the home Region",
    default_location: None,
    endpoint_of_region: Some(endpoint_of_region),
    secret: Need::Optional,
    secret_meaning: "the secret access key that belongs to access_key; without both, AWS's default provider chain finds credentials",
    permissions: &[
        "securityhub:DescribeHub",
        "securityhub:GetFindings",
        "securityhub:ListFindingAggregators",
        "securityhub:GetFindingAggregator",
    ],
    record_meaning: "an AWS account in a Region; its id is both, 111122223333/us-east-1",
    source_id_form: "the finding's Id (ASFF), verbatim; ids of different products (ProductArn) are kept apart",
    tool_settings: &[
        Setting {
            key: "region",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Region of the signature; needed only where the host of location does not tell it (proxy, simulator). Without location, the Region whose public endpoint is used.",
        },
        Setting {
            key: "access_key",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Access key id of the IAM user; goes with secret.",
        },
        Setting {
            key: "session_token",
            kind: SettingKind::Secret,
            required: false,
            meaning: "Session token of temporary credentials; goes with access_key and secret.",
        },
        Setting {
            key: "auth",
            kind: SettingKind::Words {
                allowed: &["default"],
                default: None,
            },
            required: false,
            meaning: "`default` says openly that AWS's default provider chain is meant: environment, profile, web identity, container or instance role. The same as leaving access_key and secret out.",
        },
        Setting {
            key: "role_arn",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "Role to assume by STS with the credentials above, renewed before it expires.",
        },
        Setting {
            key: "external_id",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "External id that the role's trust policy asks for; goes with role_arn.",
        },
        Setting {
            key: "sts_location",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "URL of STS, where it is not the Region's public one; goes with role_arn.",
        },
    ],
    api_settings: &[
        Setting {
            key: "accounts",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Only these accounts (12 digits each, at most 20). Records of others stay as they are.",
        },
        Setting {
            key: "regions",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Only these Regions (at most 20). Records of others stay as they are.",
        },
        Setting {
            key: "products",
            kind: SettingKind::List {
                allowed: &[],
                default: &[],
            },
            required: false,
            meaning: "Only findings of these products, by the end of their ProductArn: `aws/inspector`, `aws/securityhub` (controls), `aws/guardduty`. Known findings of others stay as they are while Security Hub lists them.",
        },
        Setting {
            key: "min_severity",
            kind: SettingKind::Words {
                allowed: LABELS,
                default: None,
            },
            required: false,
            meaning: "Only findings of this severity label or a worse one. Known findings below it stay as they are while Security Hub lists them.",
        },
        Setting {
            key: "include_archived",
            kind: SettingKind::Boolean {
                default: Some(false),
            },
            required: false,
            meaning: "Whether archived findings are read too, and so resolved by Security Hub's word. If not, they are resolved by a complete import without them.",
        },
    ],
    resolve_after: 1,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool,
};

fn endpoint_of_region(region: &str) -> Option<String> {
    region::is_region(region).then(|| region::endpoint(region))
}

fn validate_tool(draft: &ToolDraft<'_>) -> Vec<(&'static str, String)> {
    let tool = draft.settings;
    let mut wrong = Vec::new();
    let host = draft.location.and_then(Url::host_str);
    match (tool.text("region").map(str::trim), host) {
        (Some(region), _) if !region::is_region(region) => {
            let message = format!("{region:?} is no Region; allowed: a name like us-east-1");
            wrong.push(("region", message));
        }
        (None, Some(host)) if region::of_host(host).is_none() => {
            let message = format!(
                "is missing, and the host {host} does not tell the Region of the signature; allowed: a name like us-east-1"
            );
            wrong.push(("region", message));
        }
        _ => {}
    }
    wrong.extend(unpaired(tool.text("access_key"), draft.secret));
    if let Some(key) = tool.text("access_key")
        && !is_access_key(key)
    {
        // Not repeated: people confuse the two keys.
        let message = "is no access key id; allowed: 16 to 128 letters and digits (AKIA…); the secret access key goes into secret";
        wrong.push(("access_key", message.to_owned()));
    }
    if tool.text("auth").is_some() && tool.text("access_key").is_some() {
        let message = "the default chain is not asked where access_key is given; keep one of them";
        wrong.push(("auth", message.to_owned()));
    }
    if tool.secret("session_token").is_some() && tool.text("access_key").is_none() {
        let message = "it goes with access_key and secret, and access_key is missing";
        wrong.push(("session_token", message.to_owned()));
    }
    match tool.text("role_arn") {
        Some(role) if !(role.starts_with("arn:") && role.contains(":role/")) => {
            let message = format!(
                "{role:?} is no ARN of a role; allowed: arn:aws:iam::<account>:role/<name>"
            );
            wrong.push(("role_arn", message));
        }
        Some(_) => {}
        None => {
            for key in ["external_id", "sts_location"] {
                if tool.text(key).is_some() {
                    wrong.push((key, "it goes with role_arn, which is missing".to_owned()));
                }
            }
        }
    }
    if let Some(url) = tool.text("sts_location")
        && !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        let message = "is no URL; allowed: one like https://sts.us-east-1.amazonaws.com";
        wrong.push(("sts_location", message.to_owned()));
    }
    wrong
}

/// The two fields of a key only work together.
fn unpaired(access_key: Option<&str>, secret: Option<&Secret>) -> Option<(&'static str, String)> {
    let (given, missing, what) = match (access_key, secret) {
        (Some(_), None) => ("access_key", "secret", "secret access key"),
        (None, Some(_)) => ("secret", "access_key", "access key id"),
        _ => return None,
    };
    let message = format!(
        "the {what} that belongs to it is missing; put it into {missing}, or leave both out for AWS's default provider chain"
    );
    Some((given, message))
}

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for (key, allowed, fits) in [
        (
            "accounts",
            "account ids of 12 digits",
            is_account as fn(&str) -> bool,
        ),
        ("regions", "names like us-east-1", region::is_region),
        ("products", "names like aws/inspector", is_product),
    ] {
        let values = api.list(key);
        if let Some(odd) = values.iter().find(|value| !fits(value)) {
            wrong.push((key, format!("{odd:?} does not fit; allowed: {allowed}")));
        }
        if values.len() > MAX_VALUES {
            let message = format!(
                "{} values are too many; allowed: {MAX_VALUES}, or use records",
                values.len()
            );
            wrong.push((key, message));
        }
    }
    wrong
}

fn is_access_key(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_product(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(company, product)| !company.is_empty() && !product.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, Value};

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

    fn settings(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, value) in pairs {
            settings.insert(key, Value::Text((*value).to_owned()));
        }
        settings
    }

    /// The keys that are wrong at the public endpoint. The secret is there if an access key is.
    fn wrong(pairs: &[(&'static str, &str)]) -> Vec<&'static str> {
        let with_key = pairs.iter().any(|(key, _)| *key == "access_key");
        let secret = with_key.then(|| Secret::new("s"));
        let location = Url::parse(&region::endpoint("us-east-1")).unwrap();
        keys(Some(&location), secret.as_ref(), &settings(pairs))
    }

    fn keys(
        location: Option<&Url>,
        secret: Option<&Secret>,
        settings: &Settings,
    ) -> Vec<&'static str> {
        let wrong = validate_tool(&ToolDraft {
            location,
            secret,
            settings,
        });
        wrong.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn settings_that_do_not_go_together_are_named() {
        const ROLE: (&str, &str) = ("role_arn", "arn:aws:iam::111122223333:role/secpull");
        assert!(wrong(&[]).is_empty());
        assert!(wrong(&[("access_key", KEY), ROLE, ("external_id", "x")]).is_empty());
        assert!(wrong(&[("auth", "default"), ROLE]).is_empty());
        assert_eq!(wrong(&[("access_key", "short")]), ["access_key"]);
        assert_eq!(wrong(&[("access_key", KEY), ("auth", "default")]), ["auth"]);
        assert_eq!(wrong(&[("external_id", "x")]), ["external_id"]);
        assert_eq!(wrong(&[("role_arn", "secpull")]), ["role_arn"]);
        assert_eq!(wrong(&[ROLE, ("sts_location", "sts")]), ["sts_location"]);
        assert_eq!(wrong(&[("region", "Frankfurt")]), ["region"]);
        let mut token = Settings::default();
        token.insert("session_token", Value::Secret(Secret::new("t")));
        assert_eq!(keys(None, None, &token), ["session_token"]);
    }

    #[test]
    fn one_field_of_a_key_without_the_other_is_named() {
        let (none, key) = (Settings::default(), settings(&[("access_key", KEY)]));
        let secret = Secret::new("s");
        assert_eq!(keys(None, None, &key), ["access_key"]);
        assert_eq!(keys(None, Some(&secret), &none), ["secret"]);
        assert!(keys(None, Some(&secret), &key).is_empty());
    }

    #[test]
    fn the_region_is_asked_for_where_the_host_does_not_tell_it() {
        let proxy = Url::parse("https://hub.example.com").unwrap();
        assert_eq!(keys(Some(&proxy), None, &Settings::default()), ["region"]);
        let told = settings(&[("region", "eu-west-1")]);
        assert!(keys(Some(&proxy), None, &told).is_empty());
    }

    #[test]
    fn a_secret_pasted_as_access_key_is_not_repeated() {
        let pasted = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let wrong = validate_tool(&ToolDraft {
            location: None,
            secret: Some(&Secret::new("s")),
            settings: &settings(&[("access_key", pasted)]),
        });
        assert!(wrong.iter().all(|(_, message)| !message.contains(pasted)));
        assert_eq!(wrong.len(), 1);
    }

    #[test]
    fn filters_take_what_aws_takes() {
        let wrong = |key: &'static str, values: &[&str]| {
            let mut api = Settings::default();
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            api.insert(key, Value::List(values));
            !validate_api(&Settings::default(), &api).is_empty()
        };
        assert!(!wrong("accounts", &["111122223333"]));
        assert!(wrong("accounts", &["1111-2222-3333"]));
        assert!(wrong("accounts", &["111122223333"; 21]));
        assert!(!wrong("regions", &["eu-west-1"]));
        assert!(wrong("regions", &["Ireland"]));
        assert!(!wrong("products", &["aws/inspector", "prowler/prowler"]));
        assert!(wrong("products", &["Inspector"]));
    }

    #[test]
    fn a_plain_region_stands_for_its_endpoint() {
        assert_eq!(
            endpoint_of_region("eu-central-1").as_deref(),
            Some("https://securityhub.eu-central-1.amazonaws.com")
        );
        assert_eq!(endpoint_of_region("localhost"), None);
    }
}
