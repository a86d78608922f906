-- Which findings a run has brought: read from here, however many there are beside them. First seen is mostly now, so rows are
-- added at the end.
CREATE INDEX findings_by_first_seen ON findings (first_seen);
