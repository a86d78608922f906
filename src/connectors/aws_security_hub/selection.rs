//! What an API configuration asks for.

use std::collections::BTreeSet;

use aws_sdk_securityhub::types::{AwsSecurityFindingFilters, StringFilter, StringFilterComparison};

use super::finding::Mapped;
use super::spec::LABELS;
use super::tables;
use crate::config::Settings;
use crate::finding::{Severity, Status};

/// The settings that narrow what is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
    products: BTreeSet<String>,
    /// This severity or a worse one.
    least: Option<Severity>,
    archived: bool,
}

/// What to do with a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Import it.
    Yes,
    /// It is there, and left out: where it is known, it stays as it is.
    LeftOut,
    /// Its record is none of ours.
    Elsewhere,
}

impl Selection {
    pub(super) fn of(settings: &Settings) -> Self {
        let set = |key| settings.list(key).iter().cloned().collect();
        let products: BTreeSet<String> = set("products");
        Self {
            accounts: set("accounts"),
            regions: set("regions"),
            products: products.iter().map(|name| name.to_lowercase()).collect(),
            least: settings
                .text("min_severity")
                .filter(|label| LABELS.contains(label))
                .map(|label| tables::severity(Some(label), None)),
            archived: settings.boolean("include_archived").unwrap_or(false),
        }
    }

    /// Whether a record may be concluded about.
    pub(super) fn covers(&self, account: &str, region: &str) -> bool {
        let admits = |set: &BTreeSet<String>, value| set.is_empty() || set.contains(value);
        admits(&self.accounts, account) && admits(&self.regions, region)
    }

    /// Whether all records of the hub are read.
    pub(super) fn is_of_all_records(&self) -> bool {
        self.accounts.is_empty() && self.regions.is_empty()
    }

    /// Products and severity are not asked for but picked here: what is not asked for looks like what is gone, and a setting
    /// that was changed would resolve all that it leaves out.
    pub(super) fn wants(&self, mapped: &Mapped) -> Wanted {
        if !self.covers(&mapped.account, &mapped.region) {
            return Wanted::Elsewhere;
        }
        let severity = mapped.sighting.severity;
        let product = mapped.product.to_lowercase();
        let severe = self
            .least
            .is_none_or(|least| severity <= least || severity == Severity::Unknown);
        let ours = self.products.is_empty() || self.products.contains(&product);
        // What is fixed is never taken in anew, so it does no harm, and resolves what is known.
        if (severe && ours) || mapped.sighting.status == Status::Resolved {
            Wanted::Yes
        } else {
            Wanted::LeftOut
        }
    }

    /// What GetFindings is asked for. Archived findings are left out there: to be archived is to be gone.
    pub(super) fn filters(&self) -> Option<AwsSecurityFindingFilters> {
        let mut filters = AwsSecurityFindingFilters::builder();
        for account in &self.accounts {
            filters = filters.aws_account_id(equals(account));
        }
        for region in &self.regions {
            filters = filters.region(equals(region));
        }
        if !self.archived {
            filters = filters.record_state(equals("ACTIVE"));
        }
        let filters = filters.build();
        (filters != AwsSecurityFindingFilters::builder().build()).then_some(filters)
    }
}

fn equals(value: &str) -> StringFilter {
    StringFilter::builder()
        .value(value)
        .comparison(StringFilterComparison::Equals)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use crate::finding::Sighting;

    fn mapped(product: &str, severity: Severity) -> Mapped {
        Mapped {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            product: product.to_owned(),
            sighting: Sighting {
                severity,
                ..Sighting::default()
            },
        }
    }

    fn selection(lists: &[(&'static str, &str)], least: Option<&str>) -> Selection {
        let mut settings = Settings::default();
        for (key, value) in lists {
            settings.insert(key, Value::List(vec![(*value).to_owned()]));
        }
        if let Some(least) = least {
            settings.insert("min_severity", Value::Text(least.to_owned()));
        }
        Selection::of(&settings)
    }

    #[test]
    fn what_is_left_out_is_not_what_is_elsewhere() {
        let all = selection(&[], None);
        assert_eq!(
            all.wants(&mapped("aws/inspector", Severity::Info)),
            Wanted::Yes
        );
        let inspector = selection(&[("products", "AWS/Inspector")], None);
        assert_eq!(
            inspector.wants(&mapped("aws/inspector", Severity::Low)),
            Wanted::Yes
        );
        assert_eq!(
            inspector.wants(&mapped("aws/macie", Severity::Low)),
            Wanted::LeftOut
        );
        let high = selection(&[], Some("HIGH"));
        assert_eq!(high.wants(&mapped("x/y", Severity::Critical)), Wanted::Yes);
        assert_eq!(high.wants(&mapped("x/y", Severity::High)), Wanted::Yes);
        assert_eq!(high.wants(&mapped("x/y", Severity::Unknown)), Wanted::Yes);
        assert_eq!(
            high.wants(&mapped("x/y", Severity::Medium)),
            Wanted::LeftOut
        );
        let ireland = selection(&[("regions", "eu-west-1")], None);
        assert_eq!(
            ireland.wants(&mapped("x/y", Severity::High)),
            Wanted::Elsewhere
        );
        assert!(!ireland.is_of_all_records());
    }

    #[test]
    fn what_is_fixed_is_taken_whatever_else_is_left_out() {
        let mut fixed = mapped("aws/macie", Severity::Low);
        fixed.sighting.status = Status::Resolved;
        assert_eq!(
            selection(&[("products", "aws/inspector")], Some("HIGH")).wants(&fixed),
            Wanted::Yes
        );
    }
}
