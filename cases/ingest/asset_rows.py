"""The shared rows of the assets that alerts name: made where they are new, filled in where they lack what is told.

What people set (groups, criticality, tags) is never touched, nor a type or system that is there already; addresses are
added until there are 20. Rows are locked in the order of their keys, by code point, as everywhere (store.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from cases.ingest.assets import ADDRESSES_AT_MOST, NamedAsset, named
from cases.ingest.prepare import Row
from cases.models import Alert, AlertAsset
from soar.lib.database import prepared

WANTED = """
    SELECT * FROM json_to_recordset(%(named)s::json) AS w(
        key text, name text, type text, system text, addresses varchar[])"""
REMEMBERED = 20_000
_told: dict[NamedAsset, None] = {}
# Whether ``w`` tells something of the asset ``a`` that is not known yet.
NEWS = f"""((a.type = '' AND w.type <> '') OR (a.system = '' AND w.system <> '')
        OR (NOT a.addresses @> w.addresses AND cardinality(a.addresses) < {ADDRESSES_AT_MOST}))"""
ADD = """
    INSERT INTO cases_asset (name, key, type, system, addresses, groups, criticality, tags, listed, created_at,
        updated_at, version, demo)
    SELECT name, key, type, system, addresses, '{{}}', 0, '{{}}', false, %(now)s, %(now)s, 1, false
    FROM {wanted}
    ORDER BY key COLLATE "C"
    ON CONFLICT (key) DO NOTHING
    RETURNING id, key"""
FILL = f"""
    UPDATE cases_asset a SET
        type = CASE WHEN a.type = '' THEN w.type ELSE a.type END,
        system = CASE WHEN a.system = '' THEN w.system ELSE a.system END,
        addresses = (a.addresses || ARRAY(
            SELECT x FROM unnest(w.addresses) WITH ORDINALITY AS t(x, n) WHERE x <> ALL(a.addresses) ORDER BY n
        ))[:{ADDRESSES_AT_MOST}],
        updated_at = %(now)s, version = a.version + 1"""  # noqa: S608  our own names
ADD_ALL = ADD.format(wanted=f"({WANTED}) w")
KNOWN = f"""
SELECT a.id, a.key, {NEWS} FROM ({WANTED}) w JOIN cases_asset a ON a.key = w.key ORDER BY a.key COLLATE "C"
"""  # noqa: S608  our own names
FILL_ONE = f"{FILL} FROM ({WANTED}) w WHERE a.key = w.key AND {NEWS}"


def parameters(assets: list[NamedAsset]) -> dict[str, str]:
    """The parameter of ``WANTED``: one text costs the driver less than a list for each column."""
    return {"named": msgspec.json.encode(assets).decode()}


def told_before(assets: list[NamedAsset]) -> bool:
    """Whether this process has stored the very same facts of all of them: then they need only be looked up. If one is
    not there any more, the statement that looks them up stores nothing, and the general way makes it anew."""
    return all(one in _told for one in assets)


def remember(assets: list[NamedAsset]) -> None:
    """Note that these facts are stored. Of too many all are forgotten: they are noted again as they come."""
    if len(_told) > REMEMBERED:
        forget()
    _told.update(dict.fromkeys(assets))


def forget() -> None:
    """Look every asset up in full again."""
    _told.clear()


def ids_of(rows: Iterable[Row], now: datetime) -> dict[str, int]:
    """Ids of all assets of the rows by key; those not there yet are made, the others learn what they lack."""
    return ids([one for row in rows for one in row.assets], now)


def ids(assets: list[NamedAsset], now: datetime) -> dict[str, int]:
    """As ``ids_of``; of several with one key the first counts. The caller holds a transaction."""
    by_key = {one.key: one for one in reversed(assets)}
    wanted = [by_key[key] for key in sorted(by_key)]
    if not wanted:
        return {}
    with prepared() as cur:
        found = _known(cur, wanted, now)
        if missing := [one for one in wanted if one.key not in found]:
            answer = cur.execute(ADD_ALL, {**parameters(missing), "now": now}, prepare=True)
            found |= {key: pk for pk, key in answer}
        if missing := [one for one in missing if one.key not in found]:
            found |= _known(cur, missing, now)  # made by somebody else in the meantime
    return found


def _known(cur: psycopg.Cursor[Any], wanted: list[NamedAsset], now: datetime) -> dict[str, int]:
    found = {}
    by_key = {one.key: one for one in wanted}
    for pk, key, news in cur.execute(KNOWN, parameters(wanted), prepare=True).fetchall():
        found[key] = pk
        if news:
            cur.execute(FILL_ONE, {**parameters([by_key[key]]), "now": now}, prepare=True)
    return found


def is_asset(entity: Any) -> bool:
    """Whether an entity of an alert is an asset: those alone have addresses, if only none (sources.generic.asset)."""
    return isinstance(entity, dict) and "addresses" in entity


def link_new(alert: Alert, row: Row, now: datetime) -> None:
    """Link assets that the alert's former deliveries did not name, and keep what is told of them with it."""
    have = {one.key for one in named([one for one in alert.entities if is_asset(one)], [])}
    new = [one for one in row.assets if one.key not in have]
    if not new:
        return
    AlertAsset.objects.bulk_create(
        [AlertAsset(alert=alert, asset_id=pk) for pk in ids(new, now).values()], ignore_conflicts=True
    )
    keys = {one.key for one in new}
    told = [one for one in row.alert.assets if {found.key for found in named([one], [])} & keys]
    Alert.objects.filter(pk=alert.pk).update(entities=[*told, *alert.entities])
