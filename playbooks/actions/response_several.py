"""What somebody responds to from a page: one alert or incident, or several alerts, observables or assets at once, with
the objects there and the case that each object's task will be about (spec 17b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Refused
from cases.models import Alert
from cases.permissions import alert_for, parse_number
from playbooks.actions import response_targets
from playbooks.actions.response_choice import chosen, objects_of
from playbooks.actions.responses import Case, case_of
from playbooks.response.objects import Target

AT_MOST = 50
Origin = Sequence[tuple[str, str]]  # from where: alert, incident, observable or asset, with its number or id


@dataclass(frozen=True, slots=True)
class Things:
    """``objects``, rated, and for each of them the case of its task."""

    objects: list[Target]
    cases: list[Case]

    @property
    def one(self) -> Case:
        """The case, where all of it is about the same one; else none in particular."""
        return self.cases[0] if self.cases and all(case is self.cases[0] for case in self.cases) else Case()


def things_of(actor: Actor, origin: Origin) -> Things:
    """The objects at ``origin``; none for an empty one. Raises Missing, Forbidden, Refused for too many."""
    if len(origin) > AT_MOST:
        raise Refused(_("At most %(at_most)s at once.") % {"at_most": AT_MOST}, field="targets")
    singles = [pair for pair in origin if pair[0] in ("observable", "asset")]
    if singles:
        return _singles(actor, singles)
    alerts = [value for name, value in origin if name == "alert"]
    if len(alerts) > 1:
        return _several(actor, alerts)
    case, _none = chosen(actor, dict(origin))
    objects = objects_of(case)
    return Things(objects, [case] * len(objects))


def _singles(actor: Actor, pairs: Origin) -> Things:
    """Observables and assets: their tasks are about no case."""
    case = Case(pairs[0][0])
    found = [one for name, value in dict.fromkeys(pairs) for one in chosen(actor, {name: value})[1]]
    return Things(response_targets.rated(found), [case] * len(found))


def _several(actor: Actor, numbers: Sequence[str]) -> Things:
    """The objects of several alerts, each once: a task is about the newest alert that names its object."""
    case_of(actor, alert=numbers[0])  # the rights that go for all of them
    found = response_targets.of_alerts(_alerts(actor, numbers))
    cases = {alert.pk: Case("alert", alert) for _one, alert in found}
    return Things([one for one, _alert in found], [cases[alert.pk] for _one, alert in found])


def _alerts(actor: Actor, numbers: Sequence[str]) -> list[Alert]:
    wanted = sorted({parse_number(number, "ALR") for number in numbers}, reverse=True)
    assert actor.user is not None
    rows = Alert.objects.visible_to(actor.user).filter(pk__in=wanted).select_related("source", "owner", "team")
    seen = {alert.pk: alert for alert in rows}
    # What is restricted, or not there for this person, is asked for one by one, with the reason.
    return [seen[pk] if pk in seen and not seen[pk].restricted else alert_for(actor, pk, work=True) for pk in wanted]
