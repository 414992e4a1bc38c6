"""Entries of merges, splits and links between incidents as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.choices import RELATION_INVERSES, RelationKind
from cases.models import TimelineEntry

Data = dict[str, Any]
LONGEST = 200
_RELATIONS = {
    **{kind.value: str(kind.label) for kind in RelationKind},
    **dict(RELATION_INVERSES.values()),
}
_COUNTS = (
    ("alert_count", gettext_noop("1 alert"), gettext_noop("%(n)s alerts")),
    ("tasks", gettext_noop("1 task"), gettext_noop("%(n)s tasks")),
    ("observables", gettext_noop("1 observable of its own"), gettext_noop("%(n)s observables of its own")),
    ("assets", gettext_noop("1 asset of its own"), gettext_noop("%(n)s assets of its own")),
    ("evidence", gettext_noop("1 piece of evidence"), gettext_noop("%(n)s pieces of evidence")),
)


def _sentence(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        return format_html("{}{}", format_html(_(words), _other(data)), _counted(data))

    return made


def _merged(entry: TimelineEntry, data: Data) -> SafeString:
    back = _(" to take a split back") if data.get("undo") == "split" else ""
    return format_html("{}{}{}", format_html(_("merged {} into this one"), _other(data)), back, _counted(data))


def _other(data: Data) -> SafeString:
    """The other incident with its title; None is one that the reader does not see."""
    number = data.get("incident")
    if not isinstance(number, str):
        return format_html("{}", _("one that you may not see"))
    title = str(data.get("title") or "")[:LONGEST]
    link = format_html('<a href="{}">{}</a>', reverse("incident-detail", args=[number[:24]]), number[:24])
    return format_html("{} {}", link, title) if title else link


def _counted(data: Data) -> SafeString:
    """How many alerts and other things went, and what an undo left."""
    left = [str(one)[:LONGEST] for one in data.get("left") or []][:20]
    if left:
        return format_html('. <span class="small">{} {}</span>', _("Not put back:"), "; ".join(left))
    words = [_number(data.get(name), one, many) for name, one, many in _COUNTS]
    return format_html_join("", ", {}", ((one,) for one in words if one))


def _number(number: Any, one: str, many: str) -> str:
    if not isinstance(number, int) or not number:
        return ""
    return _(one) if number == 1 else _(many) % {"n": number}


def _relation(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        said = _RELATIONS.get(str(data.get("relation")), str(data.get("relation") or ""))[:40]
        return format_html(_(words), _(said), _other(data))

    return made


MERGE_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "incident.merged": _merged,
    "incident.merged_into": _sentence(gettext_noop("merged it into {}")),
    "incident.merge_undone": _sentence(gettext_noop("took the merge of {} back")),
    "incident.restored": _sentence(gettext_noop("took its merge into {} back")),
    "incident.split": _sentence(gettext_noop("split off {}")),
    "incident.split_off": _sentence(gettext_noop("split it off {}")),
    "incident.related": _relation(gettext_noop("linked it as {} {}")),
    "incident.unrelated": _relation(gettext_noop("took the link away: {} {}")),
}
