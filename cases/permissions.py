"""The one way to fetch a thing for a person: who sees it, what they may do, and the lock, in one call."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet

from cases.actors import Actor
from cases.alert_rows import locked_alert
from cases.errors import Forbidden, Missing
from cases.models import Alert, AlertSource, Incident, IncidentGroupPermission, IncidentUserPermission
from soar.accounts.membership import may, workers
from soar.accounts.models import User

# Levels of rulings 20, each contains the former.
LEVELS = ("view", "comment", "edit", "close", "delete", "manage")
_NUMBER = re.compile(r"(?:(ALR|INC)-)?([0-9]{1,18})", re.IGNORECASE)


def parse_number(value: str | int, prefix: str) -> int:
    """``7``, ``"7"`` or ``"ALR-7"`` to 7. Raises Missing for anything else."""
    found = _NUMBER.fullmatch(str(value).strip())
    if not found or (found[1] and found[1].upper() != prefix):
        raise Missing(f"There is no {value!s:.40}.")
    return int(found[2])


def alert_for(who: Actor | User, pk: str | int, *, work: bool = False, lock: bool = False) -> Alert:
    """The alert with this id or number, if ``who`` may see it; with ``work``, if they may change it.

    ``lock`` takes the row's lock (in a transaction). Raises Missing or Forbidden."""
    user = who.user if isinstance(who, Actor) else who
    number = parse_number(pk, "ALR")
    # The former is the same, quicker, for whoever sees all: most changes of playbooks ask for it.
    alert = locked_alert(number) if user is None and lock else _seen(user, number, lock=lock)
    if alert is None:
        raise Missing(f"There is no alert {pk!s:.40}.")
    if work and user is not None and not may(user, "work_cases"):
        raise Forbidden("You may see this alert but not work on it: the permission to work on cases is missing.")
    if work and user is not None and alert.restricted and alert.incident and not holds(user, alert.incident, "edit"):
        raise Forbidden(f"You may see {alert.number} but not work on it: its incident is restricted.")
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

    ``lock`` takes the row's lock (in a transaction). Raises Missing or Forbidden."""
    user = who.user if isinstance(who, Actor) else who
    rows = Incident.objects.select_for_update(of=("self",)) if lock else Incident.objects.all()
    if user is not None:
        rows = rows.visible_to(user)
    incident: Incident | None = rows.filter(pk=parse_number(pk, "INC")).first()
    if incident is None:
        raise Missing(f"There is no incident {pk!s:.40}.")
    if user is not None and not holds(user, incident, level):
        raise Forbidden(f"You may see this incident but not {level} it.")
    return incident


def holds(user: User, incident: Incident, level: str) -> bool:
    """Whether the user holds ``level`` on an incident that they can see: by role, or by its own grants."""
    if level == "view":
        return True
    if not incident.restricted and may(user, "work_cases"):
        return LEVELS.index(level) <= LEVELS.index("close") or may(user, "manage_people")
    if user.token_scopes is not None and "work_cases" not in user.token_scopes:
        return False  # a grant gives the person a level, not the token that was made for less
    wanted = [f"{name}_incident" for name in LEVELS[LEVELS.index(level) :]]
    groups = user.groups.all()
    return (
        incident.incidentuserpermission_set.filter(user=user, permission__codename__in=wanted).exists()
        or incident.incidentgrouppermission_set.filter(group__in=groups, permission__codename__in=wanted).exists()
    )


def owners_for(incident: Incident) -> QuerySet[User]:
    """Who can own an incident, by name: people who may work on cases, and those whom its own grants let in to do more
    than read. Owning gives sight of it (rulings 21), but not of a restricted one: there only its grants count."""
    own = {"content_object": incident, "permission__codename__in": [f"{name}_incident" for name in LEVELS[1:]]}
    let_in = Q(pk__in=IncidentUserPermission.objects.filter(**own).values("user"))
    let_in |= Q(groups__in=IncidentGroupPermission.objects.filter(**own).values("group"))
    able = let_in if incident.restricted else let_in | Q(pk__in=workers().order_by().values("pk"))
    return User.objects.filter(able, is_active=True).distinct().order_by("first_name", "username")


def source_for(user: User, slug: str) -> AlertSource:
    """The source with this slug, for somebody who may manage sources. Raises Missing or Forbidden."""
    if not may(user, "manage_sources"):
        raise Forbidden("The permission to manage alert sources is missing.")
    source = AlertSource.objects.filter(slug=slug).first()
    if source is None:
        raise Missing(f"There is no source {slug!s:.60}.")
    return source
