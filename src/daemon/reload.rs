//! Reading the configuration again while the daemon runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::SecondsFormat;

use super::engine::Engine;
use super::notify::Notifier;
use super::rounds::Rounds;
use crate::config::{Config, Control, StoreUrl};
use crate::connectors::Connectors;
use crate::delivery::{self, Post};

/// Reads and checks the configuration; the error is a line for each mistake.
pub type Loader = Arc<dyn Fn() -> Result<Config, Vec<String>> + Send + Sync>;

/// What a reload changed, as paths in the TOML: `tools.dtrack`, `api_configurations.shop`, `automatic_import`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Tables that were not there before.
    pub added: Vec<String>,
    /// Tables that are gone.
    pub removed: Vec<String>,
    /// Tables that say something else.
    pub changed: Vec<String>,
}

/// The new configuration is wrong: a line for each mistake. The old one stays in force.
#[derive(Debug, thiserror::Error)]
#[error("the configuration was not reloaded, the one before stays in force: {}", .0.join("; "))]
pub struct ReloadError(pub Vec<String>);

/// Swaps configurations.
pub struct Reloader {
    engine: Engine,
    rounds: Rounds,
    post: Post,
    load: Loader,
    notifier: Notifier,
    /// What only a restart can change.
    fixed: (StoreUrl, Control),
    turn: tokio::sync::Mutex<()>,
    refused: Mutex<Vec<String>>,
}

impl Reloader {
    /// A reloader of this engine's configuration.
    #[must_use]
    pub fn new(
        engine: Engine,
        rounds: Rounds,
        post: Post,
        load: Loader,
        notifier: Notifier,
    ) -> Self {
        let config = Arc::clone(&engine.setup().config);
        engine.metrics().reloaded(true);
        Self {
            fixed: (config.store.clone(), config.control.clone()),
            engine,
            rounds,
            post,
            load,
            notifier,
            turn: tokio::sync::Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Reads the configuration and puts it in force, wholly or not at all. Tools that say the same as before keep their
    /// connections and rate limits.
    ///
    /// # Errors
    /// Every mistake in it; the old configuration stays in force.
    pub async fn reload(&self) -> Result<Changes, ReloadError> {
        let _turn = self.turn.lock().await;
        self.notifier.reloading();
        let answer = self.try_reload().await;
        self.notifier.ready();
        self.engine.metrics().reloaded(answer.is_ok());
        self.note(&answer);
        answer
    }

    async fn try_reload(&self) -> Result<Changes, ReloadError> {
        let load = Arc::clone(&self.load);
        let config = tokio::task::spawn_blocking(move || load())
            .await
            .map_err(|_| ReloadError(vec!["reading it crashed: the log tells where".to_owned()]))?
            .map_err(ReloadError)?;
        let before = self.engine.setup();
        let same_tools = unchanged(&before.config.tools, &config.tools, |a, b| {
            a.revision == b.revision
        });
        let changes = changes(&before.config, &config);
        let connectors = Connectors::reopen(&before.connectors, &config, &same_tools);
        let deliverers = delivery::deliverers(&config);
        self.engine.put_in_force(config, connectors);
        self.rounds.reloaded();
        self.post.serve(deliverers);
        Ok(changes)
    }

    /// What an operator should know: a configuration that was refused, changes that wait for a restart.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.refused().clone();
        let config = Arc::clone(&self.engine.setup().config);
        for (key, differs) in [
            ("store.url", config.store != self.fixed.0),
            ("control", config.control != self.fixed.1),
        ] {
            if differs {
                problems.push(format!(
                    "{key} was changed in the configuration: it takes effect when the daemon is restarted"
                ));
            }
        }
        problems
    }

    fn note(&self, answer: &Result<Changes, ReloadError>) {
        match answer {
            Ok(changes) => {
                self.refused().clear();
                tracing::info!(
                    "configuration reloaded: {} added, {} removed, {} changed",
                    changes.added.len(),
                    changes.removed.len(),
                    changes.changed.len()
                );
                for problem in self.problems() {
                    tracing::warn!("{problem}");
                }
            }
            Err(ReloadError(lines)) => {
                tracing::error!(
                    "the configuration was not reloaded, the one before stays in force"
                );
                for line in lines {
                    tracing::error!("{line}");
                }
                let at = self.engine.now().to_rfc3339_opts(SecondsFormat::Secs, true);
                *self.refused() = lines
                    .iter()
                    .map(|line| format!("configuration refused at {at}: {line}"))
                    .collect();
            }
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unchanged<T>(
    before: &BTreeMap<String, Arc<T>>,
    now: &BTreeMap<String, Arc<T>>,
    same: fn(&T, &T) -> bool,
) -> BTreeSet<String> {
    let is_same =
        |(name, new): &(&String, &Arc<T>)| before.get(*name).is_some_and(|old| same(old, new));
    now.iter()
        .filter(is_same)
        .map(|(name, _)| name.clone())
        .collect()
}

fn changes(before: &Config, now: &Config) -> Changes {
    let mut changes = Changes::default();
    let tools = unchanged(&before.tools, &now.tools, |a, b| a.revision == b.revision);
    compare("tools", &before.tools, &now.tools, &tools, &mut changes);
    let apis = unchanged(
        &before.api_configurations,
        &now.api_configurations,
        |a, b| a.revision == b.revision,
    );
    compare(
        "api_configurations",
        &before.api_configurations,
        &now.api_configurations,
        &apis,
        &mut changes,
    );
    let general = |config: &Config| {
        (
            config.automatic_import,
            config.max_concurrent,
            config.catch_up_within,
        )
    };
    for (key, differs) in [
        ("automatic_import", general(before) != general(now)),
        ("import", before.import != now.import),
        ("store", before.store != now.store),
        ("control", before.control != now.control),
    ] {
        if differs {
            changes.changed.push(key.to_owned());
        }
    }
    changes
}

fn compare<T>(
    table: &str,
    before: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
    same: &BTreeSet<String>,
    changes: &mut Changes,
) {
    for name in now.keys().filter(|name| !same.contains(*name)) {
        let path = format!("{table}.{name}");
        if before.contains_key(name) {
            changes.changed.push(path);
        } else {
            changes.added.push(path);
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        changes.removed.push(format!("{table}.{name}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::{ApiConfiguration, Tool};
    use crate::daemon::engine::tests::Bench;
    use crate::daemon::fakes::{api, config};

    type Next = Arc<Mutex<Result<Config, Vec<String>>>>;

    fn reloader(bench: &Bench, next: &Next) -> Reloader {
        let (rounds, _task) = Rounds::begin(bench.engine.clone(), CancellationToken::new());
        let next = Arc::clone(next);
        let load: Loader = Arc::new(move || next.lock().unwrap().clone());
        let silent = Notifier::telling(bench.engine.clone(), Arc::new(|_| {}));
        let post = bench.post(Vec::new());
        Reloader::new(bench.engine.clone(), rounds, post, load, silent)
    }

    #[tokio::test]
    async fn a_reload_tells_what_was_added_removed_and_changed() {
        let bench = Bench::new(config(&["a", "b", "same"], 1));
        let mut new = config(&["b", "c", "same"], 2);
        let changed = ApiConfiguration {
            revision: [1; 8],
            ..api("b")
        };
        new.api_configurations
            .insert("b".to_owned(), Arc::new(changed));
        let reloader = reloader(&bench, &Arc::new(Mutex::new(Ok(new))));
        let changes = reloader.reload().await.unwrap();
        assert_eq!(changes.added, ["api_configurations.c"]);
        assert_eq!(changes.removed, ["api_configurations.a"]);
        assert_eq!(
            changes.changed,
            ["api_configurations.b", "automatic_import"]
        );
        assert_eq!(bench.engine.setup().config.max_concurrent, 2);
        assert!(reloader.problems().is_empty());
    }

    #[tokio::test]
    async fn a_wrong_configuration_changes_nothing_and_is_a_problem_until_it_is_mended() {
        let bench = Bench::new(config(&["a"], 1));
        let lines = vec!["x.toml:1:1: one".to_owned(), "x.toml:2:1: two".to_owned()];
        let next: Next = Arc::new(Mutex::new(Err(lines.clone())));
        let reloader = reloader(&bench, &next);
        assert_eq!(reloader.reload().await.unwrap_err().0, lines);
        assert!(
            bench
                .engine
                .setup()
                .config
                .api_configurations
                .contains_key("a")
        );
        assert_eq!(
            reloader.problems(),
            [
                "configuration refused at 2026-11-24T01:00:00Z: x.toml:1:1: one",
                "configuration refused at 2026-11-24T01:00:00Z: x.toml:2:1: two"
            ]
        );
        *next.lock().unwrap() = Ok(config(&["a"], 1));
        assert_eq!(reloader.reload().await.unwrap(), Changes::default());
        assert!(reloader.problems().is_empty());
    }

    #[tokio::test]
    async fn a_tool_that_says_the_same_keeps_its_connector_and_another_gets_a_new_one() {
        let bench = Bench::new(config(&["a"], 1));
        let next: Next = Arc::new(Mutex::new(Ok(config(&["a", "b"], 1))));
        let reloader = reloader(&bench, &next);
        let connector = || bench.engine.setup().connectors.get("dtrack").unwrap();
        let first = connector();
        reloader.reload().await.unwrap();
        assert!(Arc::ptr_eq(&first, &connector()));

        let mut changed = config(&["a", "b"], 1);
        let mut tool = Tool::clone(&changed.tools["dtrack"]);
        tool.revision = [1; 8];
        changed.tools.insert("dtrack".to_owned(), Arc::new(tool));
        *next.lock().unwrap() = Ok(changed);
        let changes = reloader.reload().await.unwrap();
        assert_eq!(changes.changed, ["tools.dtrack"]);
        assert!(!Arc::ptr_eq(&first, &connector()));
    }

    #[tokio::test]
    async fn what_needs_a_restart_is_said_to_need_one() {
        let bench = Bench::new(config(&["a"], 1));
        let mut new = config(&["a"], 1);
        new.store = StoreUrl::Sqlite("/elsewhere.db".into());
        let reloader = reloader(&bench, &Arc::new(Mutex::new(Ok(new))));
        assert_eq!(reloader.reload().await.unwrap().changed, ["store"]);
        assert_eq!(
            reloader.problems(),
            [
                "store.url was changed in the configuration: it takes effect when the daemon is restarted"
            ]
        );
    }
}
