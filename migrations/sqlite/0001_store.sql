-- Times are milliseconds since 1970, UTC. Severity, status and kind are the numbers of src/store/sqlite/codes.rs.
-- A key is 16 bytes of a hash, a digest 8; a digest of zeroes stands for "not seen lately".

-- `SePu`: the file is secpull's.
PRAGMA application_id = 1399148661;

CREATE TABLE api_configurations (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    connector        TEXT NOT NULL,
    last_complete_at INTEGER,
    -- The run whose resolutions wait for `accept`, and how many they are.
    held_run_id      INTEGER,
    held             INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Where findings are filed. No branch and no service are empty texts, so that the constraint sees them.
CREATE TABLE filings (
    id      INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    branch  TEXT NOT NULL,
    service TEXT NOT NULL,
    UNIQUE (product, branch, service)
) STRICT;

CREATE TABLE records (
    api_configuration_id INTEGER NOT NULL REFERENCES api_configurations,
    record_id            TEXT NOT NULL,
    name                 TEXT NOT NULL,
    -- present, missing or excluded.
    state                TEXT NOT NULL DEFAULT 'present',
    missing_since        INTEGER,
    PRIMARY KEY (api_configuration_id, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE scopes (
    id                   INTEGER PRIMARY KEY,
    api_configuration_id INTEGER NOT NULL REFERENCES api_configurations,
    record_id            TEXT NOT NULL,
    branch               TEXT NOT NULL,
    -- Empty where the connector reads no parts.
    part                 TEXT NOT NULL,
    filing_id            INTEGER NOT NULL REFERENCES filings,
    -- Counters, so that nobody has to count sightings.
    unresolved           INTEGER NOT NULL DEFAULT 0,
    complete_runs        INTEGER NOT NULL DEFAULT 0,
    last_complete_at     INTEGER,
    last_complete_run    INTEGER,
    UNIQUE (api_configuration_id, record_id, branch, part)
) STRICT;

-- Every filing that a scope has ever had: where the findings of its sightings can be.
CREATE TABLE scope_filings (
    scope_id  INTEGER NOT NULL REFERENCES scopes,
    filing_id INTEGER NOT NULL REFERENCES filings,
    PRIMARY KEY (scope_id, filing_id)
) STRICT, WITHOUT ROWID;

-- Never reused: a run's number is also its byte in the claims file.
CREATE TABLE runs (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    api_configuration_id INTEGER NOT NULL REFERENCES api_configurations,
    "trigger"            TEXT NOT NULL,
    state                TEXT NOT NULL,
    daemon               TEXT NOT NULL,
    started_at           INTEGER,
    finished_at          INTEGER,
    new                  INTEGER NOT NULL DEFAULT 0,
    updated              INTEGER NOT NULL DEFAULT 0,
    unchanged            INTEGER NOT NULL DEFAULT 0,
    resolved             INTEGER NOT NULL DEFAULT 0,
    reopened             INTEGER NOT NULL DEFAULT 0,
    already_fixed        INTEGER NOT NULL DEFAULT 0,
    unreadable           INTEGER NOT NULL DEFAULT 0,
    pages                INTEGER NOT NULL DEFAULT 0,
    requests             INTEGER NOT NULL DEFAULT 0,
    retries              INTEGER NOT NULL DEFAULT 0,
    error                TEXT
) STRICT;

CREATE INDEX runs_by_api ON runs (api_configuration_id, id);
CREATE INDEX runs_not_over ON runs (api_configuration_id) WHERE state IN ('queued', 'running');

CREATE TABLE slots (
    api_configuration_id INTEGER NOT NULL REFERENCES api_configurations,
    slot                 INTEGER NOT NULL,
    PRIMARY KEY (api_configuration_id, slot)
) STRICT, WITHOUT ROWID;

-- zstd dictionaries, under zstd's own number of them, which every frame carries. Kept for ever.
CREATE TABLE dictionaries (
    id        INTEGER PRIMARY KEY,
    connector TEXT NOT NULL UNIQUE,
    bytes     BLOB NOT NULL
) STRICT;

-- Numbers are given to people: never reused.
CREATE TABLE findings (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint  BLOB NOT NULL,
    filing_id    INTEGER NOT NULL REFERENCES filings,
    kind         INTEGER NOT NULL,
    severity     INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    first_seen   INTEGER NOT NULL,
    resolved_at  INTEGER,
    canonical_id TEXT
) STRICT;

-- One finding of each fingerprint in a filing. Hashes come in no order: a table of its own can be written sorted, while
-- findings are written in the order in which they come. The same goes for sighting_keys.
CREATE TABLE finding_keys (
    filing_id   INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    finding_id  INTEGER NOT NULL,
    PRIMARY KEY (filing_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX findings_by_severity ON findings (severity, status);
CREATE INDEX findings_by_filing ON findings (filing_id, severity, status);
CREATE INDEX findings_by_vulnerability ON findings (canonical_id) WHERE canonical_id IS NOT NULL;

-- Other names of a vulnerability, to find the canonical id by.
CREATE TABLE vulnerability_names (
    name         TEXT NOT NULL,
    canonical_id TEXT NOT NULL,
    PRIMARY KEY (name, canonical_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sightings (
    id          INTEGER PRIMARY KEY,
    scope_id    INTEGER NOT NULL REFERENCES scopes,
    key         BLOB NOT NULL,
    finding_id  INTEGER NOT NULL REFERENCES findings,
    fingerprint BLOB NOT NULL,
    severity    INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    -- Complete imports in a row without it.
    misses      INTEGER NOT NULL DEFAULT 0,
    -- The run that last wrote it.
    run_id      INTEGER NOT NULL,
    first_seen  INTEGER NOT NULL,
    -- Unless it is missed or resolved, the scope's last complete import has seen it too.
    last_seen   INTEGER NOT NULL,
    resolved_at INTEGER,
    -- Content and the vendor's JSON, see src/store/sqlite/pack.rs. Last, so that the rest is read without it.
    body        BLOB NOT NULL
) STRICT;

-- What is known of a scope is read from here: the fat rows are not touched.
CREATE TABLE sighting_keys (
    scope_id    INTEGER NOT NULL,
    key         BLOB NOT NULL,
    digest      BLOB NOT NULL,
    sighting_id INTEGER NOT NULL,
    PRIMARY KEY (scope_id, key)
) STRICT, WITHOUT ROWID;

-- Covers what a finding's standing is made of.
CREATE INDEX sightings_by_finding ON sightings (finding_id, status, severity, first_seen, scope_id);

CREATE TABLE history (
    id          INTEGER PRIMARY KEY,
    finding_id  INTEGER NOT NULL REFERENCES findings,
    at          INTEGER NOT NULL,
    event       TEXT NOT NULL,
    run_id      INTEGER,
    sighting_id INTEGER,
    old         TEXT,
    new         TEXT
) STRICT;

CREATE INDEX history_by_finding ON history (finding_id);

-- What the held run of an API configuration would have resolved.
CREATE TABLE held (
    run_id      INTEGER NOT NULL,
    sighting_id INTEGER NOT NULL,
    PRIMARY KEY (run_id, sighting_id)
) STRICT, WITHOUT ROWID;
