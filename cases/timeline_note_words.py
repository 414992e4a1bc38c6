"""Entries about other entries as sentences, and what an event is about. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.models import TimelineEntry
from soar.lib import parts
from soar.lib.clock import moment_of
from soar.lib.text import defang, shorten_hash

Data = dict[str, Any]
LONGEST = 200
PAGES = {"observable": "observable-detail", "asset": "asset-detail", "evidence": "evidence-detail"}


def event_link(entry: TimelineEntry) -> SafeString:
    """What an event is about: a link to its page; a technique has none of its own here."""
    link = entry.data.get("link") if entry.kind == "event" else None  # ServiceNow's entries keep a number there
    link = link if isinstance(link, dict) else {}
    type_, pk, name = str(link.get("type")), link.get("id"), str(link.get("name") or "")[:LONGEST]
    shown = shorten_hash(defang(name, str(link.get("kind")))) if type_ == "observable" else name
    if type_ in PAGES and isinstance(pk, int):
        return format_html('<a href="{}">{}</a>', reverse(PAGES[type_], args=[pk]), shown)
    return format_html("{}", shown)


def _other(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    """A sentence with a link to the entry that it is about, on the page of the same subject."""

    def made(entry: TimelineEntry, data: Data) -> SafeString:
        pk = data.get("entry")
        if not isinstance(pk, int):
            return format_html("{}", _(words))
        page = f"/alerts/ALR-{entry.alert_id}/" if entry.alert_id else f"/incidents/INC-{entry.incident_id}/"
        return format_html('<a href="{}?entry={}#entry-{}">{}</a>', page, pk, pk, _(words))

    return made


def _mentioned(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("let {} in, who is mentioned here"), str(data.get("user") or "")[:LONGEST])


def _corrected(entry: TimelineEntry, data: Data) -> SafeString:
    """Of a corrected time both; the words stand in the note itself."""
    told = data.get("occurred_at")
    if not isinstance(told, dict):
        return format_html("{}", _("edited a note"))
    old, new = (moment_of(str(told.get(name) or "")) for name in ("old", "new"))
    shown = [parts.clock(moment, True) if moment else "" for moment in (old, new)]
    return format_html('{} <span class="was">{}</span> → {}', _("corrected when an event happened:"), *shown)


NOTE_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "comment.edited": _corrected,
    "mentioned": _mentioned,
    "entry.pinned": _other("pinned an entry"),
    "entry.unpinned": _other("unpinned an entry"),
}
