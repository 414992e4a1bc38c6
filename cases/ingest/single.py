"""The usual delivery: one alert that is not stored yet, with everything about it in one statement.

Each trip to the database costs a web worker more than the work done there, so a single new alert takes one trip
where the general way (store.py) takes six. The ids are drawn by the statement, so it also makes the hash of the
first entry, from the same canonical text as cases.chain. It stores nothing when the key is there already or
somebody else makes one of its observables or assets at this very moment: then the general way decides.

Observables are written before the alert, assets between them, as everywhere: one order of locks for everybody."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from cases.chain import canonical_time
from cases.digests import value_digest
from cases.ingest import asset_rows, kept_mails, store
from cases.ingest.prepare import Row, Rules
from cases.webhooks.bell import RUNG
from soar.lib.database import Statement

_COLUMNS = store.INSERT.partition("AS r(")[2].partition(")\n), ins AS (")[0]
_INTO = store.INSERT.partition("INSERT INTO cases_alert (")[2].partition("SELECT id,")[0]
_VALUES = store.INSERT.partition("SELECT id,")[2].partition("decode(hash, 'hex')")[0]
# What the statement has besides when the alert names assets; alerts that name none are spared all of it. Assets whose
# very facts this process has stored before are only looked up. Of others, observables come first (the count holds the
# assets back until they are there), then assets, then the alert: one order of locks.
_KNOWN_ASSETS = """), ast AS MATERIALIZED (
    SELECT id FROM cases_asset WHERE key = ANY(string_to_array(%(keys)s::text, chr(10)))
"""
_ASSETS = f"""), wa AS MATERIALIZED (
    SELECT * FROM ({asset_rows.WANTED}) w WHERE (SELECT count(*) FROM obs) = %(wanted)s
), stored AS MATERIALIZED (
    SELECT a.id, w.*, {asset_rows.NEWS} AS news FROM wa w JOIN cases_asset a ON a.key = w.key
), made_assets AS ({asset_rows.ADD.format(wanted="wa WHERE NOT EXISTS (SELECT 1 FROM stored s WHERE s.key = wa.key)")}
), filled AS ({asset_rows.FILL} FROM stored w WHERE w.news AND a.id = w.id AND {asset_rows.NEWS} RETURNING a.id
), ast AS MATERIALIZED (
    SELECT stored.id FROM stored LEFT JOIN filled ON filled.id = stored.id UNION ALL SELECT id FROM made_assets
"""  # noqa: S608 - put together from constants of asset_rows.py
_ASSET_LINKS = """), asl AS (
    INSERT INTO cases_alertasset (alert_id, asset_id) SELECT ins.id, ast.id FROM ins, ast
"""


# The mail message that a new alert was made of: its first, so it is always kept (cases.ingest.kept_mails).
_MESSAGE = """), msg AS (
    INSERT INTO cases_alertmessage (alert_id, content, size, sha256, received_at)
    SELECT ins.id, %(content)s::bytea, %(size)s, %(sha256)s, %(now)s FROM ins
"""


def _statements(assets: str = "", links: str = "", whole: str = "") -> tuple[Statement, Statement]:
    """The statement, and the same for an alert with its mail message; ``whole`` is what has to be true besides for the
    alert to be stored."""
    return Statement(_text(assets, links, whole)), Statement(_text(assets, links + _MESSAGE, whole))


def _text(assets: str, links: str, whole: str) -> str:
    return f"""
WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS r({_COLUMNS})),
w AS MATERIALIZED (
    SELECT * FROM unnest(%(digests)s::bytea[], %(types)s::text[], %(values)s::text[], %(roles)s::text[],
        %(marks)s::boolean[]) AS w(digest, type, value, role, highlighted)
), known AS MATERIALIZED (
    SELECT o.id, o.digest, o.type FROM w JOIN cases_observable o ON o.digest = w.digest AND o.type = w.type
), added AS (
    INSERT INTO cases_observable (digest, type, value, risk, rating)
    SELECT digest, type, value, 0, '{{}}' FROM w
    WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.digest = w.digest AND k.type = w.type)
    ORDER BY digest, type
    ON CONFLICT (digest, type) DO NOTHING
    RETURNING id, digest, type
), obs AS MATERIALIZED (
    SELECT x.id, w.role, w.highlighted
    FROM (SELECT * FROM known UNION ALL SELECT * FROM added) x JOIN w ON w.digest = x.digest AND w.type = x.type
{assets}), ids AS MATERIALIZED (
    SELECT nextval('cases_alert_id_seq') AS new_id, nextval('cases_timelineentry_id_seq') AS new_entry
    WHERE (SELECT count(*) FROM obs) = %(wanted)s{whole}
), made AS MATERIALIZED (
    SELECT new_id, new_entry, sha256(convert_to(
        '[null,' || new_entry || ',"ALR-' || new_id || '",' || %(tail)s::text, 'UTF8')) AS new_hash FROM ids
), ins AS (
    INSERT INTO cases_alert ({_INTO}
    SELECT new_id, {_VALUES} new_hash
    FROM made, r
    ON CONFLICT (source_id, key_digest) DO NOTHING
    RETURNING id
), pay AS (
    INSERT INTO cases_alertpayload (alert_id, body) SELECT ins.id, r.body FROM ins, r
), ent AS (
    INSERT INTO cases_timelineentry (
        id, alert_id, kind, actor_type, actor_id, actor_name, text, data, occurred_at, recorded_at, cause, hash)
    SELECT made.new_entry, ins.id, 'alert.opened', 'source', %(source)s, %(name)s, '', %(data)s::jsonb, %(now)s,
        %(now)s, r.cause, made.new_hash FROM ins, made, r
), lnk AS (
    INSERT INTO cases_alertobservable (alert_id, observable_id, role, highlighted)
    SELECT ins.id, obs.id, obs.role, obs.highlighted FROM ins, obs
{links}), queue AS (
    INSERT INTO soar_queue (task, args)
    SELECT t.task, jsonb_build_array(made.new_entry) FROM ins, made, r, unnest(%(tasks)s::text[]) AS t(task)
    WHERE r.status < 2 AND r.suppression IS NULL AND {RUNG} RETURNING 1
), rung AS (
    SELECT pg_notify('soar_queue', '') FROM queue WHERE NOT EXISTS (
        SELECT 1 FROM (SELECT ready_at FROM soar_queue WHERE failed_at IS NULL ORDER BY id DESC LIMIT 1) newest
        WHERE ready_at <= now()) LIMIT 1
)
SELECT ins.id FROM ins LEFT JOIN rung ON true
"""  # noqa: S608 - put together from constants of this module, of store.py and of asset_rows.py


STATEMENTS = _statements()
_ALL_THERE = " AND (SELECT count(*) FROM ast) = %(assets)s"
WITH_KNOWN_ASSETS = _statements(_KNOWN_ASSETS, _ASSET_LINKS, _ALL_THERE)
WITH_ASSETS = _statements(_ASSETS, _ASSET_LINKS, _ALL_THERE)


def insert(rules: Rules, row: Row, tasks: list[str], now: datetime) -> int | None:
    """Store the alert if it is new, with the mail message that it was made of. Returns its id, or None when the general
    way has to look."""
    found = row.observables
    data = store.opening(row, rules)
    values: dict[str, Any] = {
        "rows": msgspec.json.encode([store.columns(row)]).decode(),
        "digests": [value_digest(one.value) for one in found],
        "types": [one.type for one in found],
        "values": [one.value for one in found],
        "roles": [one.role[:30] for one in found],
        "marks": [one.highlighted for one in found],
        "wanted": len(found),
        "tail": _tail(rules, data, now),
        "source": rules.source_id,
        "team": rules.team_id,
        "name": rules.source_name,
        "data": msgspec.json.encode(data).decode(),
        "now": now,
        "tasks": tasks,
    }
    alone, with_message = _with_assets(row, values) if row.assets else STATEMENTS
    if row.raw:
        values |= kept_mails.columns(row.raw)
    stored = (with_message if row.raw else alone).fetchone(values)
    if stored is None:
        return None
    asset_rows.remember(row.assets)
    return int(stored[0])


def _with_assets(row: Row, values: dict[str, Any]) -> tuple[Statement, Statement]:
    """The statements for an alert that names assets; its parameters are added to ``values``."""
    values["assets"] = len(row.assets)
    if asset_rows.told_before(row.assets):
        values["keys"] = "\n".join([one.key for one in row.assets])
        return WITH_KNOWN_ASSETS
    values |= asset_rows.parameters(row.assets)
    return WITH_ASSETS


def _tail(rules: Rules, data: dict[str, Any], now: datetime) -> str:
    """What follows the subject in the canonical text of the first entry (cases.chain.entry_hash)."""
    at = canonical_time(now)
    actor = {"type": "source", "id": rules.source_id, "name": rules.source_name}
    fields = ["alert.opened", actor, at, at, "", data]
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)[1:]
