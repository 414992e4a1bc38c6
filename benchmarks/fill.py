"""Millions of alerts by SQL: the same columns and indexes as real ones, without their way through the pipeline.

About 3 % are open. Hosts, users, addresses and tags repeat as they do in life; every alert has two observables,
an asset and one timeline entry, and every twentieth names one and the same address. The hashes are not chained:
nothing here is verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

ALERTS = """
INSERT INTO cases_alert (
    source_id, source_ref, dedup_key, key_digest, count, title, description, severity, status, determination,
    findings, resolve_reason, owner_id, team_id, incident_id, restricted, detection_model, occurred_at,
    first_seen, last_seen, received_at, updated_at, resolved_at, resolved_by_playbook, hostname, username,
    source_ip, tags, techniques, tlp, external_link, source_state, entities, repairs, observable_count, cause,
    version, timeline_count, timeline_head)
SELECT s.id, 'fill-' || n, 'fill-' || n, decode(md5('fill-' || n), 'hex'), 1 + (n %% 7 = 0)::int * (n %% 40)::int,
    (ARRAY['Suspicious PowerShell with encoded command', 'Brute force against sshd', 'Phishing mail reported',
        'Beaconing to a rare domain', 'Malware blocked', 'Impossible travel', 'New service installed',
        'Credential dumping'])[1 + n %% 8] || ' ' || n,
    'Seen by the sensor on host ' || n %% 4000,
    (ARRAY[0, 1, 1, 1, 2, 2, 2, 2, 3, 4])[1 + n %% 10], CASE WHEN n %% 33 = 0 THEN (n %% 2) ELSE 2 END,
    CASE WHEN n %% 33 = 0 THEN 0 ELSE 1 + n %% 3 END, '', '',
    CASE WHEN n %% 5 = 0 THEN u.ids[1 + n %% array_length(u.ids, 1)] END,
    CASE WHEN (n / 33) %% 3 > 0 THEN t.ids[1 + n %% array_length(t.ids, 1)] END, NULL, false,
    'Model ' || n %% 60, at, at, at, at, at, CASE WHEN n %% 33 <> 0 THEN at + interval '1 hour' END, false,
    'HOST-' || n %% 4000, 'user' || n %% 2500, '10.' || n %% 200 || '.' || n %% 250 || '.' || n %% 199,
    ARRAY['tenant' || n %% 12, 'r' || n %% 5000], ARRAY['T1059.001'], 'amber', '', '', '[]'::jsonb, '[]'::jsonb,
    2 + (n %% 20 = 0)::int,
    gen_random_uuid(), 1, 1, decode(md5('h' || n), 'hex')
FROM (SELECT n, now() - (%(number)s - n) * interval '1.2 seconds' AS at
      FROM generate_series(%(first)s::int, %(last)s::int) n) x,
    (SELECT min(id) AS id FROM cases_alertsource) s,
    (SELECT array_agg(id) AS ids FROM accounts_user) u,
    (SELECT array_agg(id) AS ids FROM accounts_team) t
ORDER BY n
"""
OBSERVABLES = """
INSERT INTO cases_observable (type, value, digest, risk, rating)
SELECT 'ip', v, decode(md5('ip' || v), 'hex'), 0, '{}'::jsonb FROM
    (SELECT '198.' || n / 65536 || '.' || n / 256 %% 256 || '.' || n %% 256 AS v
     FROM generate_series(0, %(number)s::int / 10) n) x
UNION ALL
SELECT 'sha256', v, decode(md5('sha256' || v), 'hex'), 0, '{}'::jsonb FROM
    (SELECT encode(sha256(n::text::bytea), 'hex') AS v FROM generate_series(0, %(number)s::int / 2) n) x
UNION ALL
SELECT 'ip', '9.9.9.9', decode(md5('common'), 'hex'), 0, '{}'::jsonb
ON CONFLICT DO NOTHING
"""
LINKS = """
WITH o AS (SELECT min(id) AS low, count(*) AS n FROM cases_observable)
INSERT INTO cases_alertobservable (alert_id, observable_id, role, highlighted)
SELECT a.id, o.low + (a.id * k * 7919) %% o.n, 'entity', true
FROM cases_alert a, o, generate_series(1, 2) k WHERE a.id > %(after)s
ON CONFLICT DO NOTHING
"""
COMMON = """
INSERT INTO cases_alertobservable (alert_id, observable_id, role, highlighted)
SELECT a.id, o.id, 'entity', true FROM cases_alert a, cases_observable o
WHERE a.id > %(after)s AND a.observable_count > 2 AND o.value = '9.9.9.9'
ON CONFLICT DO NOTHING
"""
ASSETS = """
INSERT INTO cases_asset (name, key, type, system, addresses, groups, criticality, tags, listed, version, demo)
SELECT 'HOST-' || n, 'host-' || n, 'workstation', 'Windows 11', ARRAY['10.9.' || n / 250 || '.' || n %% 250], '{}',
    n %% 5, '{}', n %% 2 = 0, 1, false FROM generate_series(0, 3999) n
ON CONFLICT DO NOTHING
"""
NAMED = """
INSERT INTO cases_alertasset (alert_id, asset_id)
SELECT a.id, b.id FROM cases_alert a JOIN cases_asset b ON b.key = lower(a.hostname) WHERE a.id > %(after)s
ON CONFLICT DO NOTHING
"""
PAYLOADS = """
INSERT INTO cases_alertpayload (alert_id, body)
SELECT id, '{"id": "' || source_ref || '", "title": "' || title || '"}' FROM cases_alert
WHERE id > %(after)s
"""
ENTRIES = """
INSERT INTO cases_timelineentry (
    alert_id, kind, actor_type, actor_id, actor_name, text, data, occurred_at, recorded_at, cause, hash)
SELECT id, 'alert.opened', 'source', source_id, 'Fill', '', '{}'::jsonb, received_at, received_at, cause, timeline_head
FROM cases_alert WHERE id > %(after)s
"""
# Indexes that no constraint is made of: for very many alerts they are made afterwards, as a restore does.
INDEXES = """
SELECT quote_ident(i.relname), pg_get_indexdef(i.oid)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = ANY (ARRAY['cases_alert', 'cases_alertobservable', 'cases_alertasset', 'cases_observable',
    'cases_timelineentry']::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)
ORDER BY 1
"""
STEP = 100_000
MANY = 2_000_000


def fill(number: int) -> None:
    """Store ``number`` alerts. A source, a person and a team must be there."""
    with connection.cursor() as cursor:
        # Foreign keys are right by how the rows are made; checking them one by one takes longer than storing them.
        cursor.execute("SET session_replication_role = replica")
        with _indexes_afterwards(cursor, number > MANY):
            for statement in (OBSERVABLES, ASSETS):
                cursor.execute(statement, {"number": number})
            cursor.execute("ANALYZE cases_observable, cases_asset")
            for first in range(1, number + 1, STEP):
                _step(cursor, {"first": first, "last": min(first + STEP - 1, number), "number": number})
        cursor.execute("VACUUM ANALYZE")


def _step(cursor: CursorWrapper, which: dict[str, int]) -> None:
    """Some alerts with what belongs to them."""
    cursor.execute("SELECT coalesce(max(id), 0) FROM cases_alert")
    after = {"after": cursor.fetchone()[0]}
    cursor.execute(ALERTS, which)
    for statement in (LINKS, COMMON, NAMED, PAYLOADS, ENTRIES):
        cursor.execute(statement, after)


@contextmanager
def _indexes_afterwards(cursor: CursorWrapper, wanted: bool) -> Iterator[None]:
    """Inside, the tables have the indexes of their constraints alone, if ``wanted``."""
    cursor.execute(INDEXES)
    indexes = cursor.fetchall() if wanted else []
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition.replace("%", "%%"), [])
