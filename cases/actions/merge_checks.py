"""When incidents cannot be merged, and who would see what (casework.md 9). A merge never shows what a restricted
incident holds to anybody who could not see it before."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions.moving import Way
from cases.actions.moving.owners import joining_of
from cases.actions.sight import more_people
from cases.choices import IncidentStatus
from cases.errors import CaseError, Conflict
from cases.holds import Held, hold_of
from cases.models import (
    Evidence,
    Incident,
    IncidentGroupPermission,
    IncidentTask,
    IncidentUserPermission,
)
from cases.models.evidence import EVIDENCE_AT_MOST
from cases.models.task import TASKS_AT_MOST
from soar.accounts.models import User
from soar.accounts.models.grant import current

NAMED_AT_MOST = 5


def refusal_of(way: Way) -> CaseError | None:
    """Why ``source`` cannot be merged into ``target``; None if it can. For a merge both are locked."""
    for check in (_held, _ended, _restricted, _room):
        error = check(way.source, way.target)
        if error is not None:
            return error
    return None


def _held(source: Incident, target: Incident) -> CaseError | None:
    if hold_of(source) is None:
        return None
    text = _("%(source)s is on legal hold: nothing leaves it. Merge %(target)s into it, or have the hold lifted.")
    return Held(text % _numbers(source, target))


def _ended(source: Incident, target: Incident) -> CaseError | None:
    """Open work must not vanish in an incident that nobody works on any more."""
    if IncidentStatus(target.status).is_open or not IncidentStatus(source.status).is_open:
        return None
    text = _("%(target)s has ended and %(source)s is open: reopen %(target)s first, or merge it into %(source)s.")
    return Conflict(text % _numbers(source, target), code="incident_ended")


def _restricted(source: Incident, target: Incident) -> CaseError | None:
    if not source.restricted:
        return None
    if not target.restricted:
        text = _(
            "%(source)s is restricted and %(target)s is not: more people would see what it holds. Merge %(target)s "
            "into it, or restrict %(target)s first."
        )
        return Conflict(text % _numbers(source, target), code="would_widen")
    more = more_people(source, target)
    if not more:
        return None
    text = ngettext(
        "%(n)s person or group with access to %(target)s has less to %(source)s, or not for so long, and would see "
        "what it holds or let others in. Give it to them on %(source)s first, or take it on %(target)s.",
        "%(n)s people or groups with access to %(target)s have less to %(source)s, or not for so long, and would see "
        "what it holds or let others in. Give it to them on %(source)s first, or take it on %(target)s.",
        more,
    )
    return Conflict(text % {"n": more, **_numbers(source, target)}, code="would_widen")


def _holders(
    table: type[IncidentUserPermission | IncidentGroupPermission], column: str, incident: Incident
) -> set[int]:
    rows = table._default_manager.filter(current(), content_object=incident)
    return set(rows.values_list(f"{column}_id", flat=True))


def _room(source: Incident, target: Incident) -> CaseError | None:
    for model, most, what in (
        (IncidentTask, TASKS_AT_MOST, _("tasks")),
        (Evidence, EVIDENCE_AT_MOST, _("pieces of evidence")),
    ):
        number = model._default_manager.filter(incident__in=[source, target]).count()
        if number > most:
            text = _("An incident has at most %(most)s %(what)s; together these have %(n)s.")
            return Conflict(text % {"most": most, "what": what, "n": number}, code="too_many")
    return None


def sight_of(way: Way) -> list[str]:
    """What the merge changes of who sees what, in sentences."""
    source, target = way.source, way.target
    told = [_team(source, target)] if source.team_id != target.team_id else []
    if target.restricted and not source.restricted:
        text = _(
            "%(target)s is restricted: what moves, and the page and timeline of %(source)s, are seen only by those "
            "with access to %(target)s from then on."
        )
        told.append(text % _numbers(source, target))
    if kept := _kept_grants(source):
        text = ngettext(
            "%(n)s grant on %(source)s stays with it: it does not count for %(target)s.",
            "%(n)s grants on %(source)s stay with it: they do not count for %(target)s.",
            kept,
        )
        told.append(text % {"n": kept, **_numbers(source, target)})
    return [*told, *_people(way)]


def _team(source: Incident, target: Incident) -> str:
    text = _(
        "%(source)s belongs to %(theirs)s and %(target)s to %(ours)s: what moves is seen by those who see %(target)s."
    )
    return text % {
        "theirs": source.team or _("everybody"),
        "ours": target.team or _("everybody"),
        **_numbers(source, target),
    }


def _kept_grants(source: Incident) -> int:
    return len(_holders(IncidentUserPermission, "user", source)) + len(
        _holders(IncidentGroupPermission, "group", source)
    )


def _people(way: Way) -> list[str]:
    """Owners who see the target only because they join, and assignees who would not see their tasks any more."""
    target = way.target
    joining, _staying = joining_of(way)
    blind = [user for user in joining if not _sees(user, target)]
    told = []
    if blind:
        text = _("As owners these come to see %(target)s: %(names)s.")
        told.append(text % {"target": target.number, "names": _names(blind)})
    tasks = IncidentTask.objects.filter(incident=way.source, assignee__isnull=False).open().select_related("assignee")
    assignees = {task.assignee for task in tasks if task.assignee} - set(joining)
    lost = [user for user in assignees if not _sees(user, target)]
    if lost:
        text = _("Open tasks are assigned to people who do not see %(target)s: %(names)s.")
        told.append(text % {"target": target.number, "names": _names(lost)})
    return told


def _sees(user: User, incident: Incident) -> bool:
    return Incident.objects.visible_to(user).filter(pk=incident.pk).exists()


def _names(people: list[User]) -> str:
    listed = sorted(user.display_name() for user in people)
    return ", ".join(listed[:NAMED_AT_MOST]) + (" …" if len(listed) > NAMED_AT_MOST else "")


def _numbers(source: Incident, target: Incident) -> dict[str, str]:
    return {"source": source.number, "target": target.number}
