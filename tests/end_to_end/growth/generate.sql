-- Fills a store with $FINDINGS findings of a hundred API configurations, as three years of imports leave them: most of them
-- components', nearly half open, a few products with most of them, some seen by two tools. What vendors said is taken from
-- the sightings that are there. The same numbers each time.

SELECT setseed(0.25);
SET LOCAL maintenance_work_mem = '256MB';

-- Indexes are made afterwards: that is quicker, and they are as after years.
CREATE TEMP TABLE indexes ON COMMIT DROP AS
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('findings', 'sightings', 'history')
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname);
CREATE TEMP TABLE place ON COMMIT DROP AS
SELECT pg_get_constraintdef(oid) AS def FROM pg_constraint WHERE conname = 'findings_by_place';
DO $$
DECLARE name TEXT;
BEGIN
    FOR name IN SELECT indexname FROM indexes LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
ALTER TABLE findings DROP CONSTRAINT findings_by_place;

CREATE TEMP TABLE samples ON COMMIT DROP AS
SELECT (row_number() OVER (ORDER BY id) - 1)::int AS number, body FROM (SELECT id, body FROM sightings ORDER BY id LIMIT 1000) s;
CREATE TEMP TABLE numbers ON COMMIT DROP AS
SELECT (SELECT count(*) FROM samples) AS samples, (SELECT max(id) FROM findings) AS findings,
    (SELECT max(id) FROM sightings) AS sightings, (extract(epoch FROM now()) * 1000)::bigint AS now,
    3 * 365 * 86400000::bigint AS years;

INSERT INTO api_configurations (name, connector) SELECT 'team-' || n, 'dependency-track' FROM generate_series(0, 99) n;
INSERT INTO filings (product, branch, service)
SELECT 'Product ' || n % 500, CASE n / 500 WHEN 0 THEN '' ELSE 'release-' || n / 500 END, CASE n % 50 WHEN 0 THEN 'api' ELSE '' END
FROM generate_series(0, 1999) n;
CREATE TEMP TABLE places ON COMMIT DROP AS
SELECT (row_number() OVER (ORDER BY id) - 1)::int AS number, id AS filing_id FROM filings WHERE product LIKE 'Product %';

-- Two tools look at each place.
INSERT INTO records (api_configuration_id, record_id, name)
SELECT a.id, 'record-' || p.number, 'Record ' || p.number FROM places p CROSS JOIN generate_series(0, 1) tool
JOIN api_configurations a ON a.name = 'team-' || (p.number + 50 * tool) % 100;
INSERT INTO scopes (api_configuration_id, record_id, branch, part, filing_id, complete_runs, last_complete_at)
SELECT a.id, 'record-' || p.number, '', '', p.filing_id, 1000, n.now FROM numbers n, places p CROSS JOIN generate_series(0, 1) tool
JOIN api_configurations a ON a.name = 'team-' || (p.number + 50 * tool) % 100;
INSERT INTO scope_filings (scope_id, filing_id)
SELECT s.id, s.filing_id FROM scopes s JOIN places p USING (filing_id);
CREATE TEMP TABLE views ON COMMIT DROP AS
SELECT s.filing_id, min(s.id) AS first, max(s.id) AS second FROM scopes s JOIN places p USING (filing_id) GROUP BY s.filing_id;
INSERT INTO runs (api_configuration_id, "trigger", state, daemon, holder_id, queued_at, started_at, finished_at)
SELECT a.id, 'schedule', 'complete', 'host:1', 0, n.now - ago * 86400000::bigint, n.now - ago * 86400000::bigint, n.now - ago * 86400000::bigint
FROM numbers n, generate_series(200, 1, -1) ago, api_configurations a WHERE a.name LIKE 'team-%';

INSERT INTO findings (id, fingerprint, filing_id, kind, severity, status, first_seen, resolved_at, canonical_id)
SELECT n.findings + f.number, decode(md5('finding ' || f.number), 'hex'), p.filing_id,
    CASE WHEN f.kind < 0.85 THEN 0 WHEN f.kind < 0.95 THEN 1 WHEN f.kind < 0.96 THEN 2 WHEN f.kind < 0.98 THEN 4 ELSE 6 END,
    CASE WHEN f.severity < 0.04 THEN 0 WHEN f.severity < 0.22 THEN 1 WHEN f.severity < 0.67 THEN 2
        WHEN f.severity < 0.92 THEN 3 WHEN f.severity < 0.97 THEN 4 ELSE 5 END,
    CASE WHEN f.status < 0.45 THEN 0 WHEN f.status < 0.47 THEN 1 WHEN f.status < 0.50 THEN 2 WHEN f.status < 0.53 THEN 3
        WHEN f.status < 0.54 THEN 4 WHEN f.status < 0.545 THEN 5 ELSE 6 END,
    n.now - (n.years * (1 - f.number::float8 / $FINDINGS))::bigint,
    CASE WHEN f.status >= 0.545 THEN n.now END,
    CASE WHEN f.kind < 0.85 THEN 'CVE-2024-' || lpad(floor(30000 * power(f.vulnerability, 3))::text, 5, '0') END
FROM numbers n, (
    SELECT number, random() AS kind, random() AS severity, random() AS status, random() AS vulnerability,
        floor(2000 * power(random(), 2))::int AS place
    FROM generate_series(1, $FINDINGS) number) f
JOIN places p ON p.number = f.place ORDER BY f.number;

INSERT INTO sightings (id, scope_id, finding_id, severity, status, run_id, first_seen, last_seen, resolved_at, key, digest,
    fingerprint, body)
SELECT n.sightings + f.id - n.findings, v.first, f.id, f.severity, f.status, 1, f.first_seen, n.now, f.resolved_at,
    decode(md5('sighting ' || f.id), 'hex'),
    CASE f.status WHEN 6 THEN '\x0000000000000000'::bytea ELSE substr(f.fingerprint, 1, 8) END, f.fingerprint, s.body
FROM numbers n, findings f JOIN views v USING (filing_id), samples s
WHERE f.id > n.findings AND s.number = f.id % n.samples;
INSERT INTO sightings (id, scope_id, finding_id, severity, status, run_id, first_seen, last_seen, resolved_at, key, digest,
    fingerprint, body)
SELECT n.sightings + $FINDINGS + (f.id - n.findings) / 20, v.second, f.id, f.severity, f.status, 1, f.first_seen, n.now, f.resolved_at,
    decode(md5('another ' || f.id), 'hex'),
    CASE f.status WHEN 6 THEN '\x0000000000000000'::bytea ELSE substr(f.fingerprint, 1, 8) END, f.fingerprint, s.body
FROM numbers n, findings f JOIN views v USING (filing_id), samples s
WHERE f.id > n.findings AND (f.id - n.findings) % 20 = 0 AND s.number = f.id % n.samples;
INSERT INTO history (finding_id, at, event, run_id, old, new)
SELECT f.id, n.now, 'resolved', 1, NULL, NULL FROM numbers n, findings f WHERE f.id > n.findings AND f.status = 6;

INSERT INTO vulnerability_names (name, canonical_id)
SELECT DISTINCT canonical_id, canonical_id FROM findings WHERE canonical_id IS NOT NULL ON CONFLICT DO NOTHING;
UPDATE scopes s SET unresolved = c.unresolved FROM (
    SELECT scope_id, count(*) FILTER (WHERE status <> 6) AS unresolved FROM sightings GROUP BY scope_id) c
WHERE c.scope_id = s.id;
SELECT setval('finding_numbers', max(id)) FROM findings;
SELECT setval('sighting_numbers', max(id)) FROM sightings;

DO $$
DECLARE statement TEXT;
BEGIN
    FOR statement IN SELECT indexdef FROM indexes LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE 'ALTER TABLE findings ADD CONSTRAINT findings_by_place ' || (SELECT def FROM place);
END $$;
