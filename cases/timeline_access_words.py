"""Entries of who may see an incident, as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from cases.models import TimelineEntry
from soar.lib import parts

Data = dict[str, Any]
LONGEST = 200
# The stated rules by which Soar itself gives a level, as the end of a sentence.
RULES = {
    "owner": gettext_noop("because owners of a restricted incident keep edit"),
    "restriction": gettext_noop("because whoever restricts an incident manages it"),
    "glass": gettext_noop("by breaking the glass"),
}


def _holder(data: Data) -> SafeString:
    name = str(data.get("name") or data.get("user") or data.get("group") or "")[:LONGEST]
    if "group" in data:
        return format_html(_("the group {}"), format_html("<b>{}</b>", name))
    return format_html("<b>{}</b>", name)


def _until(data: Data) -> SafeString:
    moment = parse_datetime(str(data.get("until") or ""))
    return format_html(" {} {}", _("until"), parts.clock(moment, True)) if moment else SafeString("")


def _because(data: Data) -> SafeString:
    rule = RULES.get(str(data.get("rule", "")))
    return format_html(", {}", _(rule)) if rule else SafeString("")


def _granted(entry: TimelineEntry, data: Data) -> SafeString:
    level = format_html("<b>{}</b>", data.get("level", ""))
    return format_html(_("gave {} {}{}{}"), _holder(data), level, _until(data), _because(data))


def _changed(entry: TimelineEntry, data: Data) -> SafeString:
    was = format_html('<span class="was">{}</span>', data.get("old", ""))
    level = format_html("<b>{}</b>", data.get("level", ""))
    return format_html(
        _("changed the access of {}: {} → {}{}{}"), _holder(data), was, level, _until(data), _because(data)
    )


def _revoked(entry: TimelineEntry, data: Data) -> SafeString:
    left = data.get("left")
    if left:
        return format_html(_("took {} from {}, who keeps {}"), data.get("level", ""), _holder(data), left)
    return format_html(_("took {} from {}"), data.get("level", ""), _holder(data))


def _expired(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("ended the grant of {} to {}, whose time was over"), data.get("level", ""), _holder(data))


def _restricted(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html("{} {}", _("restricted the incident"), _with_it(data))


def _unrestricted(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html("{} {}", _("removed the restriction of the incident"), _with_it(data))


def _with_it(data: Data) -> str:
    """The alerts in it, and the incidents that were merged into it."""
    told = []
    alerts, merged = data.get("alerts"), data.get("merged")
    if isinstance(alerts, int) and alerts:
        told.append(ngettext("and its alert", "and its %(n)s alerts", alerts) % {"n": alerts})
    if isinstance(merged, int) and merged:
        text = ngettext("and what was merged into it", "and the %(n)s incidents that were merged into it", merged)
        told.append(text % {"n": merged})
    return " ".join(told)


ACCESS_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "access.granted": _granted,
    "access.changed": _changed,
    "access.revoked": _revoked,
    "access.expired": _expired,
    "access.restricted": _restricted,
    "access.unrestricted": _unrestricted,
}
