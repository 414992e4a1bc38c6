"""The assets of alerts as JSON and playbooks have them: what the source told, and what is known of them here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from cases.choices import Criticality
from cases.ingest.assets import asset_name
from soar.lib.database import prepared

_COLUMNS = ("id", "key", "name", "type", "system", "addresses", "groups", "criticality", "tags")

KNOWN = (
    f"SELECT l.alert_id, {', '.join(f'a.{name}' for name in _COLUMNS)} FROM cases_alertasset l"  # noqa: S608  our own names
    " JOIN cases_asset a ON a.id = l.asset_id WHERE l.alert_id = ANY(%s::bigint[]) ORDER BY l.id"
)


def known_of(alert_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The rows of the assets that each alert names, in one query. Whoever sees the alert sees them."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if alert_ids:
        with prepared() as cursor:
            for alert, *values in cursor.execute(KNOWN, [list(alert_ids)], prepare=True).fetchall():
                found[alert].append(dict(zip(_COLUMNS, values, strict=True)))
    return found


def told(entities: Sequence[Any], known: Iterable[dict[str, Any]]) -> list[Any]:
    """The entities of an alert; its assets with id, criticality, groups and tags besides (contract.md: ``assets``).
    Assets that no entity tells of come last."""
    rows = {row["key"]: row for row in known}
    named = [key_of(one) for one in entities]
    whole = [{**one, **_facts(rows[key])} if key in rows else one for one, key in zip(entities, named, strict=True)]
    facts = ("name", "type", "system", "addresses")
    others = [row for key, row in rows.items() if key not in named]
    return [*whole, *({**{name: row[name] for name in facts}, **_facts(row)} for row in others)]


def of_alert(alert_id: int, entities: Sequence[Any]) -> list[Any]:
    """``told`` for one alert."""
    return told(entities, known_of([alert_id])[alert_id])


def key_of(entity: Any) -> str:
    """Under which an entity's asset is stored; "" for one that is no asset. Assets alone have addresses, if only none
    (cases.ingest.sources.generic.asset)."""
    return asset_name(str(entity.get("name", "")))[0] if isinstance(entity, dict) and "addresses" in entity else ""


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "criticality": Criticality(row["criticality"]).word,
        "groups": row["groups"],
        "tags": row["tags"],
    }
