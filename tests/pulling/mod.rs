//! Pulls through a connector that is opened from TOML, and gathers what it says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use secpull::config::{ApiConfiguration, Config, load};
use secpull::connectors::{Completeness, Connectors, Pulled, Record, Scope, Sink, specs};
use secpull::finding::Sighting;

/// The configured connectors.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) connectors: Connectors,
}

/// What a pull said.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) records: Option<Vec<Record>>,
    pub(crate) expected: u64,
    pub(crate) sightings: Vec<(Scope, Sighting)>,
    pub(crate) unreadable: u64,
    pub(crate) ends: Vec<(Scope, Completeness)>,
    pub(crate) warnings: Vec<String>,
    /// The largest page.
    pub(crate) largest_page: usize,
    pub(crate) error: Option<String>,
}

/// Reads TOML; `KEY` in the environment is `secret`.
pub(crate) fn setup(toml: &str, secret: &str) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secpull.toml");
    let store = format!(
        "[store]\nurl = \"sqlite:{}\"\n",
        folder.path().join("db").display()
    );
    std::fs::write(&path, format!("{store}{toml}")).unwrap();
    let environment = BTreeMap::from([("KEY".to_owned(), secret.to_owned())]);
    let known: Vec<_> = specs().collect();
    let config = load(&path, &environment, &known)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .config;
    let connectors = Connectors::open(&config);
    Setup { config, connectors }
}

impl Setup {
    pub(crate) fn api(&self, name: &str) -> &ApiConfiguration {
        &self.config.api_configurations[name]
    }

    pub(crate) async fn pull(&self, name: &str) -> Outcome {
        let api = self.api(name);
        let connector = self.connectors.get(&api.tool).unwrap();
        let (mut sink, mut receiver) = Sink::new(4, api.records.clone());
        let pull = async move {
            let result = connector.pull(api, &mut sink).await;
            drop(sink);
            result
        };
        let gather = async {
            let mut outcome = Outcome::default();
            while let Some(pulled) = receiver.recv().await {
                outcome.take(pulled);
            }
            outcome
        };
        let (result, mut outcome) = tokio::join!(pull, gather);
        outcome.error = result.err().map(|error| error.to_string());
        outcome
    }

    pub(crate) async fn check(&self, name: &str) -> Result<String, String> {
        let api = self.api(name);
        let connector = self.connectors.get(&api.tool).unwrap();
        let line = connector.check(Some(api)).await;
        line.map_err(|error| error.to_string())
    }

    pub(crate) async fn discover(&self, tool: &str) -> Result<Vec<Record>, String> {
        let connector = self.connectors.get(tool).unwrap();
        connector
            .discover()
            .await
            .map_err(|error| error.to_string())
    }
}

impl Outcome {
    fn take(&mut self, pulled: Pulled) {
        match pulled {
            Pulled::Records(records) => self.records = Some(records),
            Pulled::Expected(expected) => self.expected += expected,
            Pulled::Page {
                scope,
                sightings,
                unreadable,
                ..
            } => {
                self.largest_page = self.largest_page.max(sightings.len());
                self.unreadable += unreadable;
                let sightings = sightings.into_iter();
                self.sightings
                    .extend(sightings.map(|one| (scope.clone(), one)));
            }
            Pulled::Rows { scope, rows } => {
                self.largest_page = self.largest_page.max(rows.len());
                for row in rows {
                    match (row.map)(&row.json) {
                        Ok(sighting) => {
                            assert_eq!(row.key, sighting.source_key());
                            self.sightings.push((scope.clone(), sighting));
                        }
                        Err(_) => self.unreadable += 1,
                    }
                }
            }
            Pulled::End {
                scope,
                completeness,
            } => self.ends.push((scope, completeness)),
            Pulled::Warning(warning) => self.warnings.push(warning),
            other => panic!("not expected of these connectors: {other:?}"),
        }
    }

    /// How many different findings came.
    pub(crate) fn distinct(&self) -> usize {
        let mut ids: Vec<_> = self
            .sightings
            .iter()
            .map(|(_, one)| &one.source_id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    /// The end of the record of this name: none if it is complete, else why not.
    pub(crate) fn end_of(&self, record: &str) -> Option<&str> {
        let ends = self.ends.iter();
        let mut ends = ends.filter(|(scope, _)| scope.record.name == record);
        let end = ends
            .next()
            .unwrap_or_else(|| panic!("{record} has no end: {self:?}"));
        assert!(ends.next().is_none(), "{record} has two ends");
        match &end.1 {
            Completeness::Complete => None,
            Completeness::Incomplete(reason) => Some(reason),
            Completeness::Unproven => Some("unproven"),
        }
    }

    #[track_caller]
    pub(crate) fn is_complete(&self) {
        assert_eq!(self.error, None);
        assert!(!self.ends.is_empty());
        for (scope, end) in &self.ends {
            assert_eq!(*end, Completeness::Complete, "{}", scope.record.name);
        }
    }

    /// Nothing may be concluded: failed, or every scope incomplete. Gives the first reason.
    #[track_caller]
    pub(crate) fn proves_nothing(&self) -> String {
        if let Some(error) = &self.error {
            return error.clone();
        }
        let reasons = self.ends.iter().map(|(scope, end)| match end {
            Completeness::Complete => panic!("{} is complete", scope.record.name),
            Completeness::Incomplete(reason) => reason.clone(),
            Completeness::Unproven => "unproven".to_owned(),
        });
        let reasons: Vec<_> = reasons.collect();
        reasons.first().expect("nothing was said at all").clone()
    }
}
