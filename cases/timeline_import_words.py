"""Entries of imports as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.models import TimelineEntry

Data = dict[str, Any]
LONGEST = 200


def _incident(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("imported the incident: {}"), _cut(data.get("ref")))


def _entry(entry: TimelineEntry, data: Data) -> SafeString:
    """What stood there: who, what, and the words, none of which anybody here has said."""
    told = data.get("entry")
    there = told if isinstance(told, dict) else {}
    words = " ".join(filter(None, (_change(there.get("data")), entry.text)))
    return format_html(
        '{} <span class="small">{}</span>',
        format_html(_("brought over from {}: {}"), _cut(data.get("author")) or "?", _cut(data.get("was"))),
        words[:LONGEST],
    )


def _change(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    if isinstance(moved := value.get("occurred_at"), dict):  # the corrected time of an event
        return f"{_('happened')}: {moved.get('old')} → {moved.get('new')}"
    return f"{value['field']}: {value.get('old')} → {value.get('new')}" if "field" in value else ""


def _cut(value: Any) -> str:
    return str(value or "")[:LONGEST]


IMPORT_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "incident.imported": _incident,
    "imported": _entry,
}
