//! Selecting and aggregating.

use std::collections::BTreeMap;

use super::parse::{Operator, Selector};
use super::{Cluster, Series};

impl Selector {
    pub(super) fn fits(&self, series: &Series) -> bool {
        let mut matchers = self.0.iter();
        matchers.all(|matcher| matcher.fits(series.label(&matcher.label)))
    }

    /// The series that fit, made one by one.
    pub(super) fn select<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = Series> + 'a {
        (0..cluster.len())
            .filter_map(|position| cluster.sample(position))
            .filter(|series| self.fits(series))
    }
}

/// One series for each combination of the labels `by`.
pub(super) fn aggregate(
    operator: Operator,
    by: &[String],
    series: impl Iterator<Item = Series>,
) -> Vec<Series> {
    let mut groups = BTreeMap::<Vec<String>, f64>::new();
    for one in series {
        let key = by.iter().map(|label| one.label(label).to_owned()).collect();
        let first = match operator {
            Operator::Count | Operator::Group => 1.0,
            Operator::Sum | Operator::Min | Operator::Max => one.value,
        };
        groups
            .entry(key)
            .and_modify(|value| *value = merge(operator, *value, one.value))
            .or_insert(first);
    }
    groups
        .into_iter()
        .map(|(key, value)| {
            let mut group = Series::new("", &[], value);
            let labels = by.iter().zip(&key);
            labels.for_each(|(label, value)| group.set(label, value));
            group
        })
        .collect()
}

fn merge(operator: Operator, so_far: f64, value: f64) -> f64 {
    match operator {
        Operator::Sum => so_far + value,
        Operator::Min => so_far.min(value),
        Operator::Max => so_far.max(value),
        Operator::Count => so_far + 1.0,
        Operator::Group => 1.0,
    }
}
