//! What the connector says of itself, and the settings it takes.

use super::query::{Query, is_label_name};
use crate::config::{ConnectorSpec, Direction, Need, Setting, SettingKind, Settings, ToolDraft};

/// The connector's description.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "trivy-operator-prometheus",
    title: "Trivy Operator's metrics, through Prometheus or a compatible server",
    direction: Direction::Source,
    location_meaning: "the Prometheus server's root with its prefix, for Mimir https://…/prometheus",
    default_location: None,
    endpoint_of_region: None,
    secret: Need::Optional,
    secret_meaning: "the password of username (HTTP basic), or without username a bearer token",
    permissions: &["read access to the query API (/api/v1/query)"],
    record_meaning: "a cluster: each value of cluster_label, or without it one, called as kubernetes_cluster says, else like the tool",
    source_id_form: "<metric>|<cluster_label's value>| and the labels that identify the finding, joined by |, missing ones empty",
    tool_settings: &[
        Setting {
            key: "username",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "User name for HTTP basic authentication. Without it, the secret is sent as a bearer token.",
        },
        Setting {
            key: "headers",
            kind: SettingKind::Secrets,
            required: false,
            meaning: "More headers, for example `{\"X-Scope-OrgID\" = \"team-a\"}` for servers with tenants. Their values count as secrets.",
        },
        Setting {
            key: "up_query",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "PromQL that gives 1 exactly when the operator is scraped; without it `min(up{job=\"trivy-operator\"})`, by cluster_label if that is set. `\"\"` switches the check off, for servers without `up`: then a failed scrape looks like a clean cluster.",
        },
        Setting {
            key: "cluster_label",
            kind: SettingKind::Text { default: None },
            required: false,
            meaning: "The label that tells clusters apart in a server of many, often `cluster`. Each of its values is a record.",
        },
        Setting {
            key: "method",
            kind: SettingKind::Words {
                allowed: &["POST", "GET"],
                default: Some("POST"),
            },
            required: false,
            meaning: "How queries are sent. GET is for gateways that forbid POST; it breaks on long queries.",
        },
    ],
    api_settings: &[Setting {
        key: "query",
        kind: SettingKind::Text { default: None },
        required: true,
        meaning: "trivy_vulnerability_id, trivy_exposedsecrets_info, trivy_configaudits_info, trivy_rbacassessments_info or trivy_compliance_info, with or without matchers; or other PromQL that keeps their names and labels.",
    }],
    resolve_after: 2,
    reads_several_branches: |_| None,
    validate_api,
    validate_tool,
};

fn validate_api(_tool: &Settings, api: &Settings) -> Vec<(&'static str, String)> {
    let query = api.text("query").map(Query::parse);
    match query {
        Some(Err(reason)) => vec![("query", reason)],
        _ => Vec::new(),
    }
}

fn validate_tool(tool: &ToolDraft<'_>) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if let Some(name) = tool.settings.text("username") {
        if name.contains(':') {
            let reason = "a user name for HTTP basic authentication cannot hold a colon";
            wrong.push(("username", reason.to_owned()));
        }
        if tool.secret.is_none() {
            let reason = "the password that belongs to it is missing; put it into secret";
            wrong.push(("username", reason.to_owned()));
        }
    }
    if let Some(label) = tool.settings.text("cluster_label")
        && !is_label_name(label)
    {
        wrong.push((
            "cluster_label",
            format!("{label:?} is no label name (letters, digits and _, no digit first)"),
        ));
    }
    for (name, _) in tool.settings.secrets("headers") {
        if name.parse::<reqwest::header::HeaderName>().is_err() {
            wrong.push(("headers", format!("{name:?} is no header name")));
        } else if name.eq_ignore_ascii_case("authorization") {
            let reason = "Authorization is made of username and secret; put the token there";
            wrong.push(("headers", reason.to_owned()));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Secret, Value};

    #[test]
    fn a_query_that_can_never_give_findings_is_a_configuration_error() {
        let wrong = |query: &str| {
            let mut settings = Settings::default();
            settings.insert("query", Value::Text(query.to_owned()));
            validate_api(&Settings::default(), &settings)
        };
        assert!(wrong("trivy_vulnerability_id{severity=\"Critical\"}").is_empty());
        assert!(wrong("last_over_time(trivy_vulnerability_id[10m])").is_empty());
        assert_eq!(wrong("trivy_image_vulnerabilities")[0].0, "query");
        assert_eq!(wrong(" ")[0].0, "query");
    }

    #[test]
    fn a_tool_with_impossible_names_is_a_configuration_error() {
        let mut settings = Settings::default();
        settings.insert("username", Value::Text("a:b".to_owned()));
        settings.insert("cluster_label", Value::Text("k8s-cluster".to_owned()));
        let headers = ["Authorization", "X Tenant", "X-Scope-OrgID"];
        let headers: BTreeMap<_, _> = headers
            .map(|name| (name.to_owned(), Secret::new("x")))
            .into();
        settings.insert("headers", Value::Secrets(headers));
        let tool = ToolDraft {
            location: None,
            secret: None,
            settings: &settings,
        };
        let keys: Vec<_> = validate_tool(&tool)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(
            keys,
            [
                "username",
                "username",
                "cluster_label",
                "headers",
                "headers"
            ]
        );
    }
}
