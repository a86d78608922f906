//! This process's lease: as long as it is renewed, the runs that it holds are nobody else's.
//!
//! A lease ends in two ways. The session that renews it goes when its process goes, however that ends, and others see that
//! at once. A process that hangs or is cut off keeps its session, perhaps, but its lease runs out by the server's clock.
//! Neither makes writing safe: that does the check of the run's row in each writing transaction.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::ServerClock;
use super::fault::Fault;

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
    pub(super) async fn begin(lease: Duration, options: PgConnectOptions) -> Result<Self, Fault> {
        let sessions = PgPoolOptions::new()
            // One is used. Others may still hang in a connection that is cut off.
            .max_connections(4)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(lease)
            .connect_lazy_with(options);
        let mut session = listen(&sessions).await?;
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

async fn listen(sessions: &PgPool) -> Result<PgListener, Fault> {
    let mut session = PgListener::connect_with(sessions).await?;
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
    sessions: PgPool,
    session: Option<PgListener>,
    added: Arc<Notify>,
    clock: Arc<ServerClock>,
}

impl Renewing {
    /// So many tries fit into a lease.
    const TRIES: u32 = 6;
    /// Between two tries to get a session.
    const PAUSE: Duration = Duration::from_millis(200);

    async fn go_on(mut self) {
        let beat = self.lease / Self::TRIES;
        loop {
            // The first beat is the lease that was taken just now.
            if self.is_lost_within(beat).await {
                self.session = None;
                tokio::time::sleep(Self::PAUSE).await;
            }
            // A server that hangs must not keep us from trying over another session.
            match tokio::time::timeout(beat, self.renew()).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => {
                    let error = fault.at("of the lease");
                    tracing::debug!("the lease was not renewed: {error}");
                    self.session = None;
                }
                Err(_) => self.session = None,
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

    async fn renew(&mut self) -> Result<(), Fault> {
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(listen(&self.sessions).await?),
        };
        sqlx::query(RENEW)
            .bind(milliseconds(self.lease))
            .bind(self.id)
            .execute(&mut *session)
            .await?;
        self.clock.ask_again(session).await
    }
}
