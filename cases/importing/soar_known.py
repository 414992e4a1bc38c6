"""Every key that an exported incident has: those that an import reads are in the shapes, those here are not brought
over as such, and it is known why. Whatever else a file has (of a newer Soar, or of a program that wrote it) is named in
the report, so that nothing is lost without a word."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct

from cases.importing import soar_shapes as shapes
from cases.importing.plan import Json, Report

OWN = {"id", "url", "version"}  # each portal gives its own
# By part of the document: told by other parts of it, by the history, or named in the report where there is something.
DOCUMENT = {"generated_by", "options", "fields", "status_history", "related", "clocks", "runs", "responses"}
INCIDENT = {
    "owners", "alert_count", "template", "opened_by", "updated_at", "merged_at", "sla", "technique_names",
}  # fmt: skip
ALERT = {
    "source_ref", "dedup_key", "owner", "team", "updated_at", "incident", "suppression", "cause", "technique_names",
    "repairs",
}  # fmt: skip
OBSERVABLE = {"risk", "rating", "rated_at", "created_at", "alerts", "roles", "added_at"}
ASSET = {"groups", "criticality", "tags", "alerts", "added_at"}
TASK = {"incident", "position", "created_at", "updated_at"}
EVIDENCE = {
    "incident", "file", "content_type", "md5", "sha1", "added_by", "added_at", "updated_at", "removed_by",
    "remove_reason",
}  # fmt: skip
ENTRY = {"group", "sentence", "joined"}
PARTS: dict[str, tuple[type[Struct], set[str]]] = {
    "alerts": (shapes.Alert, ALERT),
    "observables": (shapes.Observable, OBSERVABLE),
    "assets": (shapes.Asset, ASSET),
    "tasks": (shapes.Task, TASK),
    "evidence": (shapes.Evidence, EVIDENCE),
    "timeline": (shapes.Entry, ENTRY),
    "owners": (shapes.Owner, {"name"}),
    "chains": (shapes.Chain, set()),
}
WHY = "this Soar does not know it"
NAMED_AT_MOST = 100


def leave_unknown(report: Report, raw: Json) -> None:
    """Name each key that nobody reads, and how often it is there."""
    found: Counter[str] = Counter()
    _count(found, "", raw, shapes.Document, DOCUMENT)
    _count(found, "incident.", raw["incident"], shapes.Incident, INCIDENT)
    for part, (shape, known) in PARTS.items():
        for row in raw[part]:
            _count(found, f"{part}.", row, shape, known)
    for key, number in found.most_common(NAMED_AT_MOST):
        report.leave(f"{key}, {number} times" if number > 1 else key, WHY)
    if len(found) > NAMED_AT_MOST:
        report.leave(f"{len(found) - NAMED_AT_MOST} more keys", WHY)


def _count(found: Counter[str], part: str, row: Any, shape: type[Struct], known: set[str]) -> None:
    """Those that say something: a key with nothing in it is none."""
    read = {*shape.__struct_fields__, *known, *OWN}
    found.update(
        f"{part}{key}"[:100] for key, value in row.items() if key not in read and value not in (None, "", [], {})
    )
