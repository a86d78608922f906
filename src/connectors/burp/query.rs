//! The queries, checked against `schema.graphql` when this is compiled, and the form of them that a server understands.

use std::collections::BTreeSet;

use serde::Deserialize;

/// What graphql_client makes of the files beside this one.
pub(super) mod operations {
    #![allow(unreachable_pub, missing_docs)]

    use graphql_client::GraphQLQuery;

    type Id = String;
    type Timestamp = String;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/check.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct Check;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/site_tree.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct SiteTree;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/latest_scan.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct LatestScan;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/newest_scan.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct NewestScan;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/scan_issue_keys.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct ScanIssueKeys;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/scan_issues.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none
    )]
    pub(crate) struct ScanIssues;

    #[derive(GraphQLQuery)]
    #[graphql(
        schema_path = "src/connectors/burp/schema.graphql",
        query_path = "src/connectors/burp/queries/scan_issue_evidence.graphql",
        response_derives = "Debug, Clone, PartialEq, Eq",
        normalization = "rust",
        deprecated = "allow",
        skip_serializing_none,
        fragments_other_variant = "true"
    )]
    pub(crate) struct ScanIssueEvidence;
}

/// Asks a server what it knows. Not in the schema file, because it is about the schema.
pub(super) const PROBE: &str = "query Probe { \
    query: __type(name: \"Query\") { fields { name args { name } } } \
    scan: __type(name: \"Scan\") { fields(includeDeprecated: true) { name } } \
    issue: __type(name: \"Issue\") { fields(includeDeprecated: true) { name } } \
    site_tree: __type(name: \"SiteTree\") { fields { name } } }";

/// A field that the server does not know fails a whole request, so these lines of the queries are sent only if it knows what
/// their first word names, in the type behind the mark.
const IF_KNOWN: &str = "# if known: ";

/// These only if the setting behind the mark is set.
const IF_SET: &str = "# if set: ";

/// The argument that newer servers take, and the one of old servers.
const BY_TARGET: &str = "scan_target_id:";
const BY_SITE: &str = "site_id:";

/// What a server knows of the fields and arguments that came with one release or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    by_target: bool,
    /// `Type.field`; none if it is to be taken for a server that knows everything.
    fields: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
pub(super) struct Probed {
    query: Option<Type>,
    scan: Option<Type>,
    issue: Option<Type>,
    site_tree: Option<Type>,
}

#[derive(Deserialize)]
struct Type {
    fields: Option<Vec<Field>>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    args: Vec<Argument>,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
}

impl Known {
    /// A server of today.
    pub(super) fn everything() -> Self {
        Self {
            by_target: true,
            fields: None,
        }
    }

    /// One of the first servers.
    pub(super) fn nothing() -> Self {
        Self {
            by_target: false,
            fields: Some(BTreeSet::new()),
        }
    }

    /// What a server says of itself; nothing if it keeps that to itself.
    pub(super) fn of(probed: Probed) -> Option<Self> {
        let by_target = probed
            .query?
            .fields?
            .iter()
            .filter(|field| field.name == "scans")
            .flat_map(|field| &field.args)
            .any(|argument| argument.name == "scan_target_id");
        let mut fields = BTreeSet::new();
        for (name, probed) in [
            ("Scan", probed.scan),
            ("Issue", probed.issue),
            ("SiteTree", probed.site_tree),
        ] {
            let known = probed?.fields?;
            fields.extend(known.iter().map(|field| format!("{name}.{}", field.name)));
        }
        Some(Self {
            by_target,
            fields: Some(fields),
        })
    }

    fn has(&self, kind: &str, field: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.contains(&format!("{kind}.{field}")))
    }

    /// The query as this server understands it; `set` are the settings that are set.
    pub(super) fn fit(&self, query: &str, set: &[&str]) -> String {
        let lines = query.lines().filter_map(|line| {
            let line = if self.by_target {
                line.to_owned()
            } else {
                line.replace(BY_TARGET, BY_SITE)
            };
            if let Some((kept, kind)) = line.split_once(IF_KNOWN) {
                let field = kept.split_whitespace().next().unwrap_or_default();
                return self.has(kind.trim(), field).then(|| kept.to_owned());
            }
            if let Some((kept, setting)) = line.split_once(IF_SET) {
                return set.contains(&setting.trim()).then(|| kept.to_owned());
            }
            Some(line)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const QUERY: &str = "query Q(\n  $site: ID!\n  $schedule: ID # if set: schedule\n) {\n  scans(scan_target_id: $site\n    schedule_item_id: $schedule # if set: schedule\n  ) {\n    id\n    scan_target { id } # if known: Scan\n  }\n}";

    #[test]
    fn a_server_of_today_gets_everything_but_what_is_not_set() {
        let fit = Known::everything().fit(QUERY, &[]);
        assert!(fit.contains("scan_target_id: $site") && fit.contains("scan_target { id }"));
        assert!(!fit.contains("$schedule") && !fit.contains('#'));
        let fit = Known::everything().fit(QUERY, &["schedule"]);
        assert_eq!(fit.matches("$schedule").count(), 2);
    }

    #[test]
    fn an_old_server_is_asked_by_site_and_only_for_what_it_knows() {
        let fit = Known::nothing().fit(QUERY, &[]);
        assert!(fit.contains("scans(site_id: $site") && !fit.contains("scan_target"));
    }

    #[test]
    fn a_server_tells_what_it_knows_or_does_not() {
        let probed = |json: &str| Known::of(serde_json::from_str(json).unwrap());
        let known = probed(
            r#"{"query":{"fields":[{"name":"scans","args":[{"name":"scan_target_id"}]}]},"scan":{"fields":[{"name":"id"}]},
                "issue":{"fields":[{"name":"fingerprint"}]},"site_tree":{"fields":[]}}"#,
        )
        .unwrap();
        assert!(known.by_target && known.has("Issue", "fingerprint"));
        assert!(!known.has("Scan", "fingerprint"));
        assert_eq!(
            probed(r#"{"query":null,"scan":null,"issue":null,"site_tree":null}"#),
            None
        );
    }
}
