"""Playbooks and runs in words: durations, triggers, conditions, recorded values. What is shown, never markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from playbooks.choices import StartedBy, Trigger
from playbooks.jsonable import mask
from playbooks.models import Playbook, Run
from soar.lib.text import shorten_hash

VALUE_AT_MOST = 300
LINE_AT_MOST = 110
TELLING = ("number", "name", "value", "title", "text", "id")  # what a recorded object is called
FIELDS = {
    "title": gettext_noop("title"),
    "severity": gettext_noop("severity"),
    "status": gettext_noop("status"),
    "determination": gettext_noop("determination"),
    "source": gettext_noop("source"),
    "tags": gettext_noop("tags"),
    "detection_model": gettext_noop("detection model"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A recorded value for the page: ``text`` is at most a few hundred characters, ``size`` the whole's length."""

    text: str
    size: int

    @property
    def cut(self) -> bool:
        """Whether something is left out."""
        return self.size > len(self.text)


def took(started: datetime | None, finished: datetime | None, now: datetime | None = None) -> str:
    """How long it took, or has taken until ``now``: "120 ms", "1.2 s", "3 min 5 s", "2 h 3 min"; "" if not begun."""
    if started is None:
        return ""
    return duration(((finished or now or timezone.now()) - started).total_seconds())


def duration(seconds: float | None) -> str:
    """Seconds as people say them; "" for None."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 0.9995:
        return _("%d ms") % round(seconds * 1000)
    if seconds < 59.95:
        return _("%.1f s") % seconds
    whole = round(seconds)
    if whole < 3600:
        return _("%(min)d min %(s)d s") % {"min": whole // 60, "s": whole % 60}
    return _("%(h)d h %(min)d min") % {"h": whole // 3600, "min": whole % 3600 // 60}


def trigger_of(playbook: Playbook) -> str:
    """What starts it: "New alert", "Schedule, 30 6 * * 1-5 UTC"."""
    label = _(str(Trigger(playbook.trigger).label)) if playbook.trigger in Trigger.values else playbook.trigger
    return f"{_(label)}, {playbook.cron} UTC" if playbook.trigger == Trigger.SCHEDULE else _(label)


def conditions_of(conditions: Mapping[str, Any], at_most: int = 1000) -> list[tuple[str, str]]:
    """``[("severity", "critical or high")]``; all of them must hold. Of long lists only ``at_most`` values."""
    return [(_(FIELDS[key]) if key in FIELDS else key, _options(value, at_most)) for key, value in conditions.items()]


def _options(value: Any, at_most: int) -> str:
    options = [_option(option) for option in (value if isinstance(value, list) else [value])]
    if not options:
        return _("none of any value")
    if len(options) > at_most + 1:
        options = [*options[:at_most], _("%d more") % (len(options) - at_most)]
    *first, last = options
    return _("%(list)s or %(last)s") % {"list": ", ".join(first), "last": last} if first else last


def _option(value: Any) -> str:
    if value is None or value == "":
        return _("empty")
    return str(value).lower() if isinstance(value, bool) else str(value)


def origin_of(run: Run) -> str:
    """Who or what started it, as the end of "started by …"."""
    if run.trigger == StartedBy.SCHEDULE:
        return _("the schedule")
    if run.trigger == StartedBy.MANUAL:
        return run.started_by.display_name() if run.started_by else _("the command line")
    return _("a new incident") if run.incident_id else _("a new or reopened alert")


def subject_number(run: Run) -> str:
    """``ALR-7``, ``INC-3``, or nothing."""
    return f"ALR-{run.alert_id}" if run.alert_id else f"INC-{run.incident_id}" if run.incident_id else ""


def value_of(value: Any, at_most: int = VALUE_AT_MOST) -> Value:
    """JSON, indented, secrets masked, cut for the page."""
    text = pretty(value)
    return Value(text[:at_most], len(text))


def pretty(value: Any) -> str:
    """JSON for reading, secrets masked; a text stands as it is."""
    masked = mask(value)
    return masked if isinstance(masked, str) else json.dumps(masked, indent=2, ensure_ascii=False, default=str)


def line_of(value: Any) -> str:
    """A recorded value on one line, for a dense row: the first few things of it."""
    masked = mask(value)
    if masked in (None, {}, []):
        return ""
    if isinstance(masked, dict):
        text = ", ".join(f"{key}: {_short(item)}" for key, item in masked.items())
    elif isinstance(masked, list):
        text = ", ".join(_short(item) for item in masked[:8])
    else:
        text = _short(masked)
    text = " ".join(text[: LINE_AT_MOST * 4].split())
    return text if len(text) <= LINE_AT_MOST else text[: LINE_AT_MOST - 1] + "…"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return shorten_hash(value)
    if isinstance(value, list):
        return _("%d items") % len(value) if len(value) != 1 else _short(value[0])
    if isinstance(value, dict):
        return next((str(value[key])[:60] for key in TELLING if value.get(key)), "{…}" if value else "{}")
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
