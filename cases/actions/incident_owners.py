"""The owners of an incident, and who of them leads (casework.md 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import KEEP, _Keep, check_worker, person, save
from cases.actions.restriction import let_owner_in, let_owners_go
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.errors import Refused
from cases.models import Incident, IncidentOwner
from cases.models.incident import OWNERS_AT_MOST
from cases.permissions import incident_for
from cases.sla import clocks
from soar.accounts.models import User


@transaction.atomic
def owners(
    actor: Actor,
    incident_id: str | int,
    *,
    add: Iterable[User | str] = (),
    remove: Iterable[User | str] = (),
    lead: User | str | _Keep | None = KEEP,
    expected_version: Expected = None,
) -> Incident:
    """Add and remove owners, at most 50, and say who leads (None: nobody). The lead becomes an owner.

    Of a restricted incident owners get ``edit`` when whoever adds them manages its access (access.md 6)."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_version(incident, expected_version)
    before = incident.timeline_count
    leader = lead if isinstance(lead, _Keep) else person(lead)
    joining = people([*add, *([leader] if isinstance(leader, User) else [])])
    leaving = [getattr(user, "pk", None) for user in map(_anybody, remove)]
    gone = list(incident.owner_rows.filter(user__in=leaving).select_related("user"))
    if gone:
        IncidentOwner.objects.filter(pk__in=[row.pk for row in gone]).delete()
        let_owners_go(actor, incident, [row.user_id for row in gone])
        timeline.record("incident.owners", incident, actor, data=told_of("removed", [row.user for row in gone]))
    add_owners(actor, incident, joining, leader)
    if incident.timeline_count > before:
        save(incident)
    return incident


def _anybody(value: User | str) -> User | None:
    """A user by name even if disabled: a leaver can be removed."""
    if isinstance(value, User):
        return value
    return User.objects.filter(username=str(value)[:150].replace("\x00", "")).first()


def people(values: Iterable[User | str]) -> list[User]:
    """Active users by name, each once. Raises Refused for one that is not there."""
    found = [person(value) for value in values]
    return list(dict.fromkeys(user for user in found if user))


def add_owners(actor: Actor, incident: Incident, joining: list[User], lead: User | _Keep | None) -> None:
    """Add them to a locked incident and say who leads, with one entry. Raises Refused for more than 50."""
    have = set(incident.owner_rows.values_list("user_id", flat=True))
    new = [user for user in joining if user.pk not in have]
    for user in [*new, *([lead] if isinstance(lead, User) else [])]:
        let_owner_in(actor, incident, user)
        check_worker(incident, user)
    if len(have) + len(new) > OWNERS_AT_MOST:
        raise Refused(
            _("An incident has at most %(owners_at_most)s owners; this would make %(count)s.")
            % {"owners_at_most": OWNERS_AT_MOST, "count": len(have) + len(new)},
            field="owners",
        )
    IncidentOwner.objects.bulk_create([IncidentOwner(incident=incident, user=user) for user in new])
    data = told_of("added", new) if new else {}
    if not isinstance(lead, _Keep):
        data |= _set_lead(incident, lead)
    if data:
        timeline.record("incident.owners", incident, actor, data=data)
    if new and incident.sla_version is not None:  # it has somebody now, whoever said so
        clocks.follow(incident, taken=True)


@transaction.atomic
def tell_left_out(actor: Actor, incident_id: str | int, why: Mapping[str, str]) -> Incident:
    """Write to the timeline of an incident who was to own it and does not, by user name, each with the reason. Raises
    Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    data = {"left_out": list(why)}
    timeline.record("incident.owners", incident, actor, text=" ".join(dict.fromkeys(why.values())), data=data)
    save(incident)
    return incident


def told_of(what: str, people: Iterable[User]) -> dict[str, Any]:
    """Who was ``added`` or ``removed``, as an entry keeps it: by name for people, and by id, since two may have one."""
    listed = list(people)
    return {what: [user.display_name() for user in listed], f"{what}_ids": [user.pk for user in listed]}


def _set_lead(incident: Incident, lead: User | None) -> dict[str, Any]:
    current = incident.owner_rows.filter(lead=True).select_related("user").first()
    if (current.user if current else None) == lead:
        return {}
    incident.owner_rows.filter(lead=True).update(lead=False)
    if lead:
        incident.owner_rows.filter(user=lead).update(lead=True)
    return lead_told(current.user if current else None, lead)


def lead_told(old: User | None, lead: User | None) -> dict[str, Any]:
    """Who leads, as an entry keeps it."""
    return {
        "old_lead": old.display_name() if old else None,
        "lead": lead.display_name() if lead else None,
        "lead_id": lead.pk if lead else None,
    }
