"""The policy of the clocks as people and programs write it, and as the clocks use it; pure (casework.md 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.sla.calendar import ALWAYS, Calendar, Period

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCKS = ("acknowledge", "contain", "resolve")  # of an incident
GOALS = ("triage", *CLOCKS)  # triage: until somebody takes an alert
MINUTES_AT_MOST = 525_600  # a year
PERIODS_AT_MOST = 14
HOLIDAYS_AT_MOST = 500
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")


class BadPolicy(ValueError):
    """What is given is no policy; ``field`` is the part of it that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def _shipped() -> dict[str, dict[str, Any]]:
    goals = {
        "critical": (15, 15, 60, 480),
        "high": (30, 30, 240, 1440),
        "medium": (120, 120, 480, 4320),
        "low": (480, 480, None, 10080),
        "informational": (None, None, None, None),
    }
    return {word: {**dict(zip(GOALS, minutes, strict=True)), "always": True} for word, minutes in goals.items()}


@dataclass(frozen=True)
class Policy:
    """``targets``: severity -> goal -> minutes or None, and ``always``: its clocks run around the clock whatever
    ``hours`` say. ``hours`` are periods as in playbooks (rulings 13), ``holidays`` dates without a shift.
    ``warn_percent`` of a target used make a clock *at risk*."""

    targets: Mapping[str, Mapping[str, Any]]
    hours: tuple[Mapping[str, Any], ...]
    time_zone: str
    holidays: tuple[str, ...]
    warn_percent: int
    version: int = 1

    def target(self, severity: int, goal: str) -> timedelta | None:
        """How long the goal may take at this severity; None: no target."""
        minutes = self.targets.get(Severity(severity).word, {}).get(goal)
        return None if minutes is None else timedelta(minutes=minutes)

    def calendar(self, severity: int) -> Calendar:
        """When the clocks of this severity run."""
        return ALWAYS if self.targets.get(Severity(severity).word, {}).get("always", True) else self._calendar

    def warning(self, target: timedelta) -> timedelta:
        """After how much of a target its clock is at risk."""
        return target * self.warn_percent / 100

    def document(self) -> dict[str, Any]:
        """As people and programs read and write it, without its version."""
        return {
            "targets": {word: dict(goals) for word, goals in self.targets.items()},
            "hours": [dict(period) for period in self.hours],
            "time_zone": self.time_zone,
            "holidays": list(self.holidays),
            "warn_percent": self.warn_percent,
        }

    @cached_property
    def _calendar(self) -> Calendar:
        periods = tuple(
            Period(frozenset(DAYS.index(day) for day in one["days"]), _minute(one["from"]), _minute(one["to"]))
            for one in self.hours
        )
        return Calendar(periods, self.time_zone, frozenset(date.fromisoformat(day) for day in self.holidays))


SHIPPED = Policy(
    targets=_shipped(),
    hours=({"days": list(DAYS[:5]), "from": "08:00", "to": "18:00"},),
    time_zone="UTC",
    holidays=(),
    warn_percent=75,
)


def changed(policy: Policy, given: Mapping[str, Any]) -> Policy:
    """The policy with what is given in the place of what it had; of ``targets`` only the severities and goals that are
    named. Raises BadPolicy, with the name of the part that is wrong."""
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _READ:
            raise BadPolicy(str(name)[:40], _("%(name)s is no part of the policy.") % {"name": str(name)[:40]})
        read[name] = _READ[name](policy, value)
    made = replace(policy, **read)
    bound = [word for word, goals in made.targets.items() if not goals["always"]]
    if bound and not made.hours:
        raise BadPolicy(
            "hours",
            _("The clocks of %(bound)s run in these hours: give at least one period.") % {"bound": ", ".join(bound)},
        )
    return made


def _targets(policy: Policy, value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping):
        raise BadPolicy("targets", _("Targets are an object by severity."))
    made = {word: dict(goals) for word, goals in policy.targets.items()}
    for word, goals in value.items():
        if word not in Severity.words():
            raise BadPolicy("targets", _("%(word)s is no severity.") % {"word": str(word)[:40]})
        if not isinstance(goals, Mapping):
            raise BadPolicy("targets", _("The targets of %(word)s are an object.") % {"word": word})
        for goal, minutes in goals.items():
            made[word][goal] = _goal(word, goal, minutes)
        _order(word, made[word])
    return made


def _goal(word: str, goal: Any, value: Any) -> Any:
    """Minutes, or None for no target; of ``always`` a truth."""
    if goal == "always" and isinstance(value, bool):
        return value
    if goal not in GOALS:
        raise BadPolicy(
            "targets",
            _("%(word)s: %(goal)s is not one of %(what)s.")
            % {"word": word, "goal": str(goal)[:40], "what": ", ".join((*GOALS, "always"))},
        )
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MINUTES_AT_MOST:
        raise BadPolicy(
            "targets",
            _("%(word)s, %(goal)s: whole minutes from 1 to %(minutes_at_most)s, or nothing.")
            % {"word": word, "goal": goal, "minutes_at_most": MINUTES_AT_MOST},
        )
    return value


def _order(word: str, goals: Mapping[str, Any]) -> None:
    """What comes first is not due last."""
    known = [(goal, goals[goal]) for goal in CLOCKS if goals[goal] is not None]
    for (sooner, short), (later, long) in pairwise(known):
        if short > long:
            raise BadPolicy(
                "targets",
                _("%(word)s: %(sooner)s (%(short)s min) is due after %(later)s (%(long)s min).")
                % {"word": word, "sooner": sooner, "short": short, "later": later, "long": long},
            )


def _hours(policy: Policy, value: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list | tuple) or len(value) > PERIODS_AT_MOST:
        raise BadPolicy(
            "hours",
            _("Hours are a list of at most %(periods_at_most)s periods.") % {"periods_at_most": PERIODS_AT_MOST},
        )
    return tuple(_period(one) for one in value)


def _period(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != {"days", "from", "to"}:
        raise BadPolicy("hours", _('A period has "days", "from" and "to".'))
    days = value["days"]
    if not isinstance(days, list | tuple) or not days or not all(day in DAYS for day in days):
        raise BadPolicy("hours", _("The days of a period are some of %(days)s.") % {"days": ", ".join(DAYS)})
    for edge in ("from", "to"):
        if not isinstance(value[edge], str) or not _TIME.fullmatch(value[edge]):
            raise BadPolicy("hours", _("A period goes from one time to another, like 08:00 to 18:00."))
    if value["from"] in (value["to"], "24:00"):
        raise BadPolicy("hours", _("A period goes from one time to another. Write 00:00 to 24:00 for a whole day."))
    return {"days": [day for day in DAYS if day in days], "from": value["from"], "to": value["to"]}


def _zone(policy: Policy, value: Any) -> str:
    if not isinstance(value, str) or value not in available_timezones():
        raise BadPolicy(
            "time_zone", _("%(value)s is no time zone. Write one like Europe/Berlin.") % {"value": str(value)[:60]}
        )
    return value


def _holidays(policy: Policy, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > HOLIDAYS_AT_MOST:
        raise BadPolicy(
            "holidays",
            _("Holidays are a list of at most %(holidays_at_most)s dates.") % {"holidays_at_most": HOLIDAYS_AT_MOST},
        )
    return tuple(sorted({_day(one) for one in value}))


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise BadPolicy("holidays", _("%(value)s is no date. Write 2026-12-25.") % {"value": str(value)[:40]}) from None


def _percent(policy: Policy, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 99:
        raise BadPolicy("warn_percent", _("A whole number from 1 to 99."))
    return value


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


_READ = {
    "targets": _targets,
    "hours": _hours,
    "time_zone": _zone,
    "holidays": _holidays,
    "warn_percent": _percent,
}
