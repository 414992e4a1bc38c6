"""Whom an entry of the timeline concerns, and why. Whether they may see it is asked afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from cases.models import (
    Alert,
    Incident,
    IncidentGroupPermission,
    IncidentOwner,
    IncidentTask,
    IncidentUserPermission,
    TimelineEntry,
)
from cases.notifications.choices import followers
from cases.notifications.reasons import REASONS
from soar.accounts.membership import workers
from soar.accounts.models import User
from soar.accounts.models.grant import current

Found = Iterable[tuple[str, Iterable[int]]]
TOLD_AT_MOST = 200
MENTIONS_AT_MOST = 200  # the members of teams that are named are among them
NOTES = frozenset({"comment", "handoff", "event"})
NAMING = frozenset({"comment.edited", "incident.opened"})  # that may mention somebody, and tell nobody else
SLA = frozenset({"sla.at_risk", "sla.breached"})
TICKETS = frozenset({"servicenow.conflict", "servicenow.failed", "servicenow.broken"})
STATUS = frozenset({"alert.resolved", "alert.reopened", "incident.reopened", "incident.merged_into"})
ACCESS = frozenset({"access.granted", "access.changed"})
TASKS = frozenset({"task.added", "task.assigned"})
WORKING = [f"{level}_incident" for level in ("edit", "close", "delete", "manage")]


class Concerned:
    """Asks for each entry of one call of the reader; what is asked again for the same subject is kept."""

    def __init__(self) -> None:
        self._owners: dict[int, dict[int, str]] = {}
        # (entry, person): whom the approval itself mails, whatever they chose.
        self.mailed: set[tuple[int, int]] = set()

    def of(self, entry: TimelineEntry) -> dict[int, str]:
        """The reason for each person (by id), the strongest only; never whoever did it themselves."""
        found: dict[int, str] = {}
        reasons = {name: set(people) for name, people in self._all(entry)}
        for name in REASONS:
            for pk in sorted(reasons.get(name, ())):
                found.setdefault(pk, name)
        if entry.actor_type == "user" and entry.actor_id is not None:
            found.pop(entry.actor_id, None)
        return found

    def _all(self, entry: TimelineEntry) -> Found:
        yield "mention", _mentioned(entry)
        for kinds, ask in self._asked():
            if entry.kind in kinds:
                yield from ask(entry)

    def _asked(self) -> tuple[tuple[frozenset[str], Callable[[TimelineEntry], Found]], ...]:
        return (
            (NOTES, lambda entry: [("comment", self.near(entry))]),
            (frozenset({"changed"}), self._changed),
            (frozenset({"incident.owners"}), self._joined),
            (frozenset({"approval.requested"}), self._approvers),
            (frozenset({"run.needs_decision"}), lambda entry: [("approval", self.owners(entry))]),
            (SLA, lambda entry: [("sla", self._late(entry))]),
            (TICKETS, lambda entry: [("conflict", self.near(entry) if _still_open(entry) else ())]),
            (TASKS, _assignee),
            (ACCESS, _let_in),
            (frozenset({"access.glass_broken"}), lambda entry: [("glass", {*self.owners(entry), *_managing(entry)})]),
            (STATUS, lambda entry: [("status", self.near(entry))]),
        )

    def owners(self, entry: TimelineEntry) -> set[int]:
        """Who owns the alert or incident now."""
        if entry.alert is not None:
            return {entry.alert.owner_id} if entry.alert.owner_id else set()
        return set(self._owner_names(entry.incident_id or 0))

    def near(self, entry: TimelineEntry) -> set[int]:
        """Who owns it, and who follows it."""
        return self.owners(entry) | (followers(entry.incident) if entry.incident else set())

    def _late(self, entry: TimelineEntry) -> set[int]:
        """Whom a target is for: who owns or follows it. Where nobody owns it the team too, and where there is none, or
        nobody of it may work on cases, whoever may: somebody has to hear of it who can act."""
        if _active(Q(pk__in=self.owners(entry))):
            return self.near(entry)
        team = _team_of(entry)
        return self.near(entry) | team | (set() if _may_take(entry, team) else _may_take(entry))

    def _changed(self, entry: TimelineEntry) -> Found:
        field, new = entry.data.get("field"), entry.data.get("new")
        if field == "owner" and entry.alert is not None and entry.alert.owner is not None:
            # As it was written; who lost it again meanwhile is not told of it.
            yield "assigned", {entry.alert.owner.pk} if _is(entry.alert.owner, entry.data.get("new_id"), new) else ()
        elif field == "team" and new:
            yield "team", _team_of(entry)
        elif field == "status":
            yield "status", self.near(entry)

    def _joined(self, entry: TimelineEntry) -> Found:
        data, owners = entry.data, self._owner_names(entry.incident_id or 0)
        if "added_ids" in data or "lead_id" in data:
            yield "assigned", owners.keys() & {*(data.get("added_ids") or []), data.get("lead_id")}
            return
        wanted = {*_names(data.get("added")), *_names([data.get("lead")])}  # as older entries have it
        yield "assigned", {pk for pk, name in owners.items() if name in wanted}

    def _approvers(self, entry: TimelineEntry) -> Found:
        """Those whom the playbooks' side names (``settings.NOTIFICATION_APPROVERS``)."""
        pk = entry.data.get("approval")
        if isinstance(pk, int):
            asked: dict[int, bool] = import_string(settings.NOTIFICATION_APPROVERS)(pk, entry.alert_id)
            self.mailed |= {(entry.pk, user) for user, mailed in asked.items() if mailed}
            yield "approval", asked

    def _owner_names(self, incident: int) -> dict[int, str]:
        if incident not in self._owners:
            rows = IncidentOwner.objects.filter(incident=incident).select_related("user")
            self._owners[incident] = {row.user_id: row.user.display_name() for row in rows}
        return self._owners[incident]


def _is(user: User, pk: Any, name: Any) -> bool:
    """Whether an entry means this person: by id, since two may have one name; by name in older entries."""
    return user.display_name() == name if pk is None else user.pk == int(pk)


def _names(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _mentioned(entry: TimelineEntry) -> list[int]:
    ids = entry.data.get("mentions")
    return [pk for pk in ids if isinstance(pk, int)][:MENTIONS_AT_MOST] if isinstance(ids, list) else []


def _assignee(entry: TimelineEntry) -> Found:
    task = IncidentTask.objects.filter(pk=entry.data.get("id") or 0, incident=entry.incident_id).first()
    key = "new" if entry.kind == "task.assigned" else "assignee"
    named, pk = entry.data.get(key), entry.data.get(f"{key}_id")
    if task is not None and task.assignee is not None and _is(task.assignee, pk, named):
        yield "task", {task.assignee.pk}


def _let_in(entry: TimelineEntry) -> Found:
    """By user name, or everybody of the team or role. What a rule gave is told by what made the rule hold."""
    data = entry.data
    if data.get("rule"):
        return
    by_name = Q(username=data["user"]) if data.get("user") else Q(pk__in=[])
    group = str(data.get("group") or "")
    by_group = Q(groups__name=group) | Q(groups__team__name=group) if group else Q(pk__in=[])
    yield "access", _active(by_name | by_group)


def _managing(entry: TimelineEntry) -> set[int]:
    rows = IncidentUserPermission.objects.filter(
        current(), content_object=entry.incident_id, permission__codename="manage_incident"
    )
    return set(rows.values_list("user_id", flat=True))


def _team_of(entry: TimelineEntry) -> set[int]:
    subject: Alert | Incident | None = entry.alert or entry.incident
    team = subject.team if subject is not None else None
    return _active(Q(groups=team.group_id)) if team is not None else set()


def _may_take(entry: TimelineEntry, among: set[int] | None = None) -> set[int]:
    """People who could own it, all or those ``among`` these: of a restricted incident those whom its grants let in to
    work on it. Whether they see it is asked afterwards."""
    people = workers()
    if entry.incident is not None and entry.incident.restricted:
        own = {"content_object": entry.incident, "permission__codename__in": WORKING}
        users = IncidentUserPermission.objects.filter(current(), **own).values("user")
        groups = IncidentGroupPermission.objects.filter(current(), **own).values("group")
        people = User.objects.filter(Q(pk__in=users) | Q(groups__in=groups), is_active=True).order_by("pk")
    able = people.filter(is_service=False) if among is None else people.filter(pk__in=among)
    return set(able.values_list("pk", flat=True).distinct()[:TOLD_AT_MOST])


def _active(who: Q) -> set[int]:
    people = User.objects.filter(who, is_active=True, is_service=False).order_by("pk")
    return set(people.values_list("pk", flat=True).distinct()[:TOLD_AT_MOST])


def _still_open(entry: TimelineEntry) -> bool:
    """A conflict that a rule decided at once is no question to anybody."""
    return not entry.data.get("outcome")
