//! The query of `GET /v1/findings`.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use utoipa::IntoParams;

use crate::finding::{Kind, Severity, Status};
use crate::store::{FindingFilter, StatusFilter};

const KEYS: &str = "severity, status, product, branch, service, kind, api_configuration, vulnerability, first_seen_since, limit, raw";

/// The parameters, for the document: they may be repeated, so no derived reader fits.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its documentation is used")]
pub(super) struct FindingsParameters {
    /// Severities, separated by commas or repeated: critical, high, medium, low, info, unknown.
    severity: Option<String>,
    /// Statuses likewise: open, in_review, resolved, false_positive, risk_accepted, not_affected, not_security; or `all`.
    /// All but resolved if it is not given.
    status: Option<String>,
    /// Products by exact name, separated by commas or repeated. A comma that belongs to a name is written `\,` and a
    /// backslash `\\`; a value with a comma that is not is looked for as a whole too.
    product: Option<String>,
    /// Branches likewise.
    branch: Option<String>,
    /// Services likewise.
    service: Option<String>,
    /// Kinds likewise: component, code, secret, endpoint, host, cloud, kubernetes, other.
    kind: Option<String>,
    /// Findings with a sighting of these API configurations.
    api_configuration: Option<String>,
    /// Vulnerability ids, aliases included.
    vulnerability: Option<String>,
    /// First seen at or after this.
    first_seen_since: Option<DateTime<Utc>>,
    /// At most so many.
    limit: Option<u64>,
    /// With the vendor's JSON in each sighting.
    raw: Option<bool>,
}

/// Reads the query.
///
/// # Errors
/// A key or a word is not known; what is allowed.
pub(super) fn finding_filter(query: &str) -> Result<FindingFilter, String> {
    let mut filter = FindingFilter::default();
    let mut statuses = Vec::new();
    let mut all = false;
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = value.as_ref();
        match key.as_ref() {
            "severity" => words::<Severity>(&key, value, &mut filter.severities)?,
            "status" if value == "all" => all = true,
            "status" => words::<Status>(&key, value, &mut statuses)?,
            "kind" => words::<Kind>(&key, value, &mut filter.kinds)?,
            "product" => names(value, &mut filter.products),
            "branch" => names(value, &mut filter.branches),
            "service" => names(value, &mut filter.services),
            "api_configuration" => names(value, &mut filter.api_configurations),
            "vulnerability" => names(value, &mut filter.vulnerabilities),
            "first_seen_since" => {
                filter.first_seen_since = Some(one(&key, value, "a time as in RFC 3339")?)
            }
            "limit" => filter.limit = Some(one(&key, value, "a whole number")?),
            "raw" => filter.raw = one(&key, value, "true or false")?,
            _ => return Err(format!("unknown parameter {key:?}; allowed: {KEYS}")),
        }
    }
    filter.status = match (all, statuses.is_empty()) {
        (true, _) => StatusFilter::All,
        (false, true) => StatusFilter::Unresolved,
        (false, false) => StatusFilter::Only(statuses),
    };
    Ok(filter)
}

fn words<T>(key: &str, value: &str, into: &mut Vec<T>) -> Result<(), String>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    for word in value.split(',').filter(|word| !word.is_empty()) {
        into.push(word.parse().map_err(|error| format!("{key}: {error}"))?);
    }
    Ok(())
}

/// One name, as [`finding_filter`] takes it for one.
pub(super) fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace(',', "\\,")
}

/// Several names, or one; people write commas that belong to a name without escaping them, so the value is then looked for
/// as a whole too.
fn names(value: &str, into: &mut Vec<String>) {
    let mut names = vec![String::new()];
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        let escaped = match c {
            '\\' => rest.next_if(|next| matches!(next, ',' | '\\')),
            _ => None,
        };
        if c == ',' {
            names.push(String::new());
        } else if let Some(name) = names.last_mut() {
            name.push(escaped.unwrap_or(c));
        }
    }
    if names.len() > 1 {
        into.push(value.to_owned());
    }
    into.extend(names.into_iter().filter(|name| !name.is_empty()));
}

fn one<T: FromStr>(key: &str, value: &str, expected: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{key}: {value:?} is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_be_separated_by_commas_or_repeated() {
        let filter = finding_filter(
            "severity=critical,high&severity=low&product=A%2CB&status=open,in_review&limit=7&raw=true&first_seen_since=2026-11-24T00:00:00Z",
        )
        .unwrap();
        assert_eq!(
            filter.severities,
            [Severity::Critical, Severity::High, Severity::Low]
        );
        assert_eq!(filter.products, ["A,B", "A", "B"]);
        assert_eq!(
            filter.status,
            StatusFilter::Only(vec![Status::Open, Status::InReview])
        );
        assert_eq!((filter.limit, filter.raw), (Some(7), true));
        assert!(filter.first_seen_since.is_some());
    }

    #[test]
    fn an_escaped_comma_belongs_to_the_name() {
        for name in ["A, b", "a\\b", "a\\,b", "\\", ",", "C:\\\\x, y", "plain"] {
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("product", &escaped(name))
                .finish();
            let filter = finding_filter(&query).unwrap();
            assert_eq!(filter.products, [name]);
        }
        let filter = finding_filter(r"service=a\b&service=c,d\,e").unwrap();
        assert_eq!(filter.services, [r"a\b", r"c,d\,e", "c", "d,e"]);
    }

    #[test]
    fn without_a_status_resolved_findings_are_left_out() {
        assert_eq!(finding_filter("").unwrap().status, StatusFilter::Unresolved);
        assert_eq!(
            finding_filter("status=all").unwrap().status,
            StatusFilter::All
        );
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_is_allowed() {
        for (query, allowed) in [
            ("sevrity=high", "severity, status"),
            ("severity=hihg", "critical, high"),
            ("status=closed", "false_positive"),
            ("limit=many", "whole number"),
            ("first_seen_since=yesterday", "RFC 3339"),
        ] {
            let error = finding_filter(query).unwrap_err();
            assert!(error.contains(allowed), "{query}: {error}");
        }
    }
}
