-- Listings of a kind, and of what was first seen lately: with the numbers beside the times, they are read from the index alone.
CREATE INDEX findings_by_kind ON findings (kind, id);
DROP INDEX findings_by_first_seen;
CREATE INDEX findings_by_first_seen ON findings (first_seen, id);
