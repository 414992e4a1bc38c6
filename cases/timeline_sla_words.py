"""Entries about the clocks of an incident, as sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.models import TimelineEntry
from soar.lib import parts
from soar.lib.clock import moment_of
from soar.lib.text import span_words

Data = dict[str, Any]
_RISK = {
    "acknowledge": gettext_noop("time to acknowledge is running out"),
    "contain": gettext_noop("time to contain is running out"),
    "resolve": gettext_noop("time to resolve is running out"),
}
_BREACH = {
    "acknowledge": gettext_noop("not acknowledged in time"),
    "contain": gettext_noop("not contained in time"),
    "resolve": gettext_noop("not resolved in time"),
}


def _reminder(words: dict[str, str]) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        said = _(words.get(str(data.get("clock")), gettext_noop("a target was missed")))
        due = moment_of(str(data.get("due_at") or ""))
        target = data.get("target")
        of = _("target %s") % span_words(target * 60) if isinstance(target, int) else ""
        when = format_html("{} {}", _("due"), parts.clock(due, True)) if due else ""
        about = format_html(" ({}{}{})", of, ", " if of and when else "", when) if of or when else ""
        return format_html("{}{}", said, about)

    return made


def _paused(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html("{}", _("paused the clocks"))


def _resumed(entry: TimelineEntry, data: Data) -> SafeString:
    seconds = data.get("seconds")
    after = format_html(" {}", _("after %s") % span_words(seconds)) if isinstance(seconds, int) else ""
    return format_html("{}{}", _("let the clocks run again"), after)


SLA_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "sla.at_risk": _reminder(_RISK),
    "sla.breached": _reminder(_BREACH),
    "sla.paused": _paused,
    "sla.resumed": _resumed,
}
