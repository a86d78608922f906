//! This process's lease: as long as it is renewed, the runs that it holds are nobody else's.
//!
//! A lease ends in two ways. The session that renews it goes when its process goes, however that ends, and others see that
//! at once. A process that hangs or is cut off keeps its session, perhaps, but its lease runs out by the server's clock.
//! Neither makes writing safe: that does the check of the run's row in each writing transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::ServerClock;
use super::fault::Fault;
use super::route::within;
use super::sessions::Sessions;

const NEW: &str = "
    INSERT INTO holders (pid, backend_start, expires_at)
    SELECT pid, backend_start, clock_timestamp() + $1 * interval '1 millisecond'
    FROM pg_stat_activity WHERE pid = pg_backend_pid() RETURNING id";
/// Also brings the row back if it has been forgotten: what was held is lost then, but new runs can be held.
const RENEW: &str = "
    INSERT INTO holders (id, pid, backend_start, expires_at) OVERRIDING SYSTEM VALUE
    SELECT $2, pid, backend_start, clock_timestamp() + $1 * interval '1 millisecond'
    FROM pg_stat_activity WHERE pid = pg_backend_pid()
    ON CONFLICT (id) DO UPDATE
    SET pid = excluded.pid, backend_start = excluded.backend_start, expires_at = excluded.expires_at";
/// Those that nothing refers to any more.
const FORGET: &str = "
    DELETE FROM holders h WHERE h.expires_at < clock_timestamp() - interval '1 day'
    AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.state IN ('queued', 'running') AND r.holder_id = h.id)";

/// Whether the holder `h` lives, as a condition. Just after the server's own restart nobody's session is there: who was
/// connected before is given time to come back.
macro_rules! holder_lives {
    () => {
        "((h.expires_at > clock_timestamp() AND EXISTS (
            SELECT 1 FROM pg_stat_activity a WHERE a.pid = h.pid AND a.backend_start = h.backend_start))
          OR (h.backend_start < pg_postmaster_start_time()
            AND pg_postmaster_start_time() > clock_timestamp() - interval '30 seconds'))"
    };
}
pub(super) use holder_lives;

/// Whoever adds a run that another may take rings here.
pub(super) const CHANNEL: &str = "secpull_queue";

/// A lease that is renewed until this is dropped.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: i64,
    /// Rings when a run has been added, by whomever.
    added: Arc<Notify>,
    clock: Arc<ServerClock>,
    _renewing: DropGuard,
}

impl Holder {
    /// Until a run has been added, by whomever.
    pub(super) async fn added(&self) {
        self.added.notified().await;
    }

    /// The server's time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Takes a lease over a session of its own, and keeps renewing it.
    pub(super) async fn begin(lease: Duration, sessions: Sessions) -> Result<Self, Fault> {
        let mut session = within(lease, listen(sessions.options())).await?;
        sqlx::query(FORGET).execute(&mut session).await?;
        let id = sqlx::query_scalar(NEW)
            .bind(milliseconds(lease))
            .fetch_one(&mut session)
            .await?;
        let stop = CancellationToken::new();
        let added = Arc::new(Notify::new());
        let clock = Arc::new(ServerClock::asked(&mut session).await?);
        let renewing = Renewing {
            id,
            lease,
            sessions,
            session: Some(session),
            last_answer: Instant::now(),
            added: Arc::clone(&added),
            clock: Arc::clone(&clock),
        };
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = renewing.go_on() => {}
                // The session goes with the task, and the lease with the session.
                () = stopped.cancelled() => {}
            }
        });
        Ok(Self {
            id,
            added,
            clock,
            _renewing: stop.drop_guard(),
        })
    }
}

/// A session of its own: one that hangs must not keep another from coming.
async fn listen(options: PgConnectOptions) -> Result<PgListener, Fault> {
    let one = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    let mut session = PgListener::connect_with(&one).await?;
    session.eager_reconnect(false);
    session.listen(CHANNEL).await?;
    Ok(session)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

struct Renewing {
    id: i64,
    lease: Duration,
    sessions: Sessions,
    session: Option<PgListener>,
    last_answer: Instant,
    added: Arc<Notify>,
    clock: Arc<ServerClock>,
}

impl Renewing {
    /// So many tries fit into a lease.
    const TRIES: u32 = 6;
    /// Between two tries to get a session: from this, doubled as long as it does not help, …
    const PAUSE: Duration = Duration::from_millis(200);
    /// … to this.
    const LONGEST_PAUSE: Duration = Duration::from_secs(2);

    async fn go_on(mut self) {
        let beat = self.lease / Self::TRIES;
        let mut pause = Self::PAUSE;
        loop {
            // The first beat is the lease that was taken just now.
            if self.is_lost_within(beat).await {
                self.session = None;
                tokio::time::sleep(pause).await;
            }
            match self.renew(beat).await {
                Ok(()) => pause = Self::PAUSE,
                Err(fault) => {
                    let error = fault.at("of the lease");
                    tracing::debug!("the lease was not renewed: {error}");
                    self.session = None;
                    pause = (pause * 2).min(Self::LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits for a beat, and passes on that runs were added. True at once when the session is lost: until there is a new
    /// one, others take this process for dead.
    async fn is_lost_within(&mut self, beat: Duration) -> bool {
        let Some(session) = &mut self.session else {
            return true;
        };
        let added = &self.added;
        let lost = async {
            while let Ok(Some(_)) = session.try_recv().await {
                added.notify_one();
            }
        };
        tokio::time::timeout(beat, lost).await.is_ok()
    }

    /// A server that hangs must not keep us from trying over another session.
    async fn renew(&mut self, beat: Duration) -> Result<(), Fault> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.begin(beat).await?,
        };
        let renewing = async {
            sqlx::query(RENEW)
                .bind(milliseconds(self.lease))
                .bind(self.id)
                .execute(&mut session)
                .await?;
            self.clock.ask_again(&mut session).await
        };
        within(beat, renewing).await?;
        self.last_answer = Instant::now();
        self.session = Some(session);
        Ok(())
    }

    /// Looks for the server, and begins a session. What keeps us from it is everybody's trouble.
    async fn begin(&self, beat: Duration) -> Result<PgListener, Fault> {
        let begun = async {
            let options = self.sessions.find().await?;
            within(beat, listen(options)).await
        };
        match begun.await {
            Ok(session) => {
                self.sessions.note_answer();
                Ok(session)
            }
            Err(fault) => Err(self.sessions.note_trouble(fault, self.last_answer)),
        }
    }
}
