-- Vendors' texts that imports keep for one another.

CREATE TABLE documents (
    -- The connector, and where the text comes from.
    space   TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    -- When it was last used, a few days old at most.
    used_at BIGINT NOT NULL,
    -- The text, compressed with zstd.
    body    BYTEA NOT NULL,
    PRIMARY KEY (space, name)
);

CREATE INDEX documents_by_use ON documents (used_at);
