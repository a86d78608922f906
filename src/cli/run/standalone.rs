//! Imports in this process, without a daemon.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::delivering;
use super::display::Display;
use super::summary::Summary;
use super::{Feed, News, nothing_configured, without_repetition};
use crate::cli::args::RunArguments;
use crate::cli::context::{Context, process_name};
use crate::cli::failure::{Exit, Failure};
use crate::config::{ApiConfiguration, Config};
use crate::connectors::Connectors;
use crate::daemon::control::api::RunEvent;
use crate::import::{self, Job, ProgressSnapshot};
use crate::store::{Claim, NewRun, Run, RunEnd, RunFilter, RunId, RunState, Store, Trigger};

/// A running import is shown at most so often; more is not seen by anybody.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

pub(super) async fn run(context: &mut Context, arguments: &RunArguments) -> Result<Exit, Failure> {
    let config = context.load()?;
    let chosen = choose(&config, arguments)?;
    let store = crate::store::open(&config.store).await?;
    // Where daemons share it, one of them takes over what is left.
    if !store.is_shared() {
        store.interrupt_leftovers().await?;
    }
    let shop = Arc::new(Shop {
        connectors: Connectors::open(&config),
        turns: Semaphore::new(config.max_concurrent),
        cancel: CancellationToken::new(),
        store,
        config,
    });

    let names: Vec<&str> = chosen.iter().map(|api| api.name.as_str()).collect();
    let mut display = Display::new(context.output.notes().clone(), &names);
    let mut summary = Summary::new(&names);
    let (feed, mut news) = mpsc::channel(64);
    let mut imports = JoinSet::new();
    for (place, api) in chosen.iter().enumerate() {
        let told = Teller {
            place,
            feed: feed.clone(),
        };
        imports.spawn(Arc::clone(&shop).import(Arc::clone(api), told));
    }
    drop(feed);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            next = news.recv() => match next {
                Some(Feed { place, news }) => {
                    display.show(place, &news);
                    summary.take(place, news);
                }
                None => break,
            },
            _ = terminate.recv() => shop.stop(&display)?,
            _ = interrupt.recv() => shop.stop(&display)?,
        }
    }
    display.close();
    let notes = context.output.notes().clone();
    let delivering = delivering::deliver(&shop.config, &shop.store, &notes, shop.cancel.clone());
    tokio::pin!(delivering);
    loop {
        tokio::select! {
            () = &mut delivering => break,
            _ = terminate.recv() => shop.cancel.cancel(),
            _ = interrupt.recv() => shop.cancel.cancel(),
        }
    }
    shop.store.settle().await?;
    summary.print(&mut context.output, arguments.listing.format)
}

fn choose(
    config: &Config,
    arguments: &RunArguments,
) -> Result<Vec<Arc<ApiConfiguration>>, Failure> {
    let all = &config.api_configurations;
    if all.is_empty() {
        return Err(nothing_configured());
    }
    if arguments.all {
        return Ok(all.values().cloned().collect());
    }
    let known = |name: String| {
        all.get(&name).cloned().ok_or_else(|| {
            let known = all.keys().map(String::as_str);
            Failure::unknown("API configuration", &name, known)
        })
    };
    without_repetition(&arguments.names)
        .into_iter()
        .map(known)
        .collect()
}

/// What all imports of this process share.
struct Shop {
    config: Config,
    connectors: Connectors,
    store: Arc<dyn Store>,
    turns: Semaphore,
    cancel: CancellationToken,
}

/// Tells of one import.
struct Teller {
    place: usize,
    feed: mpsc::Sender<Feed>,
}

impl Teller {
    /// Nobody listens only when the process is about to end.
    async fn tell(&self, news: News) {
        let place = self.place;
        let _unheard = self.feed.send(Feed { place, news }).await;
    }
}

impl Shop {
    /// The first signal lets the imports end as interrupted, the second one ends the process.
    fn stop(&self, display: &Display) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::failed(
                "ended at once; the next run marks the imports as interrupted",
            ));
        }
        display.note("interrupting the imports; once more to end at once");
        self.cancel.cancel();
        Ok(())
    }

    async fn import(self: Arc<Self>, api: Arc<ApiConfiguration>, teller: Teller) {
        let news = match self.import_one(api, &teller).await {
            Ok(run) => News::Event(Box::new(RunEvent::End { run })),
            Err(failure) => News::Lost(failure),
        };
        teller.tell(news).await;
    }

    async fn import_one(
        &self,
        api: Arc<ApiConfiguration>,
        teller: &Teller,
    ) -> Result<Run, Failure> {
        let id = self.enqueue(&api).await?;
        let turn = tokio::select! {
            turn = self.turns.acquire() => turn.ok(),
            () = self.cancel.cancelled() => None,
        };
        if turn.is_none() {
            let end = not_begun(RunState::Interrupted, "interrupted before its turn came");
            return self.finish(id, end).await;
        }
        match self.store.start(id).await? {
            Claim::Running => {}
            Claim::Busy { run, daemon } => {
                let reason = format!("is being imported already: run {run} by {daemon}");
                return self.finish(id, not_begun(RunState::Skipped, &reason)).await;
            }
            Claim::Taken { .. } => return self.stored(id).await,
        }
        let running = self.stored(id).await?;
        let (progress, mut seen) = watch::channel(ProgressSnapshot::default());
        let job = Job {
            run: id,
            connector: self.connectors.get(&api.tool),
            limits: self.config.import.clone(),
            warnings: self.config.warnings_of(&api),
            api,
        };
        let import = import::run(&self.store, job, &progress, self.cancel.clone());
        tokio::pin!(import);
        loop {
            let snapshot = seen.borrow_and_update().clone();
            let event = RunEvent::Progress {
                progress: snapshot,
                run: running.clone(),
            };
            teller.tell(News::Event(Box::new(event))).await;
            tokio::select! {
                _end = &mut import => break,
                () = change(&mut seen) => {}
            }
        }
        // Warnings may have come with the end.
        let event = RunEvent::Progress {
            progress: seen.borrow().clone(),
            run: running,
        };
        teller.tell(News::Event(Box::new(event))).await;
        self.stored(id).await
    }

    async fn enqueue(&self, api: &ApiConfiguration) -> Result<RunId, Failure> {
        let tool = self.config.tools.get(&api.tool);
        let new = NewRun {
            api_configuration: api.name.clone(),
            connector: tool.map(|tool| tool.connector.clone()).unwrap_or_default(),
            trigger: Trigger::Standalone,
            slot: None,
            daemon: process_name(),
        };
        let id = self.store.enqueue(new).await?;
        id.ok_or_else(|| Failure::failed("the store did not take the run"))
    }

    async fn finish(&self, id: RunId, end: RunEnd) -> Result<Run, Failure> {
        self.store.finish(id, end).await?;
        self.stored(id).await
    }

    async fn stored(&self, id: RunId) -> Result<Run, Failure> {
        let filter = RunFilter {
            id: Some(id),
            ..RunFilter::default()
        };
        let run = self.store.runs(filter).await?.pop();
        run.ok_or_else(|| Failure::failed(format!("the store no longer knows run {id}")))
    }
}

/// Something changed, and the last look is some time ago.
async fn change(seen: &mut watch::Receiver<ProgressSnapshot>) {
    tokio::time::sleep(LOOK_EVERY).await;
    if seen.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn not_begun(state: RunState, reason: &str) -> RunEnd {
    RunEnd::unread(state, Some(reason.to_owned()))
}
