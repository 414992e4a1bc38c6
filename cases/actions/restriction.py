"""Restricting an incident: only its own grants count then, for it and for its alerts (access.md 3, rulings 20)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import sight
from cases.actions.access import INCIDENT
from cases.actions.base import save, text_of
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.merged import absorbed_by
from cases.models import Alert, Incident
from cases.permissions import holds
from soar.accounts import audit
from soar.accounts.access.actions import end_rule, give_by_rule
from soar.accounts.access.kinds import managed
from soar.accounts.membership import holders, may
from soar.accounts.models import User
from soar.accounts.models.grant import REASON_AT_MOST
from soar.lib import clock
from soar.lib.queue import enqueue

OWNER, RESTRICTION, GLASS = "owner", "restriction", "glass"  # the stated rules
TELL = "cases.tasks.tell_glass"


@transaction.atomic
def restrict(actor: Actor, incident_id: str | int, *, reason: str = "", expected_version: Expected = None) -> Incident:
    """Let roles, teams and owning give nothing any more, for it and for all that was merged into it: owners keep
    ``edit``, whoever does it keeps ``manage``; where that is Soar itself, the lead, another owner or the first admin.
    Restricting twice changes nothing.

    Raises Missing, Forbidden without ``manage`` (whoever manages people alone does not get it by this), Refused for a
    reason that is too long."""
    incident = _managed(actor, incident_id, expected_version)
    INCIDENT.check_gives(actor.user, incident, "manage")
    why = text_of(reason or "", "reason", most=REASON_AT_MOST, required=False)
    if incident.restricted:
        return incident
    _set(actor, incident, restricted=True, reason=why)
    owners = [row.user for row in incident.owner_rows.select_related("user") if row.user.is_active]
    for owner in owners:
        give_by_rule(actor.user, INCIDENT, incident, owner, "edit", OWNER)
    manager = actor.user or next(iter(owners), None) or _first_admin()
    give_by_rule(actor.user, INCIDENT, incident, manager, "manage", RESTRICTION)
    _forget(actor)
    return incident


@transaction.atomic
def unrestrict(
    actor: Actor, incident_id: str | int, *, reason: str = "", expected_version: Expected = None
) -> Incident:
    """Let roles, teams and owning count again. Grants made by hand stay, those of the restriction's rules go. What was
    merged into it and was restricted before stays so itself.

    Raises Missing, Forbidden without ``manage`` by a grant, Refused for a reason that is too long."""
    incident = _managed(actor, incident_id, expected_version)
    why = text_of(reason or "", "reason", most=REASON_AT_MOST, required=False)
    if not incident.restricted:
        return incident
    _set(actor, incident, restricted=False, reason=why)
    for rule in (OWNER, RESTRICTION):
        end_rule(actor.user, INCIDENT, incident, rule)
    _forget(actor)
    return incident


@transaction.atomic
def break_glass(user: User, incident_id: str | int, *, reason: str) -> Incident:
    """Let an admin in to a restricted incident that no grant lets them manage, for some hours: on the audit log and
    the timeline, with the reason, and told to the owners and managers by mail.

    Nobody gets by it what no role of theirs would give them if it were not restricted. Raises Forbidden for anybody
    else, Missing, Refused without a reason or where there is no glass to break."""
    if not all(may(user, one) for one in ("manage_people", "view_cases", "work_cases", "view_all_teams")):
        raise Forbidden(_("Only those who manage people and all teams' cases may break the glass."))
    why = text_of(reason or "", "reason", most=REASON_AT_MOST)
    incident = INCIDENT.found(str(incident_id)).select_for_update(of=("self",)).first()
    if incident is None:
        raise Missing(_("There is no incident %(incident_id)s.") % {"incident_id": f"{incident_id!s:.40}"})
    if not incident.restricted:
        raise Refused(_("%(number)s is not restricted.") % {"number": incident.number}, field="incident")
    if incident.access_of_id is not None:
        raise Refused(
            _("%(number)s was merged: break the glass of INC-%(access_of_id)s.")
            % {"number": incident.number, "access_of_id": incident.access_of_id},
            field="incident",
        )
    if INCIDENT.manages(user, incident):
        raise Conflict(
            _("You manage %(number)s already.") % {"number": incident.number},
            url=f"/incidents/{incident.number}/access/",
        )
    until = clock.now() + timedelta(hours=settings.GLASS_HOURS)
    audit.record(user, "access.glass_broken", incident.number, object="incident", id=incident.pk, reason=why)
    entry = timeline.record("access.glass_broken", incident, Actor.of(user), text=why)
    save(incident)
    give_by_rule(user, INCIDENT, incident, user, "manage", GLASS, expires_at=until, reason=why)
    enqueue(TELL, incident.pk, entry.pk)
    _forget(Actor.of(user))
    return incident


def let_owner_in(actor: Actor, incident: Incident, user: User) -> None:
    """The rule for owners of a restricted incident that is locked: they get ``edit``, if whoever adds them manages its
    access (access.md 6). Raises Refused where the owner could not act otherwise."""
    if not incident.restricted or INCIDENT.rule.is_granted(user, incident, "edit"):
        return
    if actor.user is not None and holds(actor.user, incident, "manage"):
        give_by_rule(actor.user, INCIDENT, incident, user, "edit", OWNER)
    elif not INCIDENT.rule.is_granted(user, incident, "comment"):
        raise Refused(
            _(
                "%(number)s is restricted and %(display_name)s may not work on it: owners get “edit”, "
                "which only somebody who manages its access can give."
            )
            % {"number": incident.number, "display_name": user.display_name()},
            field="owners",
        )


def let_owners_go(actor: Actor, incident: Incident, user_ids: list[int]) -> None:
    """What the rule gave to owners of a locked incident goes when they own it no more."""
    if incident.restricted:
        end_rule(actor.user, INCIDENT, incident, OWNER, only=user_ids)


def _managed(actor: Actor, incident_id: str | int, expected: Expected) -> Incident:
    _lock(INCIDENT.found(str(incident_id)).values_list("pk", flat=True))
    incident: Incident = managed(INCIDENT, actor.user, str(incident_id), lock=True)
    check_version(incident, expected)
    return incident


def _lock(found: Iterable[int]) -> None:
    """The incident and what went into it, in the order of their ids, as a merge and an undo lock them."""
    pks = list(found)
    rows = Incident.objects.select_for_update(of=("self",)).filter(pk__in=[*pks, *absorbed_by(pks)]).order_by("pk")
    list(rows.values_list("pk", flat=True))


def _set(actor: Actor, incident: Incident, *, restricted: bool, reason: str) -> None:
    """The column of the incident, of its alerts and of what was merged into it, together, with the rows that tell of
    it."""
    verb = "access.restricted" if restricted else "access.unrestricted"
    alerts = list(
        Alert.objects.filter(incident=incident).select_for_update().order_by("pk").values_list("pk", flat=True)
    )
    Alert.objects.filter(pk__in=alerts).update(restricted=restricted, updated_at=clock.now())
    incident.restricted = restricted
    merged = sight.follow(incident)
    with_it: dict[str, Any] = {"alerts": len(alerts), **({"merged": merged} if merged else {})}
    why = {"reason": reason} if reason else {}
    audit.record(actor.user, verb, incident.number, object="incident", id=incident.pk, **with_it, **why)
    timeline.record(verb, incident, actor, text=reason, data=with_it)
    save(incident, "restricted")


def _first_admin() -> User:
    admin = holders("manage_people").order_by("pk").first()
    if admin is None:
        raise Refused(_("Nobody would be left who manages its access: give it an owner first."))
    return admin


def _forget(actor: Actor) -> None:
    """What was read of the person's grants before is not so any more."""
    for name in ("_grants", "_incidents_sql"):
        if actor.user is not None and hasattr(actor.user, name):
            delattr(actor.user, name)
