-- What leaves: which runs have been made known to the destinations, and the messages that wait for them.

-- The last run that changed anything in the scope, and the last one that read it to its proper end, also if it was held.
ALTER TABLE scopes ADD COLUMN changed_run BIGINT;
ALTER TABLE scopes ADD COLUMN read_run BIGINT;

-- Whether the messages about a run that is over have been added to the outbox.
ALTER TABLE runs ADD COLUMN announced BIGINT NOT NULL DEFAULT 0;
-- Whether the tool did not accept its credentials.
ALTER TABLE runs ADD COLUMN credentials_refused BIGINT NOT NULL DEFAULT 0;
-- What has ended before is no news.
UPDATE runs SET announced = 1 WHERE state NOT IN ('queued', 'running');
CREATE INDEX runs_unannounced ON runs (id) WHERE announced = 0;

-- Messages that wait.
CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination TEXT NOT NULL,
    -- Messages of one topic replace each other.
    topic       TEXT,
    content     TEXT NOT NULL,
    -- How often it was replaced.
    revision    BIGINT NOT NULL DEFAULT 1,
    since       BIGINT NOT NULL,
    -- When the newest revision came.
    revised_at  BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    not_before  BIGINT,
    -- Why it waits still.
    problem     TEXT,
    -- What its deliverer has to know after a break.
    note        TEXT
);

CREATE UNIQUE INDEX outbox_by_topic ON outbox (destination, topic) WHERE topic IS NOT NULL;
CREATE INDEX outbox_by_age ON outbox (destination, since, id);

-- Who delivers to a destination just now, and until when, by this server's clock, nobody else may.
CREATE TABLE destinations (
    name       TEXT PRIMARY KEY,
    holder     TEXT,
    held_until BIGINT
);

-- What is said once for ever, by a key.
CREATE TABLE announced_once (
    key TEXT PRIMARY KEY,
    at  BIGINT NOT NULL
);

-- What deliverers remember.
CREATE TABLE destination_state (
    destination TEXT NOT NULL,
    topic       TEXT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (destination, topic)
);
