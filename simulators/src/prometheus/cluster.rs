//! What the server scraped, and how it feels.

use super::{Series, VendorError};
use crate::scenario::{OPERATOR_NAMESPACE, many_series};

/// How the scrape of the operator goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scrape {
    /// Well: `up` is 1.
    #[default]
    Healthy,
    /// It fails: `up` is 0, all series of the operator are stale.
    Failing,
    /// There is no such job any more: no `up`, no series.
    Gone,
}

/// What the server knows.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    listed: Vec<Series>,
    generated: u64,
    seed: u64,
    overriding: bool,
    /// How the scrape goes.
    pub scrape: Scrape,
    /// Warnings to put into each answer.
    pub warnings: Vec<String>,
    /// Hints to put into each answer.
    pub infos: Vec<String>,
    failures: Vec<(String, VendorError)>,
}

impl Cluster {
    /// Adds a series.
    pub fn add(&mut self, series: Series) {
        self.listed.push(series);
    }

    /// Removes the listed series that fit and says how many.
    pub fn remove(&mut self, fits: impl Fn(&Series) -> bool) -> usize {
        let before = self.listed.len();
        self.listed.retain(|series| !fits(series));
        before - self.listed.len()
    }

    /// Changes the listed series that fit and says how many.
    pub fn change(
        &mut self,
        fits: impl Fn(&Series) -> bool,
        mut change: impl FnMut(&mut Series),
    ) -> usize {
        let fitting = self.listed.iter_mut().filter(|series| fits(series));
        fitting.map(&mut change).count()
    }

    /// The operator stops exporting a metric, as if its switch were off.
    pub fn switch_off(&mut self, metric: &str) -> usize {
        if metric == "trivy_vulnerability_id" {
            self.generated = 0;
        }
        self.remove(|series| series.metric() == metric)
    }

    /// From now on has so many generated series.
    pub fn generate(&mut self, count: u64, seed: u64) {
        (self.generated, self.seed) = (count, seed);
    }

    /// Queries that contain `text` are answered with an error; an empty text is in all.
    pub fn fail(&mut self, text: &str, error: VendorError) {
        self.failures.push((text.to_owned(), error));
    }

    /// No query fails any more.
    pub fn recover(&mut self) {
        self.failures.clear();
    }

    pub(super) fn override_labels(&mut self) {
        self.overriding = true;
    }

    pub(super) fn failure(&self, query: &str) -> Option<VendorError> {
        let failing = self.failures.iter().find(|(text, _)| query.contains(text));
        failing.map(|(_, error)| *error)
    }

    /// How many positions [`Self::sample`] has.
    pub(super) fn len(&self) -> u64 {
        match self.scrape {
            Scrape::Healthy => 1 + self.generated + self.listed.len() as u64,
            Scrape::Failing => 1,
            Scrape::Gone => 0,
        }
    }

    /// The series at a position: `up`, the generated ones, the listed ones.
    pub(super) fn sample(&self, position: u64) -> Option<Series> {
        let Some(position) = position.checked_sub(1) else {
            let up = f64::from(u8::from(self.scrape == Scrape::Healthy));
            return Some(self.scraped(Series::new("up", &[], up)));
        };
        let series = match position.checked_sub(self.generated) {
            None => many_series(self.seed, position),
            Some(index) => self.listed.get(usize::try_from(index).ok()?)?.clone(),
        };
        Some(self.scraped(series))
    }

    /// Adds what the scrape adds.
    fn scraped(&self, mut series: Series) -> Series {
        let own_namespace = series.label("namespace").to_owned();
        if own_namespace.is_empty() || self.overriding {
            series.set("namespace", OPERATOR_NAMESPACE);
            series.set("exported_namespace", &own_namespace);
        }
        series.set("instance", "10.244.0.31:8080");
        series.set("job", "trivy-operator");
        series.set("pod", "trivy-operator-5b57d94649-9ngdz");
        series.set("container", "trivy-operator");
        series.set("endpoint", "metrics");
        series.set("service", "trivy-operator");
        series
    }
}
