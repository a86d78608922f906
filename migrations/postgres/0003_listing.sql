-- Listings of a kind, and of what was first seen lately. Both grow at their ends only, which costs little.
CREATE INDEX findings_by_kind ON findings (kind, id);
CREATE INDEX findings_by_time ON findings (first_seen, id);
