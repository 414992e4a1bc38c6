"""Checks the playbook's name, its trigger and its target (response-playbooks.md 1, 3 to 6)."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playbooks.graph.actions import DETERMINATIONS, SEVERITIES
from playbooks.graph.check_telling import profile_problems
from playbooks.graph.clock import clock, zone
from playbooks.graph.model import DAYS, MOST_OWNERS, MOST_PERIODS, TRIGGERS, Graph, Period, Problem, Target, Trigger
from playbooks.graph.words import title
from playbooks.graph.world import World


def playbook_problems(graph: Graph, world: World | None) -> Iterator[Problem]:
    """The name: there, one line, nobody else's (spec 1)."""
    name = graph.name.strip()
    if not name:
        yield Problem("", "name", _("Give the playbook a name."))
    if len(graph.name.splitlines()) > 1:
        yield Problem("", "name", _("The name is one line."))
    if world is not None and name.casefold() in {taken.strip().casefold() for taken in world.names_taken}:
        yield Problem("", "name", _("There is already a playbook named %(name)s.") % {"name": name})


def trigger_problems(trigger: Trigger) -> Iterator[Problem]:
    """Type, periods and time zone (spec 2, 3)."""
    if trigger.type not in TRIGGERS:
        yield Problem(
            "trigger",
            "type",
            _("%(type)s is no trigger; there are: %(triggers)s.")
            % {"type": repr(trigger.type), "triggers": ", ".join(TRIGGERS)},
        )
    if len(trigger.periods) > MOST_PERIODS:
        message = _("There are at most %(most_periods)s periods; these are %(count)s.") % {
            "most_periods": MOST_PERIODS,
            "count": len(trigger.periods),
        }
        yield Problem("trigger", "periods", message)
    if zone(trigger.time_zone) is None:
        yield Problem(
            "trigger",
            "time_zone",
            _("There is no time zone named %(time_zone)s.") % {"time_zone": repr(trigger.time_zone)},
        )
    for number, period in enumerate(trigger.periods[: MOST_PERIODS + 1]):
        yield from _period(period, f"periods.{number}")


def _period(period: Period, at: str) -> Iterator[Problem]:
    if not period.days:
        yield Problem("trigger", f"{at}.days", _("Choose at least one day of the week."))
    for day in period.days:
        if day not in DAYS:
            yield Problem(
                "trigger",
                f"{at}.days",
                _("%(day)s is no day; the days are: %(days)s.") % {"day": repr(day), "days": ", ".join(DAYS)},
            )
    if clock(period.start) is None or period.start == "24:00":
        yield Problem(
            "trigger", f"{at}.from", _("%(start)s is no time of day; write 22:00.") % {"start": repr(period.start)}
        )
    if clock(period.end) is None:
        yield Problem("trigger", f"{at}.to", _("%(end)s is no time of day; write 06:00.") % {"end": repr(period.end)})


def target_problems(graph: Graph, world: World | None) -> Iterator[Problem]:
    """Levels, detection models, the incident (spec 4 to 6)."""
    target = graph.target
    if not target.severities:
        yield Problem("target", "severities", _("Choose at least one severity level."))
    for word in target.severities:
        if word not in SEVERITIES:
            message = _("%(word)s is no severity level; there are: %(severities)s.") % {
                "word": repr(word),
                "severities": ", ".join(SEVERITIES),
            }
            yield Problem("target", "severities", message)
    if world is not None:
        yield from _models(target, world)
    yield from _risk_filter(graph)
    yield from _incident(target, world)


def _models(target: Target, world: World) -> Iterator[Problem]:
    known = {name.casefold(): words for name, words in world.models.items()}
    for name in target.models:
        words = known.get(name.casefold())
        if words is None:
            yield Problem("target", "models", _("There is no detection model named %(name)s.") % {"name": name})
        elif words and not set(words) & set(target.severities):
            levels = " and ".join(words)
            message = _("The model %(name)s is of severity %(levels)s, which is not among the chosen levels.") % {
                "name": name,
                "levels": levels,
            }
            yield Problem("target", "models", message)


def _risk_filter(graph: Graph) -> Iterator[Problem]:
    """Switching the filter off while a condition uses it is refused here; the row itself is marked as well (spec 5)."""
    users = [n for n in graph.reading_order if any(row.parameter == "object_risk" for row in n.conditions)]
    if users and not graph.target.filter_by_risk:
        names = ", ".join(title(graph, node.id) for node in users[:5])
        message = _("The risk of objects is asked for, so this cannot be off: see %(names)s.") % {"names": names}
        yield Problem("target", "filter_by_risk", message)


def _incident(target: Target, world: World | None) -> Iterator[Problem]:
    use = target.open_incident
    if use is None:
        return
    if len(use.owners) > MOST_OWNERS:
        message = _("An incident has at most %(most_owners)s owners; these are %(count)s.") % {
            "most_owners": MOST_OWNERS,
            "count": len(use.owners),
        }
        yield Problem("target", "open_incident.owners", message)
    for name in use.owners if world is not None else ():
        if world is not None and name not in world.users:
            yield Problem(
                "target", "open_incident.owners", _("There is no active user named %(name)s.") % {"name": name}
            )
    yield from profile_problems("target", "open_incident.ticket_profile", use.ticket_profile, world)
    if use.close_with and use.close_with not in DETERMINATIONS:
        message = _("No incident is closed as %(close_with)s; choose one of: %(determinations)s.") % {
            "close_with": repr(use.close_with),
            "determinations": ", ".join(DETERMINATIONS),
        }
        yield Problem("target", "open_incident.close_on_success.determination", message)
