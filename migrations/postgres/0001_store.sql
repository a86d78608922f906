-- Times are milliseconds since 1970, UTC, as in SQLite. Severity, status and kind are the numbers of src/store/codes.rs.
-- A key is 16 bytes of a hash, a digest 8; a digest of zeroes stands for "not seen lately".
--
-- Between findings, sightings and history there are no foreign keys: the engine writes them together, and a check per row
-- would cost a third of an import.

CREATE TABLE api_configurations (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    connector        TEXT NOT NULL,
    last_complete_at BIGINT,
    -- The run whose resolutions wait for `accept`, and how many they are.
    held_run_id      BIGINT,
    held             BIGINT NOT NULL DEFAULT 0
);

-- Where findings are filed. No branch and no service are empty texts, so that the constraint sees them.
-- Findings are shared inside a filing only: whoever writes locks the filings first, in the order of their ids.
CREATE TABLE filings (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product TEXT NOT NULL,
    branch  TEXT NOT NULL,
    service TEXT NOT NULL,
    UNIQUE (product, branch, service)
);

CREATE TABLE records (
    api_configuration_id BIGINT NOT NULL REFERENCES api_configurations,
    record_id            TEXT NOT NULL,
    name                 TEXT NOT NULL,
    -- present, missing or excluded.
    state                TEXT NOT NULL DEFAULT 'present',
    missing_since        BIGINT,
    PRIMARY KEY (api_configuration_id, record_id)
);

CREATE TABLE scopes (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    api_configuration_id BIGINT NOT NULL REFERENCES api_configurations,
    record_id            TEXT NOT NULL,
    branch               TEXT NOT NULL,
    -- Empty where the connector reads no parts.
    part                 TEXT NOT NULL,
    filing_id            BIGINT NOT NULL REFERENCES filings,
    -- Counters, so that nobody has to count sightings.
    unresolved           BIGINT NOT NULL DEFAULT 0,
    complete_runs        BIGINT NOT NULL DEFAULT 0,
    last_complete_at     BIGINT,
    -- Tells a repeated end of an import, whose first answer was lost, from a second import.
    last_complete_run    BIGINT,
    UNIQUE (api_configuration_id, record_id, branch, part)
);

-- Every filing that a scope has ever had: where the findings of its sightings can be.
CREATE TABLE scope_filings (
    scope_id  BIGINT NOT NULL REFERENCES scopes,
    filing_id BIGINT NOT NULL REFERENCES filings,
    PRIMARY KEY (scope_id, filing_id)
);

-- Every process that runs imports, with its lease: a run belongs to a holder, and its holder's death is its end.
CREATE TABLE holders (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The session that renews the lease; when it is gone, so is the process.
    pid           INTEGER,
    backend_start TIMESTAMPTZ,
    -- By this server's clock.
    expires_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE runs (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    api_configuration_id BIGINT NOT NULL REFERENCES api_configurations,
    "trigger"            TEXT NOT NULL,
    state                TEXT NOT NULL,
    daemon               TEXT NOT NULL,
    -- Who may write for it. No foreign key: holders are forgotten, runs are not.
    holder_id            BIGINT NOT NULL,
    -- How many daemons have died of it before: the run of an API configuration that kills whoever imports it is not
    -- handed on for ever.
    deaths               BIGINT NOT NULL DEFAULT 0,
    queued_at            BIGINT NOT NULL,
    started_at           BIGINT,
    finished_at          BIGINT,
    new                  BIGINT NOT NULL DEFAULT 0,
    updated              BIGINT NOT NULL DEFAULT 0,
    unchanged            BIGINT NOT NULL DEFAULT 0,
    resolved             BIGINT NOT NULL DEFAULT 0,
    reopened             BIGINT NOT NULL DEFAULT 0,
    already_fixed        BIGINT NOT NULL DEFAULT 0,
    unreadable           BIGINT NOT NULL DEFAULT 0,
    pages                BIGINT NOT NULL DEFAULT 0,
    requests             BIGINT NOT NULL DEFAULT 0,
    retries              BIGINT NOT NULL DEFAULT 0,
    error                TEXT,
    -- What watchers on other hosts see of a run under way, as JSON.
    progress             TEXT
);

CREATE INDEX runs_by_api ON runs (api_configuration_id, id);
CREATE INDEX runs_not_over ON runs (state, id) WHERE state IN ('queued', 'running');
-- The last line of defence: whatever else fails, an API configuration is imported once at a time.
CREATE UNIQUE INDEX runs_running ON runs (api_configuration_id) WHERE state = 'running';

CREATE TABLE slots (
    api_configuration_id BIGINT NOT NULL REFERENCES api_configurations,
    slot                 BIGINT NOT NULL,
    PRIMARY KEY (api_configuration_id, slot)
);

-- zstd dictionaries, under zstd's own number of them, which every frame carries. Kept for ever.
CREATE TABLE dictionaries (
    id        BIGINT PRIMARY KEY,
    connector TEXT NOT NULL UNIQUE,
    bytes     BYTEA NOT NULL
);

-- Numbers are given to people: never reused.
CREATE TABLE findings (
    id           BIGINT PRIMARY KEY,
    fingerprint  BYTEA NOT NULL,
    filing_id    BIGINT NOT NULL,
    kind         BIGINT NOT NULL,
    severity     BIGINT NOT NULL,
    status       BIGINT NOT NULL,
    first_seen   BIGINT NOT NULL,
    resolved_at  BIGINT,
    canonical_id TEXT,
    -- Checked at the end of a statement: findings may change places in one.
    CONSTRAINT findings_by_place UNIQUE (filing_id, fingerprint) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE SEQUENCE finding_numbers OWNED BY findings.id;
CREATE INDEX findings_by_severity ON findings (severity, status, id);
CREATE INDEX findings_by_filing ON findings (filing_id, severity, status, id);
CREATE INDEX findings_by_vulnerability ON findings (canonical_id, id) WHERE canonical_id IS NOT NULL;

-- Other names of a vulnerability, to find the canonical id by.
CREATE TABLE vulnerability_names (
    name         TEXT NOT NULL,
    canonical_id TEXT NOT NULL,
    PRIMARY KEY (name, canonical_id)
);

CREATE TABLE sightings (
    id          BIGINT PRIMARY KEY,
    scope_id    BIGINT NOT NULL,
    finding_id  BIGINT NOT NULL,
    severity    BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    -- Complete imports in a row without it.
    misses      BIGINT NOT NULL DEFAULT 0,
    -- The run that last wrote it.
    run_id      BIGINT NOT NULL,
    first_seen  BIGINT NOT NULL,
    -- Unless it is missed or resolved, the scope's last complete import has seen it too.
    last_seen   BIGINT NOT NULL,
    resolved_at BIGINT,
    key         BYTEA NOT NULL,
    digest      BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    -- Content and the vendor's JSON, see src/store/pack.rs.
    body        BYTEA NOT NULL
);

CREATE SEQUENCE sighting_numbers OWNED BY sightings.id;
-- Compressed already: not worth a second try.
ALTER TABLE sightings ALTER COLUMN body SET STORAGE EXTERNAL;
-- Covers the scan that loads what is known of a scope, and finds a key whatever its digest.
CREATE UNIQUE INDEX sightings_by_key ON sightings (scope_id, key) INCLUDE (digest);
-- Covers what a finding's standing is made of.
CREATE INDEX sightings_by_finding ON sightings (finding_id) INCLUDE (id, status, severity, first_seen, scope_id);

CREATE TABLE history (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding_id  BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    event       TEXT NOT NULL,
    run_id      BIGINT,
    sighting_id BIGINT,
    old         TEXT,
    new         TEXT
);

CREATE INDEX history_by_finding ON history (finding_id);

-- Vendors' texts that many findings share, kept for the next import. What is lost is fetched again.
CREATE TABLE documents (
    -- The connector, and where the text comes from.
    space   TEXT NOT NULL,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    -- When it was last used, a few days old at most.
    used_at BIGINT NOT NULL,
    -- The text, compressed with zstd.
    body    BYTEA NOT NULL,
    PRIMARY KEY (space, name)
);

CREATE INDEX documents_by_use ON documents (used_at);

-- What the held run of an API configuration would have resolved.
CREATE TABLE held (
    run_id      BIGINT NOT NULL,
    sighting_id BIGINT NOT NULL,
    PRIMARY KEY (run_id, sighting_id)
);
