//! Runs a simulated vendor on loopback: start, stop, what it saw, and what is to go wrong. Knows no vendor.

mod connection;
mod record;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use tokio_util::sync::CancellationToken;

pub(crate) use connection::Peer;
use connection::{Listener, bind};
pub(crate) use record::OPERATION;
pub use record::SeenRequest;
pub(crate) use record::credential;
use record::{Recorded, Recorder, buffered};

use crate::misfortune::{Dialect, Misfortune, Plan, Plans, apply};

/// A simulator that runs; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What the handle and the running server share.
pub(crate) struct Shared {
    pub(crate) dialect: &'static Dialect,
    pub(crate) plans: Mutex<Plans>,
    /// Where [`Misfortune::RedirectToAnotherHost`] leads.
    pub(crate) elsewhere: String,
    seen: Recorder,
    seen_elsewhere: Recorder,
    before: Mutex<Vec<Before>>,
}

struct Before {
    request: u64,
    act: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("vendor", &self.dialect.vendor)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Serves `router` on `address`, whose port may be 0, under the path prefix `prefix` (empty, or `/like/this`).
    ///
    /// The server has a thread and a runtime of its own, so that a test may block while it waits for a child process.
    pub(crate) fn start(
        router: Router,
        dialect: &'static Dialect,
        address: SocketAddr,
        prefix: &str,
    ) -> io::Result<Self> {
        let (listener, address) = bind(address)?;
        let (elsewhere, elsewhere_address) = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            dialect,
            plans: Mutex::default(),
            elsewhere: format!("http://{elsewhere_address}"),
            seen: Recorder::default(),
            seen_elsewhere: Recorder::default(),
            before: Mutex::default(),
        });
        let router = router
            .layer(from_fn_with_state(shared.clone(), apply))
            .layer(from_fn_with_state(shared.clone(), watch))
            .layer(from_fn(buffered));
        let trap = Router::new()
            .fallback(|| async { "another host" })
            .layer(from_fn_with_state(shared.clone(), watch_elsewhere))
            .layer(from_fn(buffered));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name(dialect.vendor.to_owned())
            .spawn(move || {
                let served = runtime.block_on(async {
                    tokio::select! {
                        served = serve(listener, router) => served,
                        served = serve(elsewhere, trap) => served,
                        () = stopped.cancelled() => Ok(()),
                    }
                });
                // Answers that never end are cut off.
                runtime.shutdown_background();
                served
            })?;
        Ok(Self {
            url: format!("http://{address}{prefix}"),
            address,
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// The Location to configure, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests seen so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.seen.all()
    }

    /// How many requests came so far.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.shared.seen.count()
    }

    /// Forgets the requests seen so far.
    pub fn forget_requests(&self) {
        self.shared.seen.clear();
    }

    /// The requests that arrived at the other host to which [`Misfortune::RedirectToAnotherHost`] leads.
    #[must_use]
    pub fn requests_elsewhere(&self) -> Vec<SeenRequest> {
        self.shared.seen_elsewhere.all()
    }

    /// From now on `misfortune` strikes where it usually does ([`Misfortune::plan`]).
    pub fn inflict(&self, misfortune: Misfortune) {
        self.inflict_as(misfortune.plan());
    }

    /// From now on `plan` is followed, beside those given before; the first that fits a request decides.
    pub fn inflict_as(&self, plan: Plan) {
        lock(&self.shared.plans).add(plan);
    }

    /// Everything is well again.
    pub fn calm(&self) {
        lock(&self.shared.plans).clear();
    }

    /// Does `act` just before the `request`-th request from now (1 is the next) is answered: so that data changes between two
    /// pages.
    pub fn before_request(&self, request: u64, act: impl FnOnce() + Send + 'static) {
        lock(&self.shared.before).push(Before {
            request,
            act: Box::new(act),
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, has been printed; a second one here would abort the test.
            let _ = thread.join();
        }
    }
}

/// A lock that a panicked test leaves usable.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: std::net::TcpListener, router: Router) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(Listener::new(listener)?, service).await
}

async fn watch(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let due = {
        let mut waiting = lock(&shared.before);
        for before in waiting.iter_mut() {
            before.request = before.request.saturating_sub(1);
        }
        waiting
            .extract_if(.., |before| before.request == 0)
            .collect::<Vec<_>>()
    };
    due.into_iter().for_each(|before| (before.act)());
    recorded(&shared.seen, request, next).await
}

async fn watch_elsewhere(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    recorded(&shared.seen_elsewhere, request, next).await
}

async fn recorded(recorder: &Recorder, request: Request, next: Next) -> Response {
    let place = recorder.note(&request);
    let response = next.run(request).await;
    recorder.answered(place, response.status());
    response
}

/// The parameters of a request that came through [`Running::start`]: of the URL, then of the form.
pub(crate) fn parameters(extensions: &axum::http::Extensions) -> Vec<(String, String)> {
    extensions
        .get::<Recorded>()
        .map(|recorded| recorded.parameters.clone())
        .unwrap_or_default()
}

/// Changes what [`parameters`] returns to those that come after: keys, and values to be changed.
pub(crate) fn change_parameters(
    extensions: &mut axum::http::Extensions,
    change: impl Fn(&str, &mut String),
) {
    if let Some(recorded) = extensions.get_mut::<Recorded>() {
        for (key, value) in &mut recorded.parameters {
            change(key, value);
        }
    }
}
