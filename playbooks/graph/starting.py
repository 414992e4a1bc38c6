"""Whether an alert may start a playbook: its trigger's periods and its target (response-playbooks.md 3, 4)."""

from __future__ import annotations

from datetime import datetime, time

from playbooks.graph.clock import clock, zone_or_utc
from playbooks.graph.model import DAYS, Period, Target, Trigger


def is_within(trigger: Trigger, when: datetime) -> bool:
    """Whether automatic runs may begin at ``when`` (aware). A trigger without periods is always open."""
    if not trigger.periods:
        return True
    local = when.astimezone(zone_or_utc(trigger.time_zone))
    today, now = local.weekday(), local.time().replace(tzinfo=None)
    return any(_covers(period, today, now) for period in trigger.periods)


def _covers(period: Period, today: int, now: time) -> bool:
    """A range over midnight belongs to the day that it starts on; an equal start and end is a whole day."""
    start, end = clock(period.start), clock(period.end)
    if start is None or end is None:
        return False
    if start < end:
        return DAYS[today] in period.days and start <= now < end
    yesterday = DAYS[(today - 1) % 7]
    return (DAYS[today] in period.days and now >= start) or (yesterday in period.days and now < end)


def off_target(target: Target, severity: str, model: str) -> str:
    """Why an alert is none for this playbook, as a sentence; "" if it is one. ``severity`` is the word."""
    if severity not in target.severities:
        return f"Its severity is {severity}; the playbook takes {' and '.join(target.severities) or 'none'}."
    if target.models and not model:
        return "Its detection model is not known; the playbook asks for certain ones."
    if target.models and model.casefold() not in {name.casefold() for name in target.models}:
        return f"Its detection model, {model}, is not among those of the playbook."
    return ""
