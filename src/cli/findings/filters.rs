//! The filters of `secpull findings`.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::finding::{Kind, Severity, Status, UnknownWord};
use crate::store::{FindingFilter, StatusFilter};

#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Severities, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "SEVERITY,…",
        value_parser = words(&Severity::ALL.map(Severity::as_str)).try_map(parse::<Severity>)
    )]
    severity: Vec<Severity>,

    /// Statuses, separated by commas; "all" lists resolved findings too
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "STATUS,…",
        value_parser = status_words().try_map(AskedStatus::parse)
    )]
    status: Vec<AskedStatus>,

    /// Product, by its exact name; may be given several times
    #[arg(long, value_name = "NAME")]
    product: Vec<String>,

    /// Branch, by its exact name; may be given several times
    #[arg(long, value_name = "NAME")]
    branch: Vec<String>,

    /// Service, by its exact name; may be given several times
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,

    /// Kinds of place, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "KIND,…",
        value_parser = words(&Kind::ALL.map(Kind::as_str)).try_map(parse::<Kind>)
    )]
    kind: Vec<Kind>,

    /// Findings that this API configuration has seen; may be given several times
    #[arg(long, value_name = "NAME")]
    api_configuration: Vec<String>,

    /// Vulnerability ids or aliases, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    vulnerability: Vec<String>,

    /// First seen since then: a date (2026-11-01), a time (2026-11-01T08:00:00Z), or a time span back from now (7d, 12h)
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<DateTime<Utc>>,

    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// With the vendors' own JSON in each sighting; needs --format json or jsonl
    #[arg(long)]
    raw: bool,
}

/// A status, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AskedStatus {
    All,
    One(Status),
}

const ALL: &str = "all";

impl AskedStatus {
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the parser hands over its word"
    )]
    fn parse(word: String) -> Result<Self, UnknownWord> {
        if word == ALL {
            return Ok(Self::All);
        }
        word.parse().map(Self::One)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the parser hands over its word"
)]
fn parse<T: FromStr>(word: String) -> Result<T, T::Err> {
    word.parse()
}

fn words(words: &[&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

fn status_words() -> PossibleValuesParser {
    let mut allowed = Status::ALL.map(Status::as_str).to_vec();
    allowed.push(ALL);
    words(&allowed)
}

impl Filters {
    pub(super) fn into_filter(self) -> FindingFilter {
        FindingFilter {
            severities: self.severity,
            status: status_filter(&self.status),
            products: self.product,
            branches: self.branch,
            services: self.service,
            kinds: self.kind,
            api_configurations: self.api_configuration,
            vulnerabilities: self.vulnerability,
            first_seen_since: self.since,
            limit: self.limit,
            raw: self.raw,
        }
    }
}

fn status_filter(asked: &[AskedStatus]) -> StatusFilter {
    if asked.is_empty() {
        return StatusFilter::Unresolved;
    }
    let mut only = Vec::new();
    for status in asked {
        match status {
            AskedStatus::All => return StatusFilter::All,
            AskedStatus::One(status) => only.push(*status),
        }
    }
    StatusFilter::Only(only)
}

fn parse_since(text: &str) -> Result<DateTime<Utc>, String> {
    since(text, Utc::now())
}

fn since(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    humantime::parse_duration(text)
        .ok()
        .and_then(|span| chrono::TimeDelta::from_std(span).ok())
        .and_then(|span| now.checked_sub_signed(span))
        .ok_or_else(|| {
            "neither a date (2026-11-01), a time (2026-11-01T08:00:00Z) nor a time span (7d, 12h)"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Sample {
        #[command(flatten)]
        filters: Filters,
    }

    fn filter(words: &[&str]) -> Result<FindingFilter, String> {
        let words = ["findings"].iter().chain(words);
        Sample::try_parse_from(words)
            .map(|sample| sample.filters.into_filter())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_filters_resolved_findings_are_hidden() {
        let filter = filter(&[]).unwrap();
        assert_eq!(filter.status, StatusFilter::Unresolved);
        assert!(filter.severities.is_empty() && filter.limit.is_none());
    }

    #[test]
    fn words_are_separated_by_commas() {
        let filter =
            filter(&["--severity", "critical,high", "--status", "open,in_review"]).unwrap();
        assert_eq!(filter.severities, [Severity::Critical, Severity::High]);
        assert_eq!(
            filter.status,
            StatusFilter::Only(vec![Status::Open, Status::InReview])
        );
    }

    #[test]
    fn status_all_shows_everything() {
        let filter = filter(&["--status", "open,all"]).unwrap();
        assert_eq!(filter.status, StatusFilter::All);
    }

    #[test]
    fn a_product_may_have_a_comma_in_its_name() {
        let filter = filter(&["--product", "Shop, old", "--product", "Pay"]).unwrap();
        assert_eq!(filter.products, ["Shop, old", "Pay"]);
    }

    #[test]
    fn an_unknown_word_is_answered_with_those_allowed() {
        let error = filter(&["--severity", "hihg"]).unwrap_err();
        assert!(
            error.contains("critical, high, medium, low, info, unknown"),
            "{error}"
        );
    }

    #[test]
    fn since_is_a_date_a_time_or_a_span() {
        let now = "2026-11-24T06:40:00Z".parse().unwrap();
        let told = |text| since(text, now).map(|time| time.to_rfc3339());
        assert_eq!(told("2026-11-01").unwrap(), "2026-11-01T00:00:00+00:00");
        assert_eq!(
            told("2026-11-01T08:00:00+02:00").unwrap(),
            "2026-11-01T06:00:00+00:00"
        );
        assert_eq!(told("7d").unwrap(), "2026-11-17T06:40:00+00:00");
        assert!(told("yesterday").is_err());
    }
}
