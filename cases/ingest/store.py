"""The statements of acceptance: few, prepared, on the driver's own cursor (measured: docs/architecture.md).

All of one delivery is one transaction of the caller. Locks are taken in one order by everybody: stored
alerts by id, observables by (digest, type), new alerts by digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from cases.chain import entry_hash
from cases.choices import FINDINGS_OF
from cases.digests import value_digest
from cases.ingest.normal import Found
from cases.ingest.prepare import TECHNIQUE_AT_MOST, Row, Rules
from cases.webhooks.bell import RUNG
from soar.lib.database import prepared

FINDINGS = {verdict.value: str(findings[0]) for verdict, findings in FINDINGS_OF.items()}
CHUNK = 25  # entries per queue row: small enough to spread over workers

LOOK_UP = """
WITH wanted AS (SELECT digest, n FROM unnest(%(digests)s::bytea[]) WITH ORDINALITY AS w(digest, n)),
stored AS (
    SELECT id, key_digest FROM cases_alert
    WHERE source_id = %(source)s AND key_digest = ANY(%(digests)s::bytea[]) ORDER BY id FOR UPDATE
)
SELECT wanted.n, stored.id,
    CASE WHEN stored.id IS NULL THEN nextval('cases_alert_id_seq') END,
    CASE WHEN stored.id IS NULL THEN nextval('cases_timelineentry_id_seq') END
FROM wanted LEFT JOIN stored ON stored.key_digest = wanted.digest
ORDER BY wanted.n
"""
KNOWN = """
SELECT o.id, o.digest, o.type
FROM unnest(%(digests)s::bytea[], %(types)s::text[]) AS w(digest, type)
JOIN cases_observable o ON o.digest = w.digest AND o.type = w.type
"""
ADD_OBSERVABLES = """
INSERT INTO cases_observable (digest, type, value, risk, rating)
SELECT digest, type, value, 0, '{}' FROM unnest(%(digests)s::bytea[], %(types)s::text[], %(values)s::text[])
    AS w(digest, type, value)
ORDER BY digest, type
ON CONFLICT (digest, type) DO NOTHING
RETURNING id, digest, type
"""
INSERT = f"""
WITH r AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r(
        id bigint, entry bigint, ref text, key text, digest text, count int, title text, description text,
        severity smallint, status smallint, determination smallint, model text, occurred timestamptz,
        first timestamptz, last timestamptz, host text, username text, ip text, tags text[],
        techniques text[], tlp text, link text, state text, entities jsonb, repairs jsonb,
        findings text, observables int, cause uuid, hash text, body text, latest text, links json, assets bigint[],
        suppression bigint, data jsonb)
), ins AS (
    INSERT INTO cases_alert (
        id, source_id, source_ref, dedup_key, key_digest, count, title, description, severity, status,
        determination, findings, resolve_reason, team_id, restricted, detection_model, occurred_at,
        first_seen, last_seen, received_at, updated_at, resolved_at, resolved_by_playbook, hostname, username,
        source_ip, tags, techniques, tlp, external_link, source_state, entities, repairs, observable_count,
        suppression_id, cause, version, timeline_count, timeline_head)
    SELECT id, %(source)s, ref, key, decode(digest, 'hex'), count, title, description, severity, status,
        determination, findings, '', %(team)s, false, model, occurred, first, last, %(now)s, %(now)s,
        CASE WHEN status = 2 THEN %(now)s::timestamptz END, false, host, username, ip, tags, techniques, tlp,
        link, state, entities, repairs, observables, suppression, cause, 1, 1, decode(hash, 'hex')
    FROM r ORDER BY digest
    ON CONFLICT (source_id, key_digest) DO UPDATE SET
        count = cases_alert.count + EXCLUDED.count,
        last_seen = greatest(cases_alert.last_seen, EXCLUDED.last_seen), updated_at = EXCLUDED.updated_at
    RETURNING id, key_digest, count, cause, (xmax = 0) AS created
), fresh AS (SELECT r.* FROM r JOIN ins ON ins.id = r.id AND ins.created
), pay AS (
    INSERT INTO cases_alertpayload (alert_id, body, latest_body, latest_at)
    SELECT id, body, latest, CASE WHEN latest IS NOT NULL THEN %(now)s::timestamptz END FROM fresh
), ent AS (
    INSERT INTO cases_timelineentry (
        id, alert_id, kind, actor_type, actor_id, actor_name, text, data, occurred_at, recorded_at, cause, hash)
    SELECT entry, id, 'alert.opened', 'source', %(source)s, %(name)s, '', data, %(now)s, %(now)s,
        cause, decode(hash, 'hex') FROM fresh
), lnk AS (
    INSERT INTO cases_alertobservable (alert_id, observable_id, role, highlighted)
    SELECT fresh.id, l.o, l.r, l.h FROM fresh,
        LATERAL json_to_recordset(fresh.links) AS l(o bigint, r text, h boolean)
), ast AS (
    INSERT INTO cases_alertasset (alert_id, asset_id) SELECT fresh.id, unnest(fresh.assets) FROM fresh
), queue AS (
    INSERT INTO soar_queue (task, args)
    SELECT t.task, jsonb_agg(f.entry) FROM
        (SELECT entry, row_number() OVER (ORDER BY entry) / %(chunk)s AS part FROM fresh
            WHERE status < 2 AND suppression IS NULL) f,
        unnest(%(tasks)s::text[]) AS t(task)
    WHERE {RUNG}
    GROUP BY t.task, f.part RETURNING 1
), rung AS (
    -- NOTIFY makes all commits of the database queue up for one lock. While tasks wait, the workers are awake
    -- and come back by themselves, so the bell is rung only for an idle queue. The newest row tells: by the index,
    -- from the end where few dead rows are, whatever a flood has left behind.
    SELECT pg_notify('soar_queue', '') FROM queue WHERE NOT EXISTS (
        SELECT 1 FROM (SELECT ready_at FROM soar_queue WHERE failed_at IS NULL ORDER BY id DESC LIMIT 1) newest
        WHERE ready_at <= now()) LIMIT 1
)
SELECT encode(ins.key_digest, 'hex'), ins.id, ins.count, ins.created, ins.cause FROM ins LEFT JOIN rung ON true
"""  # noqa: S608  our own names


def look_up(rules: Rules, rows: Sequence[Row]) -> list[int | None]:
    """For each row the id of the stored alert with its key, locked, or None; new ones get ids drawn."""
    values = {"digests": [row.digest for row in rows], "source": rules.source_id}
    found: list[int | None] = []
    with prepared() as cur:
        for n, stored, new_id, entry in cur.execute(LOOK_UP, values, prepare=True):
            row = rows[n - 1]
            row.id, row.entry = stored or new_id, entry or 0
            found.append(stored)
    return found


def observable_ids(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """Ids of all observables of the rows by (type, value); those not there yet are made."""
    wanted = {(value_digest(one.value), one.type): one.value for row in rows for one in row.observables}
    if not wanted:
        return {}
    with prepared() as cur:
        ids = _ask(cur, KNOWN, wanted)
        if missing := {key: wanted[key] for key in wanted if key not in ids}:
            ids |= _ask(cur, ADD_OBSERVABLES, missing, values=list(missing.values()))
        if missing := {key: wanted[key] for key in missing if key not in ids}:
            ids |= _ask(cur, KNOWN, missing)  # made by somebody else in the meantime
    return {(type_, wanted[digest, type_]): pk for (digest, type_), pk in ids.items()}


def _ask(
    cur: psycopg.Cursor[Any], statement: str, wanted: dict[tuple[bytes, str], str], **extra: Any
) -> dict[tuple[bytes, str], int]:
    values = {"digests": [digest for digest, _ in wanted], "types": [type_ for _, type_ in wanted], **extra}
    return {(bytes(digest), type_): pk for pk, digest, type_ in cur.execute(statement, values, prepare=True)}


def insert(
    rules: Rules,
    rows: Sequence[Row],
    ids: dict[tuple[str, str], int],
    assets: dict[str, int],
    tasks: list[str],
    now: datetime,
) -> dict[bytes, tuple[int, int, bool, Any]]:
    """Store new alerts with everything about them. Returns (id, count, created, cause) by key digest:
    ``created`` is False where somebody else stored the key in the meantime, and then only counted."""
    values = {
        "rows": msgspec.json.encode([_record(row, rules, ids, assets, now) for row in rows]).decode(),
        "source": rules.source_id,
        "team": rules.team_id,
        "name": rules.source_name,
        "now": now,
        "tasks": tasks,
        "chunk": CHUNK,
    }
    with prepared() as cur:
        answer = cur.execute(INSERT, values, prepare=True).fetchall()
    return {bytes.fromhex(digest): (pk, count, created, cause) for digest, pk, count, created, cause in answer}


def _record(
    row: Row,
    rules: Rules,
    ids: dict[tuple[str, str], int],
    assets: dict[str, int],
    now: datetime,
) -> dict[str, Any]:
    data = opening(row, rules)
    head = entry_hash(
        None,
        id=row.entry,
        subject=f"ALR-{row.id}",
        kind="alert.opened",
        actor={"type": "source", "id": rules.source_id, "name": rules.source_name},
        occurred_at=now,
        recorded_at=now,
        text="",
        data=data,
    )
    links = _links(row.observables, ids)
    told = {"links": links, "assets": [assets[one.key] for one in row.assets]}
    return {**columns(row), "id": row.id, "entry": row.entry, "hash": head.hex(), "data": data, **told}


def opening(row: Row, rules: Rules) -> dict[str, Any]:
    """What the first entry of the alert's timeline says: the source, and the rule that holds the alert back."""
    data: dict[str, Any] = {"source": rules.source_name}
    return {**data, "suppression": row.hold.as_data()} if row.hold else data


def columns(row: Row) -> dict[str, Any]:
    """The columns of an alert that do not depend on its id, under the names of INSERT's record."""
    alert = row.alert
    return {
        "ref": alert.source_ref, "key": row.key, "digest": row.digest.hex(),
        "count": row.count, "title": alert.title, "description": alert.description, "severity": row.severity,
        "status": row.status, "determination": row.determination,
        "findings": FINDINGS[row.determination], "model": alert.detection_model,
        "occurred": row.occurred_at, "first": row.first_seen, "last": row.last_seen, "host": alert.hostname,
        "username": alert.username, "ip": alert.source_ip, "tags": row.tags,
        "techniques": [t for t in alert.techniques if len(t) <= TECHNIQUE_AT_MOST], "tlp": row.tlp,
        "link": alert.external_link, "state": alert.source_state, "entities": [*alert.assets, *alert.entities],
        "repairs": row.notes, "observables": len(row.observables), "cause": row.cause, "body": row.body,
        "latest": row.latest or None, "suppression": row.hold.rule if row.hold else None,
    }  # fmt: skip


def _links(found: list[Found], ids: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [{"o": ids[one.type, one.value], "r": one.role[:30], "h": one.highlighted} for one in found]


def draw_ids() -> tuple[int, int]:
    """An id for an alert and one for its first entry."""
    with prepared() as cur:
        cur.execute("SELECT nextval('cases_alert_id_seq'), nextval('cases_timelineentry_id_seq')", prepare=True)
        alert, entry = cur.fetchone() or (0, 0)
    return alert, entry
