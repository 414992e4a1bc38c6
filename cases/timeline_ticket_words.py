"""Entries of ServiceNow tickets as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.models import TimelineEntry

Data = dict[str, Any]
LONGEST = 200
_OUTCOMES = {
    "ours": gettext_noop("Soar's value is kept"),
    "theirs": gettext_noop("ServiceNow's value is taken"),
    "": gettext_noop("it waits for a decision"),
}
_FIELDS = {"owner": gettext_noop("assigned to"), "team": gettext_noop("assignment group")}


def _short(value: Any) -> str:
    text = str(value if value not in (None, "") else _("nothing"))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _number(data: Data) -> SafeString:
    return format_html("<b>{}</b>", _short(data.get("number") or _("a ticket")))


def _linked(entry: TimelineEntry, data: Data) -> SafeString:
    words = _("opened the ServiceNow ticket {}") if data.get("created") else _("linked the ServiceNow ticket {}")
    return format_html(words, _number(data))


def _of_ticket(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        return format_html(_(words), _number(data))

    return made


def _field(data: Data) -> str:
    name = str(data.get("field", ""))
    return _(_FIELDS[name]) if name in _FIELDS else name.replace("_", " ")


def _conflict(entry: TimelineEntry, data: Data) -> SafeString:
    words = _("found {} changed on both sides of {}: here {}, there {}; {}")
    end = _(_OUTCOMES.get(str(data.get("outcome") or ""), ""))
    return format_html(words, _field(data), _number(data), _short(data.get("ours")), _short(data.get("theirs")), end)


def _settled(entry: TimelineEntry, data: Data) -> SafeString:
    end = _(_OUTCOMES.get(str(data.get("outcome") or ""), ""))
    return format_html(_("settled the conflict of {} with {}: {}"), _field(data), _number(data), end)


def _attachment(entry: TimelineEntry, data: Data) -> SafeString:
    words = _("left the attachment {} in {}: {}")
    return format_html(words, _short(data.get("name")), _number(data), _short(data.get("reason")))


def _failed(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("could not send to {}: {}"), _number(data), _short(data.get("said")))


def _skipped(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("let a change for {} go: {}"), _number(data), _short(data.get("change")))


TICKET_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "servicenow.linked": _linked,
    "servicenow.unlinked": _of_ticket(gettext_noop("took the link with the ServiceNow ticket {} away")),
    "servicenow.broken": _of_ticket(gettext_noop("cannot find the ServiceNow ticket {} any more")),
    "servicenow.shown": _of_ticket(gettext_noop("can see the ServiceNow ticket {} again")),
    "servicenow.conflict": _conflict,
    "servicenow.settled": _settled,
    "servicenow.attachment": _attachment,
    "servicenow.failed": _failed,
    "servicenow.skipped": _skipped,
    "servicenow.note": _of_ticket(gettext_noop("noted in the ServiceNow ticket {}")),
}
