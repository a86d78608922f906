//! When a misfortune strikes.

use super::{Dialect, Misfortune};
use crate::server::OPERATION;

/// A misfortune with its time and place.
#[derive(Debug, Clone)]
pub struct Plan {
    misfortune: Misfortune,
    after: u64,
    times: u64,
    everywhere: bool,
    containing: Option<String>,
}

impl Plan {
    /// All requests for findings, from now on, for ever.
    #[must_use]
    pub fn new(misfortune: Misfortune) -> Self {
        Self {
            misfortune,
            after: 0,
            times: u64::MAX,
            everywhere: false,
            containing: None,
        }
    }

    /// The first `requests` that it concerns are still answered well.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// After striking so often all is well.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Also requests that deliver no findings: versions, projects, …
    #[must_use]
    pub fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// Only requests with this text in their path or in a parameter's value.
    #[must_use]
    pub fn on(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    fn concerns(&self, dialect: &Dialect, path: &str, parameters: &[(String, String)]) -> bool {
        let place = self.everywhere
            || path.contains(dialect.data)
            || parameters
                .iter()
                .any(|(key, value)| key == OPERATION && value.contains(dialect.data));
        let text = self.containing.as_deref().is_none_or(|text| {
            path.contains(text) || parameters.iter().any(|(_, value)| value.contains(text))
        });
        let page = match self.misfortune {
            Misfortune::ServerErrorOnPage(page) => page_of(dialect, parameters) == Some(page),
            misfortune if misfortune.needs_pages() => page_of(dialect, parameters).is_some(),
            _ => true,
        };
        place && text && page
    }
}

/// The page that a request asks for.
pub(super) fn page_of(dialect: &Dialect, parameters: &[(String, String)]) -> Option<u32> {
    parameters
        .iter()
        .find(|(key, _)| dialect.page_parameters.contains(&key.as_str()))
        .and_then(|(_, value)| value.parse().ok())
}

/// The plans in force.
#[derive(Debug, Default)]
pub(crate) struct Plans(Vec<Plan>);

impl Plans {
    pub(crate) fn add(&mut self, plan: Plan) {
        self.0.push(plan);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What strikes this request; the plans that concern it count it.
    pub(super) fn strike(
        &mut self,
        dialect: &Dialect,
        path: &str,
        parameters: &[(String, String)],
    ) -> Option<Misfortune> {
        for plan in &mut self.0 {
            if !plan.concerns(dialect, path, parameters) {
                continue;
            }
            if plan.after > 0 {
                plan.after -= 1;
            } else if plan.times > 0 {
                plan.times -= 1;
                return Some(plan.misfortune);
            }
        }
        None
    }
}
