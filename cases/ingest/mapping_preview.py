"""What a payload would become with a mapping that is not saved yet; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cases.choices import Severity
from cases.ingest.mapping.fit import values_of
from cases.ingest.mapping.overlay import Overlay
from cases.ingest.prepare import Row, Rules
from cases.ingest.reading import Item, Unreadable
from cases.ingest.splitting import rows_of
from soar.lib import clock
from soar.lib.clock import iso

SHOWN_AT_MOST = 20
OBSERVABLES_SHOWN = 50
MAPPING, NAME, SOURCE = "mapping", "name", "source"


@dataclass(slots=True)
class Preview:
    """The alerts of one delivery as JSON (the first 20), how many there are, and what could not be read."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    errors: list[str] = field(default_factory=list)
    first: dict[str, Any] | None = None  # the first item itself
    several: bool = False


def preview(rules: Rules, overlay: Overlay | None, body: bytes) -> Preview:
    """Read ``body`` as acceptance would, with ``overlay`` in place of the source's own mapping."""
    try:
        made, several = rows_of(replace(rules, mapping=overlay), body, "", clock.now())
    except Unreadable as error:
        return Preview(errors=[error.message])
    rows = [(item, row) for item, row in made if row]
    return Preview(
        alerts=[_alert(item, row, rules, overlay) for item, row in rows[:SHOWN_AT_MOST]],
        total=len(rows),
        errors=list(dict.fromkeys(item.error.message for item, _ in made if item.error))[:5],
        first=made[0][0].value or None,
        several=several,
    )


def got(overlay: Overlay | None, part: dict[str, Any] | None) -> dict[str, list[Any]]:
    """What each mapped field finds in an alert, and each observable (``observables.0``)."""
    if overlay is None or part is None:
        return {}
    found = {name: values_of(source, part) for name, source, _ in overlay.fields}
    return found | {f"observables.{number}": path.find(part) for number, (_, path) in enumerate(overlay.observables)}


def _alert(item: Item, row: Row, rules: Rules, overlay: Overlay | None) -> dict[str, Any]:
    alert = row.alert
    taken = overlay.taken(item.value) if overlay else set()
    facts: dict[str, Any] = {
        "title": alert.title,
        "description": alert.description,
        "severity": Severity(row.severity).word,
        "dedup_key": row.key,
        "occurred_at": iso(row.occurred_at),
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        **{name: getattr(alert, name) for name in ("hostname", "username", "source_ip", "detection_model")},
        "external_link": alert.external_link,
        "tags": row.tags,
        "techniques": alert.techniques,
        "assets": [one.name for one in row.assets],
        "source_state": alert.source_state,
        "verdict": alert.determination or "",
        "tlp": row.tlp,
    }
    own = {"severity": alert.severity is None, "tlp": not alert.tlp, "occurred_at": alert.occurred_at is None}
    own |= {"dedup_key": not alert.dedup_key, "first_seen": not alert.first_seen, "last_seen": not alert.last_seen}
    by = {name: MAPPING if name in taken else SOURCE if own.get(name) else NAME for name in facts if facts[name]}
    if rules.key_fields:
        by["dedup_key"] = SOURCE
    if "hostname" in taken and "assets" in by:
        by["assets"] = MAPPING
    observables = [
        {"type": one.type, "value": one.value, "by": MAPPING if one.role == "mapped" else NAME}
        for one in row.observables[:OBSERVABLES_SHOWN]
    ]
    return {**facts, "by": by, "observables": observables, "observable_count": len(row.observables), "notes": row.notes}
