//! The rules that a run has met: each is fetched once, a few at the same time.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use super::api::Api;
use super::rule::Rule;
use crate::connectors::ConnectorError;

/// So many are fetched at the same time at most; Cloud asks for moderation (contract 7).
const AT_ONCE: usize = 4;

/// A request for a rule, not yet sent, with the key that it is known by. Boxed, because the compiler does not find futures that
/// borrow from one another fit for other threads.
type Asked<'a> = BoxFuture<'a, (String, Result<Option<Rule>, ConnectorError>)>;

fn by_key<'a>(api: &'a Api<'_>, key: String) -> Asked<'a> {
    async move {
        let rule = api.rule(&key).await;
        (key, rule)
    }
    .boxed()
}

fn by_hotspot<'a>(api: &'a Api<'_>, key: String) -> Asked<'a> {
    async move {
        let rule = api.rule_of_hotspot(&key).await;
        (key, rule)
    }
    .boxed()
}

/// What is known of rules. Texts are an extra: that they cannot be had never fails an import.
pub(super) struct Rules {
    wanted: bool,
    /// None of those that the tool does not have.
    known: HashMap<String, Option<Rule>>,
    /// Why no more are fetched, and whether that was told.
    given_up: Option<(String, bool)>,
}

impl Rules {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            known: HashMap::new(),
            given_up: None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Rule> {
        self.known.get(key)?.as_ref()
    }

    /// Fetches those of these rules that were not met before.
    pub(super) async fn learn(&mut self, api: &Api<'_>, keys: BTreeSet<String>) {
        let unknown = keys.into_iter().filter(|key| !self.known.contains_key(key));
        let asked: Vec<_> = unknown.map(|key| by_key(api, key)).collect();
        let fetched = self.fetch(asked).await;
        self.known.extend(fetched);
    }

    /// The rules of hotspots that do not name them, by the hotspots' keys: one request each.
    pub(super) async fn of_hotspots(
        &mut self,
        api: &Api<'_>,
        keys: Vec<String>,
    ) -> HashMap<String, Rule> {
        let asked = keys.into_iter().map(|key| by_hotspot(api, key));
        let fetched = self.fetch(asked.collect()).await.into_iter();
        fetched
            .filter_map(|(key, rule)| Some((key, rule?)))
            .collect()
    }

    async fn fetch(&mut self, asked: Vec<Asked<'_>>) -> Vec<(String, Option<Rule>)> {
        if !self.wanted || self.given_up.is_some() {
            return Vec::new();
        }
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut fetched = Vec::new();
        while let Some((key, rule)) = answers.next().await {
            match rule {
                Ok(rule) => fetched.push((key, rule)),
                // One that cannot be read is as good as none.
                Err(ConnectorError::Refused(_)) => fetched.push((key, None)),
                Err(failure) => {
                    self.given_up = Some((failure.to_string(), false));
                    break;
                }
            }
        }
        fetched
    }

    /// What an operator should know, once.
    pub(super) fn warning(&mut self) -> Option<String> {
        let (reason, told) = self.given_up.as_mut()?;
        let first = !std::mem::replace(told, true);
        first.then(|| format!("texts and CWEs of some rules are missing this time: {reason}"))
    }
}
