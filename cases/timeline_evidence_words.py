"""Entries of evidence as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.models import TimelineEntry
from soar.lib.text import shorten_hash

Data = dict[str, Any]
LONGEST = 255


def _named(data: Data) -> SafeString:
    name, pk = str(data.get("name", ""))[:LONGEST], data.get("id")
    if not isinstance(pk, int):
        return format_html("<b>{}</b>", name)
    return format_html('<a href="{}">{}</a>', reverse("evidence-detail", args=[pk]), name)


def _hash(data: Data) -> str:
    return shorten_hash(str(data.get("sha256", ""))[:64])


def _added(entry: TimelineEntry, data: Data) -> SafeString:
    size = filesizeformat(data.get("size") or 0)
    words = '{} {} <span class="small">{}, SHA-256 <code>{}</code></span>'
    return format_html(words, _("added the evidence"), _named(data), size, _hash(data))


def _changed(entry: TimelineEntry, data: Data) -> SafeString:
    field, old, new = data.get("field"), str(data.get("old"))[:LONGEST], str(data.get("new"))[:LONGEST]
    if field == "name":
        return format_html(_("renamed the evidence {} to {}"), _was(old), _named({**data, "name": new}))
    if field == "tlp":
        return format_html(
            "{} {}: {} → TLP:{}", _("set the TLP of"), _named(data), _was(f"TLP:{old.upper()}"), new.upper()
        )
    return format_html("{} {}", _("rewrote the description of"), _named(data))


def _moved(entry: TimelineEntry, data: Data) -> SafeString:
    """From another incident; None is one that the reader does not see."""
    source = data.get("from")
    where = str(source)[:24] if source else _("one that you may not see")
    words = '{} {} {} {} <span class="small">SHA-256 <code>{}</code></span>'
    return format_html(words, _("moved the evidence"), _named(data), _("here from"), where, _hash(data))


def _removed(entry: TimelineEntry, data: Data) -> SafeString:
    words = '{} {} <span class="small">SHA-256 <code>{}</code></span>'
    return format_html(words, _("removed the evidence"), _named(data), _hash(data))


def _exported(entry: TimelineEntry, data: Data) -> SafeString:
    words = '{} {}, {} <span class="small">{}, SHA-256 <code>{}</code></span>'
    what, size = str(data.get("format", ""))[:20].upper(), filesizeformat(data.get("size") or 0)
    return format_html(words, _("exported the incident as"), what, str(data.get("tlp", ""))[:20], size, _hash(data))


def _was(value: str) -> SafeString:
    return format_html('<span class="was">{}</span>', value)


EVIDENCE_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "evidence.added": _added,
    "evidence.changed": _changed,
    "evidence.moved": _moved,
    "evidence.removed": _removed,
    "incident.exported": _exported,
}
