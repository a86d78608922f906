//! What an attempt looks up in DefectDojo, and what it changes there by itself.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::api::{Context, Import, Row};
use super::attempt::{Attempt, Ended, LOOK_AGAIN};
use super::ledger::{Key, Ledger, key};
use super::names::Names;
use super::note::{Sent, Stage};
use super::standing::Standing;
use super::verdict::{LONG, in_their_words, outcome};
use super::words::FirstWords;
use crate::delivery::Outcome;
use crate::export::generic_findings;

impl Attempt<'_> {
    /// The test in which a file has arrived; none if it has not and will not.
    pub(super) async fn outcome_of(&self, sent: &Sent) -> Result<Option<u64>, Ended> {
        if sent.stage == Stage::Over {
            return Ok(None);
        }
        let test = match sent.test {
            Some(test) => Some(test),
            None => self.context(&sent.names).await?.test,
        };
        if sent.stage == Stage::Arrived {
            return Ok(test);
        }
        if let Some(test) = test {
            let newest = match self.api.newest_import(test).await {
                Ok(newest) => newest,
                // The test was deleted there, or this is another instance by now.
                Err(error) if matches!(error.status(), Some(400 | 404)) => None,
                Err(error) => return Err(Ended(outcome(self.api, &error))),
            };
            let is_ours = newest.is_some_and(|import| {
                // Those of other people have a build of their own, or none where DefectDojo does not keep it.
                import.id > sent.import_before
                    && import.build_id.is_none_or(|build| build == sent.delivery)
            });
            if is_ours {
                return Ok(Some(test));
            }
        }
        let limit = TimeDelta::from_std(self.forward.request_timeout).unwrap_or(TimeDelta::MAX);
        let left = sent.at + limit - self.now();
        match left.to_std() {
            Ok(left) if !left.is_zero() => Err(Ended(Outcome::Later {
                problem: format!(
                    "the outcome of what was sent at {} is not known yet; if it is not by {}, it is sent again",
                    sent.at.format("%H:%M:%S UTC"),
                    (sent.at + limit).format("%H:%M:%S UTC")
                ),
                after: Some(left.min(LOOK_AGAIN)),
            })),
            _ => Ok(None),
        }
    }

    /// Where an upload will go, and the newest import there.
    pub(super) async fn target(
        &self,
        names: &Names,
        known: Option<u64>,
    ) -> Result<(Context, u64), Ended> {
        let failed = |error| Ended(outcome(self.api, &error));
        let id = |import: Option<Import>| import.map_or(0, |import| import.id);
        if let Some(test) = known {
            match self.api.newest_import(test).await {
                Ok(import) => {
                    let context = Context {
                        has_product: true,
                        test: Some(test),
                    };
                    return Ok((context, id(import)));
                }
                // The test was deleted there.
                Err(error) if matches!(error.status(), Some(400 | 404)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let context = self.context(names).await?;
        let newest = match context.test {
            Some(test) => id(self.api.newest_import(test).await.map_err(failed)?),
            None => 0,
        };
        Ok((context, newest))
    }

    pub(super) async fn context(&self, names: &Names) -> Result<Context, Ended> {
        let context = self.api.context(names).await;
        context.map_err(|error| Ended(outcome(self.api, &error)))
    }

    /// Looks up in which words the findings of these keys stand in a test.
    pub(super) async fn learn_words(
        &self,
        test: u64,
        keys: &HashSet<Key>,
        first: &mut FirstWords,
    ) -> Result<(), Ended> {
        let looked = self.api.each_finding(test, |row| {
            let key = name_of(&row).map(key);
            if let Some(key) = key.filter(|key| keys.contains(key)) {
                first.learn(key, &row);
            }
        });
        match looked.await {
            // A test that was deleted there has no words.
            Err(error) if !matches!(error.status(), Some(400 | 404)) => {
                Err(Ended(outcome(self.api, &error)))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn carry_changes(&self, test: u64, ledger: &Ledger) -> Result<(), Ended> {
        let mut changes: Vec<(u64, Row)> = Vec::new();
        let looked = self.api.each_finding(test, |row| {
            let entry = name_of(&row).and_then(|name| ledger.get(key(name)));
            if let Some(entry) = entry
                && let (Some(told), Some(wanted)) = (entry.told, entry.sent)
                && let Some(id) = row.get("id").and_then(serde_json::Value::as_u64)
            {
                let change = wanted.change(told, Standing::of(&row));
                if entry.has_changed() && !change.is_empty() {
                    changes.push((id, change));
                }
            }
        });
        looked
            .await
            .map_err(|error| Ended(outcome(self.api, &error)))?;
        for (finding, change) in changes {
            match self.api.change(finding, &change).await {
                Ok(()) => {}
                // A risk, for one, can only be accepted where the product allows it.
                Err(error) if matches!(error.status(), Some(400 | 404 | 409)) => tracing::warn!(
                    destination = self.message.destination,
                    finding,
                    "DefectDojo does not take a finding's new severity or status: {error}"
                ),
                Err(error) if error.status() == Some(403) => {
                    // The file is there: the rest can wait until it is granted, and others need not.
                    return Err(Ended(Outcome::Later {
                        problem: in_their_words(self.api, &error),
                        after: Some(LONG),
                    }));
                }
                Err(error) => return Err(Ended(outcome(self.api, &error))),
            }
        }
        Ok(())
    }
}

/// By what name a finding of DefectDojo was sent.
fn name_of(row: &Row) -> Option<&str> {
    let description = row.get("description")?.as_str()?;
    let last = description.trim_end().lines().next_back()?;
    last.strip_prefix(generic_findings::NAME_MARK)
}
