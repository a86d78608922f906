//! Sessions with the server, and what is known of the way there.
//!
//! Who renews the lease looks for the server all the time, so nobody else has to wait for one that is known to be away.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::watch;

use super::fault::Fault;
use super::route::{PATIENCE, Route, Wish, within};
use crate::config::PostgresUrl;

/// As many as four imports, their preparation and some listings need; more wait.
const MOST_CONNECTIONS: u32 = 12;
/// An idle daemon keeps none but its lease's.
const IDLE_AFTER: Duration = Duration::from_secs(60);
/// A connection is not used for ever: the server gives memory back only when it ends.
const OLDEST: Duration = Duration::from_secs(1800);
/// Longer than who renews the lease pauses between two looks.
const SOON: Duration = Duration::from_secs(3);
/// How long it may take to find out why there is no connection, or whether one is any good.
const ASKING_WHY: Duration = Duration::from_secs(2);

/// What keeps us from the server.
#[derive(Debug, Clone)]
struct Trouble {
    reason: String,
    /// It has not answered for so long that nothing it was asked is waited for any more.
    is_silent: bool,
}

/// Where sessions come from. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    route: Arc<Route>,
    pub(super) pool: PgPool,
    trouble: watch::Sender<Option<Trouble>>,
    /// What is older leads to a server that was left.
    changed: Arc<Mutex<Option<Instant>>>,
}

impl Sessions {
    /// The first connection, and where further ones come from.
    pub(super) async fn open(url: &PostgresUrl, wish: Wish) -> Result<(Self, PgConnection), Fault> {
        let route = Route::new(url);
        let connection = route.connect(wish).await?;
        let changed = Arc::default();
        let sessions = Self {
            pool: pool(&route, Arc::clone(&changed)),
            route: Arc::new(route),
            trouble: watch::Sender::default(),
            changed,
        };
        Ok((sessions, connection))
    }

    /// A session for one piece of work.
    pub(super) async fn session(&self) -> Result<Session, Fault> {
        let trouble = self.trouble.borrow().clone();
        let connection = match trouble {
            None => self.acquire().await?,
            Some(trouble) => match self.still_there(&trouble).await {
                Some(connection) => connection,
                None => {
                    self.recovered().await?;
                    self.acquire().await?
                }
            },
        };
        Ok(Session {
            connection,
            is_done: false,
        })
    }

    /// A connection that is there already: a server that takes no new ones may still serve those that it has.
    async fn still_there(&self, trouble: &Trouble) -> Option<PoolConnection<Postgres>> {
        if trouble.is_silent {
            return None;
        }
        while let Some(mut connection) = self.pool.try_acquire() {
            let answer = async { Ok(connection.ping().await?) };
            if within(ASKING_WHY, answer).await.is_ok() {
                return Some(connection);
            }
            connection.close_on_drop();
        }
        None
    }

    /// Until there is no trouble any more, if that is soon: who renews the lease may just be about to find out.
    async fn recovered(&self) -> Result<(), Fault> {
        let mut troubles = self.trouble.subscribe();
        let recovered = tokio::time::timeout(SOON, troubles.wait_for(Option::is_none)).await;
        let is_over = matches!(recovered, Ok(Ok(_)));
        match self.trouble.borrow().clone() {
            Some(trouble) if !is_over => Err(Fault::Passing(trouble.reason)),
            _ => Ok(()),
        }
    }

    async fn acquire(&self) -> Result<PoolConnection<Postgres>, Fault> {
        let acquired = tokio::select! {
            acquired = self.pool.acquire() => acquired,
            _ = self.trouble(|_| true) => {
                self.recovered().await?;
                self.pool.acquire().await
            }
        };
        match acquired {
            Err(sqlx::Error::PoolTimedOut) => Err(self.why_none().await),
            acquired => Ok(acquired?),
        }
    }

    /// Until there is such a trouble.
    async fn trouble(&self, is_meant: impl Fn(&Trouble) -> bool) -> Trouble {
        let mut troubles = self.trouble.subscribe();
        loop {
            let trouble = troubles.borrow_and_update().clone().filter(&is_meant);
            if let Some(trouble) = trouble {
                return trouble;
            }
            if troubles.changed().await.is_err() {
                // There is nobody left who could find one.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The pool tries again until its time is over, and then does not say what it tried against.
    async fn why_none(&self) -> Fault {
        let options = self.options();
        let connecting = async { Ok(PgConnection::connect_with(&options).await?) };
        match within(ASKING_WHY, connecting).await {
            Ok(_one_is_free_now) => Fault::Sql(sqlx::Error::PoolTimedOut),
            Err(Fault::Silent(_)) => Fault::Silent(self.route.patience()),
            Err(fault) => fault,
        }
    }

    /// Waits for work, but not for a server that has fallen silent: a connection that is cut off on the way says nothing
    /// for ever.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::select! {
            done = within(PATIENCE, work) => done,
            trouble = self.trouble(|trouble| trouble.is_silent) => Err(Fault::Passing(trouble.reason)),
        }
    }

    /// Looks where the server is now; connections that lead elsewhere are not used again.
    pub(super) async fn find(&self) -> Result<PgConnectOptions, Fault> {
        let before = self.route.place();
        let connection = self.route.connect(Wish::Write).await?;
        let options = self.options();
        if self.route.place() != before {
            self.pool.set_connect_options(options.clone());
            let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
            *changed = Some(Instant::now());
        }
        connection.close().await?;
        Ok(options)
    }

    /// How to connect to the server that was found last.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.route.options()
    }

    /// Takes note that the server cannot be had; it has been silent since its last answer, if it is.
    pub(super) fn note_trouble(&self, fault: Fault, last_answer: Instant) -> Fault {
        let is_silent =
            matches!(fault, Fault::Silent(_)) && last_answer.elapsed() >= self.route.lease();
        let (reason, _) = fault.words();
        let trouble = Trouble {
            reason: reason.clone(),
            is_silent,
        };
        self.trouble.send_replace(Some(trouble));
        Fault::Passing(reason)
    }

    /// Takes note that it answers.
    pub(super) fn note_answer(&self) {
        self.trouble
            .send_if_modified(|trouble| trouble.take().is_some());
    }
}

/// Connections for statements; none is opened yet.
fn pool(route: &Route, changed: Arc<Mutex<Option<Instant>>>) -> PgPool {
    PgPoolOptions::new()
        .max_connections(MOST_CONNECTIONS)
        .min_connections(0)
        .acquire_timeout(route.patience())
        .idle_timeout(IDLE_AFTER)
        .max_lifetime(OLDEST)
        .before_acquire(move |_, known| {
            let changed = *changed.lock().unwrap_or_else(PoisonError::into_inner);
            let is_of_now = changed.is_none_or(|changed| known.age < changed.elapsed());
            Box::pin(async move { Ok(is_of_now) })
        })
        .connect_lazy_with(route.options())
}

/// A connection for one piece of work. Dropped before it is given back, it is closed: work that failed or was given up
/// leaves it in nobody knows which state, and waiting for it would keep its place from others.
#[derive(Debug)]
pub(super) struct Session {
    connection: PoolConnection<Postgres>,
    is_done: bool,
}

impl Session {
    /// The work is done.
    pub(super) fn give_back(mut self) {
        self.is_done = true;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_done {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
