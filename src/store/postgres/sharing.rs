//! The common queue: runs that wait where no place is free, or whose daemon is gone, go to whoever has one.

use sqlx::PgConnection;

use super::fault::Fault;
use super::holder::holder_lives;
use super::rows::{now, text};
use crate::store::{RunId, TakeOver, Taken};

/// What the dead have begun ends, and is queued again: unless it was run by hand, or three daemons have died of it already.
/// What was to be run by hand ends too where it still waits: nobody else will run it. Who asks is not dead, although it may be
/// without a session for a moment.
const REQUEUE: &str = concat!(
    "WITH dead AS (
        SELECT r.id, r.api_configuration_id, r.\"trigger\", r.deaths
        FROM runs r JOIN api_configurations a ON a.id = r.api_configuration_id LEFT JOIN holders h ON h.id = r.holder_id
        WHERE (r.state = 'running' OR r.state = 'queued' AND r.\"trigger\" = 'standalone') AND a.name = ANY($1)
            AND r.holder_id <> $3 AND NOT coalesce(",
    holder_lives!(),
    ", false) ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED),
    ended AS (
        UPDATE runs SET state = 'interrupted', progress = NULL, error = daemon || ' ended without finishing this run',
            finished_at = ",
    now!(),
    " WHERE id IN (SELECT id FROM dead))
    INSERT INTO runs (api_configuration_id, \"trigger\", state, daemon, holder_id, deaths, queued_at)
    SELECT api_configuration_id, \"trigger\", 'queued', $2, $3, deaths + 1, ",
    now!(),
    " FROM dead WHERE \"trigger\" <> 'standalone' AND deaths < 3 ORDER BY id"
);
/// No daemon knows its API configuration any more: nobody else would end it.
const ABANDON: &str = concat!(
    "UPDATE runs SET state = 'interrupted', progress = NULL, error = daemon || ' ended without finishing this run',
        finished_at = ",
    now!(),
    " WHERE id IN (
        SELECT r.id FROM runs r JOIN api_configurations a ON a.id = r.api_configuration_id
        LEFT JOIN holders h ON h.id = r.holder_id
        WHERE r.state IN ('queued', 'running') AND a.name <> ALL($1)
            AND (h.id IS NULL OR h.expires_at < clock_timestamp() - interval '1 hour')
        ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED)"
);
/// A run that has waited for less than a second may be just about to start where it was queued, or taken: whoever takes it
/// has that time anew.
const TAKE: &str = concat!(
    "UPDATE runs t SET holder_id = $1, daemon = $2, queued_at = ",
    now!(),
    " FROM api_configurations a
    WHERE a.id = t.api_configuration_id AND t.id IN (
        SELECT r.id FROM runs r JOIN api_configurations b ON b.id = r.api_configuration_id
        LEFT JOIN holders h ON h.id = r.holder_id
        WHERE r.state = 'queued' AND b.name = ANY($3) AND r.id <> ALL($4) AND r.\"trigger\" <> 'standalone'
            AND (r.holder_id = $1 OR r.queued_at < ",
    now!(),
    " - 1000 OR NOT coalesce(",
    holder_lives!(),
    ", false))
            AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.api_configuration_id = r.api_configuration_id AND o.state = 'running')
        ORDER BY r.id LIMIT $5 FOR NO KEY UPDATE OF r SKIP LOCKED)
    RETURNING t.id, a.name"
);
const NOTE_PROGRESS: &str =
    "UPDATE runs SET progress = $3 WHERE id = $1 AND holder_id = $2 AND state = 'running'";
const PROGRESS: &str = "SELECT progress FROM runs WHERE id = $1 AND state = 'running'";

/// Takes runs over for this holder.
pub(super) async fn take_over(
    transaction: &mut PgConnection,
    holder: i64,
    wish: TakeOver<'_>,
) -> Result<Vec<Taken>, Fault> {
    let names: Vec<_> = wish.names.iter().map(|name| text(name)).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    sqlx::query(REQUEUE)
        .bind(&names)
        .bind(text(wish.daemon))
        .bind(holder)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(ABANDON)
        .bind(&names)
        .execute(&mut *transaction)
        .await?;
    let taken: Vec<(RunId, String)> = sqlx::query_as(TAKE)
        .bind(holder)
        .bind(text(wish.daemon))
        .bind(&names)
        .bind(wish.present)
        .bind(i64::try_from(wish.most).unwrap_or(i64::MAX))
        .fetch_all(transaction)
        .await?;
    let mut taken: Vec<Taken> = taken
        .into_iter()
        .map(|(run, api_configuration)| Taken {
            run,
            api_configuration,
        })
        .collect();
    taken.sort_by_key(|taken| taken.run);
    Ok(taken)
}

/// Notes how far a run is.
pub(super) async fn note_progress(
    connection: &mut PgConnection,
    holder: i64,
    run: RunId,
    progress: &str,
) -> Result<(), Fault> {
    sqlx::query(NOTE_PROGRESS)
        .bind(run)
        .bind(holder)
        .bind(text(progress))
        .execute(connection)
        .await?;
    Ok(())
}

/// What was last noted.
pub(super) async fn progress_of(
    connection: &mut PgConnection,
    run: RunId,
) -> Result<Option<String>, Fault> {
    let progress: Option<Option<String>> = sqlx::query_scalar(PROGRESS)
        .bind(run)
        .fetch_optional(connection)
        .await?;
    Ok(progress.flatten())
}
