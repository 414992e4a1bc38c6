"""The one way to fetch a thing for a person: who sees it, what they may do, and the lock, in one call."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.alert_rows import locked_alert
from cases.errors import Forbidden, Missing
from cases.merged import end_of, refusal
from cases.models import (
    Alert,
    AlertSource,
    Incident,
    IncidentGroupPermission,
    IncidentUserPermission,
)
from cases.restricted_views import note_view
from cases.source_access import SOURCE, sources_managed_by, sources_read_by
from soar.accounts.levels import Kind
from soar.accounts.membership import may, workers
from soar.accounts.models import User
from soar.accounts.models.grant import current
from soar.lib.context import know

# Levels of rulings 20, each contains the former; with the scope that a token needs for it.
INCIDENT = Kind(
    "incident",
    {"view": "view_cases", **dict.fromkeys(("comment", "edit", "close", "delete", "manage"), "work_cases")},
    lambda: (IncidentUserPermission, IncidentGroupPermission),
)
LEVELS = tuple(INCIDENT.levels)
WORKING = ("comment", "edit", "close")  # what nobody does any more in an incident that was merged
__all__ = [
    "INCIDENT",
    "LEVELS",
    "SOURCE",
    "alert_for",
    "holds",
    "incident_for",
    "owners_for",
    "readable_source",
    "source_for",
]
_NUMBER = re.compile(r"(?:(ALR|INC)-)?([0-9]{1,18})", re.IGNORECASE)


def parse_number(value: str | int, prefix: str) -> int:
    """``7``, ``"7"`` or ``"ALR-7"`` to 7. Raises Missing for anything else."""
    found = _NUMBER.fullmatch(str(value).strip())
    if not found or (found[1] and found[1].upper() != prefix):
        raise Missing(_("There is no %(value)s.") % {"value": f"{value!s:.40}"})
    return int(found[2])


def alert_for(who: Actor | User, pk: str | int, *, work: bool = False, lock: bool = False) -> Alert:
    """The alert with this id or number, if ``who`` may see it; with ``work``, if they may change it.

    ``lock`` takes the row's lock (in a transaction). Raises Missing or Forbidden."""
    user = who.user if isinstance(who, Actor) else who
    number = parse_number(pk, "ALR")
    # The former is the same, quicker, for whoever sees all: most changes of playbooks ask for it.
    alert = locked_alert(number) if user is None and lock else _seen(user, number, lock=lock)
    if alert is None:
        raise Missing(_("There is no alert %(pk)s.") % {"pk": f"{pk!s:.40}"})
    if user is not None:
        know(alert.cause)  # others act within a run, whose cause is known
    if work and user is not None and not may(user, "work_cases"):
        raise Forbidden(_("You may see this alert but not work on it: the permission to work on cases is missing."))
    if work and user is not None and alert.restricted and alert.incident and not holds(user, alert.incident, "edit"):
        raise Forbidden(
            _("You may see %(number)s but not work on it: its incident is restricted.") % {"number": alert.number}
        )
    if alert.restricted and alert.incident:
        note_view(who, alert.incident)
    return alert


def _seen(user: User | None, number: int, *, lock: bool) -> Alert | None:
    rows = Alert.objects.select_for_update(of=("self",)) if lock else Alert.objects.all()
    if user is not None:
        rows = rows.visible_to(user)
    # Under a lock only the source is joined: it never changes. A row that was waited for is read anew, but what is
    # joined to it is not: owner and team would be those from before the wait.
    rows = rows.select_related("source") if lock else rows.select_related("source", "owner", "team")
    return rows.filter(pk=number).first()


def incident_for(who: Actor | User, pk: str | int, *, level: str = "view", lock: bool = False) -> Incident:
    """The incident with this id or number, if ``who`` may see it and holds ``level`` on it.

    Of one that was merged nothing changes any more (casework.md 9): people are told where it went (Conflict), for
    playbooks and other programs that one is found in its place.
    ``lock`` takes the row's lock (in a transaction). Raises Missing or Forbidden."""
    user = who.user if isinstance(who, Actor) else who
    rows = Incident.objects.select_for_update(of=("self",)) if lock else Incident.objects.select_related("team")
    if user is not None:
        rows = rows.visible_to(user)
    incident: Incident | None = rows.filter(pk=parse_number(pk, "INC")).first()
    if incident is None:
        raise Missing(_("There is no incident %(pk)s.") % {"pk": f"{pk!s:.40}"})
    if user is not None:
        know(incident.cause)
    if incident.merged_at is not None and level in WORKING:
        if isinstance(who, Actor) and who.type != "user" and (end := end_of(incident.pk)) != incident.pk:
            return incident_for(who, end, level=level, lock=lock)
        raise refusal(who, incident)
    if user is not None and not holds(user, incident, level):
        raise Forbidden(_("You may see this incident but not %(level)s it.") % {"level": level})
    note_view(who, incident)
    return incident


def entitled(user: User, incident: Incident, level: str) -> bool:
    """Whether the user would hold ``level`` on an incident that they can see if it were not merged: by role, or by its
    own grants."""
    by_role = not incident.restricted and may(user, "work_cases")
    if by_role and (LEVELS.index(level) <= LEVELS.index("close") or may(user, "manage_people")):
        return True
    return INCIDENT.is_granted(user, incident.access_of or incident, level)


def holds(user: User, incident: Incident, level: str) -> bool:
    """Whether the user holds ``level`` on an incident that they can see: by role, or by its own grants. In one that
    was merged nobody works any more."""
    if level == "view":
        return True
    if incident.merged_at is not None and level in WORKING:
        return False
    return entitled(user, incident, level)


def owners_for(incident: Incident, chooser: User | None = None) -> QuerySet[User]:
    """Who can own an incident, by name: people who may work on cases, and those whom its own grants let in to do more
    than read. Owning gives sight of it (rulings 21), but not of a restricted one: there only its grants count, which
    a ``chooser`` who manages its access gives with the owning (access.md 6)."""
    own = {"content_object": incident, "permission__codename__in": [f"{name}_incident" for name in LEVELS[1:]]}
    let_in = Q(pk__in=IncidentUserPermission.objects.filter(current(), **own).values("user"))
    let_in |= Q(groups__in=IncidentGroupPermission.objects.filter(current(), **own).values("group"))
    only = incident.restricted and not (chooser is not None and holds(chooser, incident, "manage"))
    able = let_in if only else let_in | Q(pk__in=workers().order_by().values("pk"))
    return User.objects.filter(able, is_active=True).distinct().order_by("first_name", "username")


def readable_source(user: User, slug: str) -> AlertSource:
    """The source with this slug, for somebody who may read or manage its set-up. Raises Missing or Forbidden."""
    source = sources_read_by(user).filter(slug=slug).first()
    if source is None and may(user, "view_setup"):
        raise Missing(_("There is no source %(slug)s.") % {"slug": f"{slug!s:.60}"})
    return source or source_for(user, slug)


def source_for(user: User, slug: str) -> AlertSource:
    """The source with this slug, for somebody who may manage it: by role, or by a grant. Others are told that they may
    not, whether it is there or not. Raises Missing or Forbidden."""
    source = sources_managed_by(user).filter(slug=slug).first()
    if source is not None:
        return source
    if not may(user, "manage_sources"):
        raise Forbidden(_("The permission to manage this alert source is missing."))
    raise Missing(_("There is no source %(slug)s.") % {"slug": f"{slug!s:.60}"})
