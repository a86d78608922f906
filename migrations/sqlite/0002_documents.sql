-- Vendors' texts that many findings share, kept for the next import. What is lost is fetched again.

CREATE TABLE documents (
    -- The connector, and where the text comes from.
    space   TEXT NOT NULL,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    -- When it was last used, a few days old at most.
    used_at INTEGER NOT NULL,
    -- The text, compressed with zstd.
    body    BLOB NOT NULL,
    PRIMARY KEY (space, name)
) STRICT;

CREATE INDEX documents_by_use ON documents (used_at);
