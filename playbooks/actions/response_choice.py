"""What somebody chose to act on, found and checked: the case, and the rated objects (spec 17b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.asset_access import asset_for
from cases.errors import Missing
from cases.models import Observable
from playbooks.actions import response_targets as found
from playbooks.actions.responses import Case, case_of
from playbooks.response.objects import Target


def chosen(actor: Actor, given: Mapping[str, Any]) -> tuple[Case, list[Target]]:
    """``given``: alert or incident (number), observable or asset (id), targets (``{"kind", "value", "facts"}``).

    A named target that the case knows brings what the case knows of it. Raises Missing, Forbidden, Refused."""
    case = case_of(actor, alert=given.get("alert"), incident=given.get("incident"))
    targets = named(case, given.get("targets") or [])
    if pk := given.get("observable"):
        targets += found.of_observable(observable_for(actor, pk))
    if pk := given.get("asset"):
        assert actor.user is not None
        targets += found.of_asset(actor.user, asset_for(actor.user, pk))
    return case, targets


def objects_of(case: Case) -> list[Target]:
    """The objects of the case, rated; [] where there is none."""
    if case.alert is not None:
        return found.of_alert(case.alert)
    return found.of_incident(case.incident) if case.incident is not None else []


def named(case: Case, wanted: Sequence[Mapping[str, Any]]) -> list[Target]:
    """The objects that are named, each once; facts that are given beat those of the case."""
    if not wanted:
        return []
    known = {(one["kind"], one["value"].casefold()): one for one in objects_of(case)}
    made: dict[tuple[str, str], Target] = {}
    for one in wanted:
        fresh = found.given(str(one["kind"]), str(one["value"]), facts=one.get("facts"))
        key = (fresh["kind"], fresh["value"].casefold())
        if have := known.get(key):
            fresh = {**have, "facts": {**have["facts"], **fresh["facts"]}}
        made[key] = fresh
    return found.rated(list(made.values()))


def observable_for(actor: Actor, pk: int | str) -> Observable:
    """The observable with this id, if the actor may see it. Raises Missing."""
    text = str(pk)
    usable = text.isascii() and text.isdigit() and len(text) < 19
    assert actor.user is not None
    row = Observable.objects.visible_to(actor.user).filter(pk=int(text)).first() if usable else None
    if row is None:
        raise Missing(_("There is no observable %(text)s.") % {"text": f"{text:.40}"})
    return row
