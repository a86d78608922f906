//! Watches runs in the daemon.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::display::Display;
use super::summary::Summary;
use super::{Feed, News};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::format::Format;
use crate::daemon::control::api::{RunEvent, StartedRun};
use crate::daemon::control::client::Client;
use crate::store::{RunFilter, RunId, RunState};

pub(super) async fn run(
    context: &mut Context,
    client: &Client,
    started: Vec<StartedRun>,
    format: Format,
) -> Result<Exit, Failure> {
    let (feed, mut news) = mpsc::channel(64);
    let mut watchers = JoinSet::new();
    for (place, run) in started.iter().enumerate() {
        watchers.spawn(follow(client.clone(), run.id, place, feed.clone()));
    }
    drop(feed);

    let names: Vec<&str> = started
        .iter()
        .map(|run| run.api_configuration.as_str())
        .collect();
    let mut display = Display::new(context.output.notes().clone(), &names);
    for run in started.iter().filter(|run| run.already_running) {
        display.note(&format!(
            "{}: is being imported already by run {}; watching that one",
            run.api_configuration, run.id
        ));
    }
    let mut summary = Summary::new(&names);
    loop {
        tokio::select! {
            next = news.recv() => match next {
                Some(Feed { place, news }) => {
                    display.show(place, &news);
                    summary.take(place, news);
                }
                None => break,
            },
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                display.close();
                return Err(Failure::failed(
                    "stopped watching; the imports go on in the daemon: see secpull status",
                ));
            }
        }
    }
    display.close();
    summary.print(&mut context.output, format)
}

/// Tells of a run, and of those that take its place, until the import is over.
async fn follow(client: Client, run: RunId, place: usize, feed: mpsc::Sender<Feed>) {
    let mut watch = client.watch(run);
    loop {
        let news = match watch.next().await {
            Ok(Some(event)) => News::Event(Box::new(event)),
            Ok(None) => return,
            Err(error) => News::Lost(error.into()),
        };
        let next = successor(&client, &news).await;
        let over = matches!(news, News::Lost(_));
        let unheard = feed.send(Feed { place, news }).await.is_err();
        if over || unheard {
            return;
        }
        if let Some(next) = next {
            watch = client.watch(next);
            let news = News::BegunAnew(next);
            if feed.send(Feed { place, news }).await.is_err() {
                return;
            }
        }
    }
}

/// If this is the end of a run that was cut short: the one that was queued in its place. Where daemons share the store another
/// one may be at it already.
async fn successor(client: &Client, news: &News) -> Option<RunId> {
    let News::Event(event) = news else {
        return None;
    };
    let RunEvent::End { run } = &**event else {
        return None;
    };
    if run.status != RunState::Interrupted {
        return None;
    }
    let filter = RunFilter {
        api_configuration: Some(run.api_configuration.clone()),
        // Newest first; few have come since.
        limit: Some(10),
        ..RunFilter::default()
    };
    // Without an answer the end stays as it was told.
    let runs = client.runs(&filter).await.ok()?;
    let later = runs.iter().filter(|later| later.id > run.id);
    let same = later.filter(|later| later.trigger == run.trigger);
    same.map(|later| later.id).min()
}
