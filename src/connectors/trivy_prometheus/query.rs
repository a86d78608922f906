//! The configured PromQL: a bare selector, to which matchers may be added, or something else, which is sent as it is.

use super::metric::{METRICS, Metric, OWN_LABELS, RESOURCE_LABEL};

/// What the API configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Query {
    /// `metric` or `metric{…}` of one of the five.
    Bare(Selector),
    /// Any other PromQL.
    Other(String),
}

/// A metric and its matchers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    /// Index in [`METRICS`].
    pub(super) metric: usize,
    /// As written: `label="value"`.
    matchers: Vec<String>,
}

impl Query {
    /// # Errors
    /// What is wrong, if the query can never give findings.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((name, matchers)) = bare_selector(text) else {
            return if text.is_empty() {
                Err(format!("it is empty; use one of {}", Metric::names()))
            } else {
                Ok(Self::Other(text.to_owned()))
            };
        };
        match Metric::named(name) {
            Some((metric, _)) => Ok(Self::Bare(Selector { metric, matchers })),
            None if name == "trivy_infraassessments_info" => Err(
                "trivy_infraassessments_info is not supported: the operator fills it from the RBAC reports, up to v0.32.0 at least".to_owned(),
            ),
            None => Err(format!(
                "{name} holds no findings; use one of {}, with or without matchers",
                Metric::names()
            )),
        }
    }

    /// The query as it is sent: of a bare selector, without passed checks.
    pub(super) fn promql(&self) -> String {
        match self {
            Self::Bare(selector) => selector.with(&[]),
            Self::Other(text) => text.clone(),
        }
    }

    /// The indices of the metrics that the query names.
    pub(super) fn metrics(&self) -> Vec<usize> {
        match self {
            Self::Bare(selector) => vec![selector.metric],
            Self::Other(text) => {
                let words: Vec<_> = text.split(|c: char| !is_name(c)).collect();
                (0..METRICS.len())
                    .filter(|index| words.contains(&METRICS[*index].name))
                    .collect()
            }
        }
    }

    /// The matchers that choose the source (a cluster, a job) and not the findings.
    pub(super) fn source_matchers(&self) -> &[String] {
        match self {
            Self::Bare(selector) => &selector.matchers,
            Self::Other(_) => &[],
        }
    }
}

impl Selector {
    /// The selector with more matchers, without passed checks.
    pub(super) fn with(&self, more: &[String]) -> String {
        let metric = &METRICS[self.metric];
        let failing = (metric.failing).map(|(label, value)| format!("{label}=\"{value}\""));
        let matchers = self.matchers.iter().chain(&failing).chain(more);
        selector(metric.name, matchers.map(String::as_str))
    }
}

/// `metric{…}`, or the metric alone if there are no matchers.
pub(super) fn selector<'a>(metric: &str, matchers: impl Iterator<Item = &'a str>) -> String {
    let matchers: Vec<_> = matchers.collect();
    if matchers.is_empty() {
        metric.to_owned()
    } else {
        format!("{metric}{{{}}}", matchers.join(","))
    }
}

/// `label="value"`, whatever the value holds. An empty value matches where the label is absent.
pub(super) fn equals(label: &str, value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{label}=\"{escaped}\"")
}

/// Whether a label of this name can exist.
pub(super) fn is_label_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| is_name(c) && c != ':')
}

/// Whether a matcher is on a label that the operator does not set.
pub(super) fn chooses_source(matcher: &str) -> bool {
    let end = matcher.find(|c| !is_name(c)).unwrap_or(matcher.len());
    let label = &matcher[..end];
    !label.is_empty() && !label.starts_with(RESOURCE_LABEL) && !OWN_LABELS.contains(&label)
}

/// Takes `metric` or `metric{matcher, …}` apart; anything else is none.
fn bare_selector(text: &str) -> Option<(&str, Vec<String>)> {
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Some((name, Vec::new()));
    }
    matchers(rest.strip_prefix('{')?).map(|matchers| (name, matchers))
}

/// The matchers up to a closing brace that must be the last character. Quoted text may hold anything.
fn matchers(text: &str) -> Option<Vec<String>> {
    let mut matchers = Vec::new();
    let mut start = 0;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) => quote = quote.filter(|_| open != c),
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, ',' | '}') => {
                let matcher = text[start..at].trim();
                if !matcher.is_empty() {
                    matchers.push(matcher.to_owned());
                }
                start = at + 1;
                if c == '}' {
                    return text[start..].trim().is_empty().then_some(matchers);
                }
            }
            (None, c) if is_name(c) || c.is_whitespace() || matches!(c, '=' | '!' | '~') => {}
            (None, _) => return None,
        }
    }
    None
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn matchers_are_added_to_bare_selectors() {
        for (query, sent) in [
            ("trivy_vulnerability_id", "trivy_vulnerability_id"),
            (" trivy_vulnerability_id {} ", "trivy_vulnerability_id"),
            (
                "trivy_configaudits_info",
                "trivy_configaudits_info{config_audit_success=\"false\"}",
            ),
            (
                "trivy_rbacassessments_info{namespace!~\"kube-.*\",}",
                "trivy_rbacassessments_info{namespace!~\"kube-.*\",rbac_assessment_success=\"false\"}",
            ),
            (
                "trivy_compliance_info{title='a, \\'}b', severity=`H}IGH`}",
                "trivy_compliance_info{title='a, \\'}b',severity=`H}IGH`,status=\"Fail\"}",
            ),
        ] {
            assert_eq!(Query::parse(query).unwrap().promql(), sent);
        }
    }

    #[test]
    fn anything_else_is_sent_as_it_is() {
        for query in [
            "last_over_time(trivy_vulnerability_id[10m])",
            "trivy_vulnerability_id offset 5m",
            "trivy_vulnerability_id[5m]",
            "trivy_vulnerability_id{a=\"b\"} == 1",
            "{__name__=\"trivy_vulnerability_id\"}",
            "trivy_vulnerability_id{a=\"b\"",
            "trivy_vulnerability_id # all",
            "42",
        ] {
            assert_eq!(
                Query::parse(query).unwrap(),
                Query::Other(query.to_owned()),
                "{query}"
            );
        }
    }

    #[test]
    fn a_metric_without_findings_is_refused() {
        for query in [
            "",
            "trivy_image_vulnerabilities",
            "trivy_infraassessments_info",
            "up{job=\"x\"}",
        ] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn the_metrics_of_any_query_are_known_by_their_names() {
        let metrics = |query| Query::parse(query).unwrap().metrics();
        assert_eq!(
            metrics("last_over_time(trivy_vulnerability_id[10m])"),
            [VULNERABILITY]
        );
        assert_eq!(
            metrics("{__name__=~\"trivy_configaudits_info|trivy_compliance_info\"}"),
            [2, 4]
        );
        assert!(metrics("{__name__=~\"trivy_.*\"}").is_empty());
    }

    #[test]
    fn matchers_on_labels_that_the_operator_does_not_set_choose_the_source() {
        assert!(chooses_source("cluster=\"eu\""));
        assert!(chooses_source("job =~ \"a\""));
        assert!(!chooses_source("namespace=\"shop\""));
        assert!(!chooses_source("k8s_label_team=\"a\""));
        assert!(!chooses_source("\"quoted.label\"=\"a\""));
    }

    #[test]
    fn values_are_quoted_for_promql() {
        assert_eq!(equals("a", "b\"c\\d\ne"), "a=\"b\\\"c\\\\d\\ne\"");
        assert!(is_label_name("cluster") && is_label_name("_a1"));
        assert!(!is_label_name("1a") && !is_label_name("a:b") && !is_label_name(""));
    }

    use crate::connectors::trivy_prometheus::metric::VULNERABILITY;
}
