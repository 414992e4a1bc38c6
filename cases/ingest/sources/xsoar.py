"""What is sent to Cortex XSOAR's generic webhook: an incident's own fields, the event in ``rawJson``."""

from __future__ import annotations

import json
from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import CRITICAL, HIGH, INFORMATIONAL, LOW, MEDIUM, mixed_scale
from cases.ingest.sources import generic, known
from cases.ingest.when import parse_time

UNSAID = (None, "", 0, "0")  # severities that say nothing


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one incident; what it does not say itself is read from its event."""
    event = _event(item.get("rawJson") if "rawJson" in item else item.get("rawJSON"))
    custom = item.get("CustomFields") if isinstance(item.get("CustomFields"), dict) else item.get("customFields")
    own = {key: value for key, value in item.items() if key.lower() not in {"rawjson", "customfields", "labels"}}
    if own.get("severity") in UNSAID:
        own.pop("severity", None)
    merged = {**event, **(custom if isinstance(custom, dict) else {}), **_labels(item.get("labels")), **own}
    scale = xsoar_scale if "severity" in own else mixed_scale
    alert = generic.read(merged, Flat(merged, known.WRAPPERS), _title, scale)
    alert.occurred_at = parse_time(item.get("occurred")) or alert.occurred_at
    if not Flat(event).text(*known.MODEL):
        alert.detection_model = string(item.get("type")) or alert.detection_model
    return alert


def xsoar_scale(number: float) -> str | None:
    """0.5 informational, 1 low, 2 medium, 3 high, 4 critical; 0 says nothing."""
    for least, level in ((4, CRITICAL), (3, HIGH), (2, MEDIUM), (1, LOW), (0.5, INFORMATIONAL)):
        if number >= least:
            return level
    return None


def _title(flat: Flat, notes: list[str]) -> str:
    return flat.text("name") or generic.title_of(flat, notes)


def _event(raw: Any) -> dict[str, Any]:
    """The event, which some senders give as text."""
    if isinstance(raw, str) and raw[:1] == "{":
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return {"message": raw}
    if isinstance(raw, dict):
        return raw
    return {"message": raw} if isinstance(raw, str) and raw else {}


def _labels(value: Any) -> dict[str, Any]:
    """Labels as XSOAR has them, ``[{"type", "value"}]``, as fields."""
    return {string(one.get("type")): one.get("value") for one in objects(value) if string(one.get("type"))}
