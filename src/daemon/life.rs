//! From the start of the daemon to its end.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::stat::{Mode, umask};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control::{self, Control, Socket, SocketError};
use super::engine::{Engine, Parts};
use super::logging;
use super::metrics::Metrics;
use super::notify::Notifier;
use super::outgoing::{keep_ringing, office};
use super::reload::{Loader, Reloader};
use super::rounds::Rounds;
use crate::config::{self, Config};
use crate::connectors;
use crate::delivery::{Post, deliverers};
use crate::store::{self, Store, StoreError};

/// How long imports may take to end by themselves when the daemon stops. Together with the rest it stays below the ten
/// seconds that an operator waits for `systemctl stop`.
const IMPORTS_END_WITHIN: Duration = Duration::from_millis(6500);

/// How long deliveries may take to end, while imports do. What they noted tells the next start how far they came.
const DELIVERIES_END_WITHIN: Duration = Duration::from_secs(5);

/// How long open connections may take after that.
const CONNECTIONS_END_WITHIN: Duration = Duration::from_secs(1);

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration or the environment is wrong: a line for each mistake. Exit code 2.
    #[error("{}", .0.join("\n"))]
    Configuration(Vec<String>),
    /// The control socket cannot be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something of the operating system failed.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: String,
        /// The system's words.
        error: std::io::Error,
    },
}

impl DaemonError {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::System { what, error }
    }

    /// The exit code that belongs to it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            _ => 1,
        }
    }
}

/// The whole command `secpull daemon`, with its log and its threads: runs until a signal ends it.
#[must_use]
pub fn run(config: &Path) -> ExitCode {
    let end = logging::start()
        .map_err(|line| DaemonError::Configuration(vec![line]))
        .and_then(|()| {
            tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(DaemonError::system("cannot start threads"))
        })
        .and_then(|runtime| {
            let end = runtime.block_on(serve(config));
            // A store or name lookup that hangs in a thread must not hold the process.
            runtime.shutdown_timeout(Duration::from_millis(200));
            end
        });
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                // Not through the log, which may be what is wrong.
                let _ = std::io::Write::write_fmt(
                    &mut std::io::stderr(),
                    format_args!("secpull: {line}\n"),
                );
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// The daemon, until SIGTERM or SIGINT ends it.
///
/// # Errors
/// It cannot start, for a reason that is told apart by its exit code.
pub async fn serve(path: &Path) -> Result<(), DaemonError> {
    let mut signals = Signals::listen()?;
    let load = loader(path);
    let config = load().map_err(DaemonError::Configuration)?;
    keep_files_private();

    let socket = Socket::bind(&config.control.socket, config.control.group.as_deref()).await?;
    let metrics_listener = match config.control.metrics_listen {
        Some(address) => Some(listen_for_metrics(address).await?),
        None => None,
    };
    let store = open_store(&config).await?;
    let metrics = Arc::new(Metrics::new().map_err(|error| DaemonError::System {
        what: "cannot count for Prometheus".to_owned(),
        error: std::io::Error::other(error),
    })?);

    let engine = Engine::new(Parts::real(store, config, metrics));
    let stop = CancellationToken::new();
    let (rounds, schedule) = Rounds::begin(engine.clone(), stop.child_token());
    tokio::spawn(engine.clone().keep_sharing(stop.child_token()));
    let post = Post::open(office(&engine), deliverers(&engine.setup().config));
    tokio::spawn(keep_ringing(
        engine.clone(),
        post.clone(),
        stop.child_token(),
    ));
    let notifier = Notifier::new(engine.clone());
    let reloader = Arc::new(Reloader::new(
        engine.clone(),
        rounds.clone(),
        post.clone(),
        load,
        notifier.clone(),
    ));
    let control = Control::new(
        engine.clone(),
        Arc::clone(&reloader),
        rounds.clone(),
        post.clone(),
        socket.group(),
        stop.clone(),
    );
    let mut servers = vec![tokio::spawn(control::serve(socket, control.clone()))];
    if let Some(listener) = metrics_listener {
        servers.push(tokio::spawn(control::serve_metrics(listener, control)));
    }
    keep_telling(&notifier, rounds, &stop);

    let config = Arc::clone(&engine.setup().config);
    tracing::info!(
        "secpull {} is ready: {} tools, {} API configurations, socket {}",
        env!("CARGO_PKG_VERSION"),
        config.tools.len(),
        config.api_configurations.len(),
        config.control.socket.display()
    );
    notifier.ready();
    tokio::spawn(remember_last_complete(engine.clone()));

    signals.obey(&reloader).await;

    notifier.stopping();
    tracing::info!("stopping");
    stop_all(&engine, &post, &stop, schedule, servers).await;
    tracing::info!("stopped");
    Ok(())
}

/// Reads the configuration from where the daemon was told.
fn loader(path: &Path) -> Loader {
    let path = path.to_owned();
    Arc::new(move || {
        let specs: Vec<_> = connectors::specs().collect();
        let loaded = config::load(&path, &config::process_environment(), &specs)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        Ok(loaded.config)
    })
}

/// Whatever this process creates (database, socket) is nobody's but its user's and group's. A stricter mask stays.
fn keep_files_private() {
    let others = Mode::S_IRWXO | Mode::S_IWGRP;
    let inherited = umask(others);
    umask(inherited | others);
}

async fn open_store(config: &Config) -> Result<Arc<dyn Store>, DaemonError> {
    let store = store::open(&config.store).await?;
    // Where others share it, what is left over is taken over.
    let left = match store.is_shared() {
        true => 0,
        false => store.interrupt_leftovers().await?,
    };
    if left > 0 {
        tracing::warn!("{left} runs of a daemon that is gone were marked as interrupted");
    }
    Ok(store)
}

/// So that an alert on stale imports survives a restart. Not before the daemon is ready: a large store takes its time.
async fn remember_last_complete(engine: Engine) {
    match engine.store().api_states().await {
        Ok(states) => {
            for state in states {
                if let Some(at) = state.last_complete_at {
                    engine.metrics().last_complete(&state.api_configuration, at);
                }
            }
        }
        Err(error) => tracing::warn!("metrics begin without the times of earlier imports: {error}"),
    }
}

async fn listen_for_metrics(
    address: std::net::SocketAddr,
) -> Result<tokio::net::TcpListener, DaemonError> {
    tokio::net::TcpListener::bind(address)
        .await
        .map_err(DaemonError::system(format!(
            "cannot listen on {address} (control.metrics_listen)"
        )))
}

fn keep_telling(notifier: &Notifier, rounds: Rounds, stop: &CancellationToken) {
    tokio::spawn(notifier.clone().keep_status(stop.child_token()));
    if let Some(limit) = sd_notify::watchdog_enabled() {
        let watchdog = notifier
            .clone()
            .keep_watchdog(rounds, limit, stop.child_token());
        tokio::spawn(watchdog);
    }
}

/// No new work, imports and deliveries ended, connections closed; in a bounded time, whatever hangs.
async fn stop_all(
    engine: &Engine,
    post: &Post,
    stop: &CancellationToken,
    schedule: JoinHandle<()>,
    servers: Vec<JoinHandle<()>>,
) {
    tokio::join!(
        engine.stop(IMPORTS_END_WITHIN),
        post.close(DELIVERIES_END_WITHIN)
    );
    stop.cancel();
    let aborts: Vec<_> = servers.iter().map(JoinHandle::abort_handle).collect();
    let ends = async {
        for task in servers.into_iter().chain([schedule]) {
            if let Err(error) = task.await {
                tracing::warn!("a part of the daemon ended badly: {error}");
            }
        }
    };
    if tokio::time::timeout(CONNECTIONS_END_WITHIN, ends)
        .await
        .is_err()
    {
        // Dropping the server takes the socket's file away.
        for abort in aborts {
            abort.abort();
        }
    }
}

struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on a SIGHUP does not kill the process.
    fn listen() -> Result<Self, DaemonError> {
        let listen = |kind| signal(kind).map_err(DaemonError::system("cannot listen to signals"));
        Ok(Self {
            reload: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Reloads on SIGHUP, until SIGTERM or SIGINT.
    async fn obey(&mut self, reloader: &Arc<Reloader>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.reload.recv() => {
                    // In a task, so that a slow disk does not delay SIGTERM. The reloader logs how it went.
                    let reloader = Arc::clone(reloader);
                    tokio::spawn(async move { reloader.reload().await.is_ok() });
                }
            }
        }
    }
}
