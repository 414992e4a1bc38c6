"""Every change of an incident's own fields (casework.md 6, 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import custom_values, links, mentions
from cases.actions.alert_state import findings_of, resolve_locked
from cases.actions.base import KEEP, _Keep, change, person, save, tags_of, text_of, word
from cases.actions.incident_fields import FIELDS, checked, severity_for, team_for, title_for, tlp_for
from cases.actions.incident_owners import add_owners, owners, people
from cases.actions.restriction import restrict, unrestrict
from cases.actions.seen import Expected, check_version
from cases.actions.task_access import check_required
from cases.actions.techniques import check_number
from cases.actions.template_use import TemplateRef, template_of, use
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Severity
from cases.errors import Forbidden, Refused
from cases.models import Alert, Incident, TimelineEntry
from cases.permissions import incident_for
from cases.sla import clocks
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib import clock

__all__ = ["comment", "escalate", "open_incident", "owners", "set_status", "update"]
IncidentId = str | int
# What a change of status may write.
MOVED = (
    "status", "determination", "findings", "resolve_reason", "contained_at", "resolved_at", "closed_at",
)  # fmt: skip


@transaction.atomic
def open_incident(
    actor: Actor,
    *,
    title: str = "",
    alerts: Iterable[int | str] = (),
    owners: Iterable[User | str] = (),
    lead: User | str | None = None,
    severity: Severity | str | None = None,
    summary: str = "",
    team: Team | str | _Keep | None = KEEP,
    tags: Iterable[str] = (),
    tlp: str | None = None,
    move: bool = False,
    template: TemplateRef | None = None,
    custom_fields: dict[str, Any] | None = None,
) -> Incident:
    """Open an incident by hand (no alerts) or from alerts, whose notes move to it (response-playbooks.md 7).

    Without a title, severity, team or TLP those of the first, worst, first and strictest alert are taken; a template
    counts as one more alert for severity and TLP, and gives its tags and tasks (casework.md 10).

    Raises Conflict when an alert already has an incident and ``move`` is False."""
    if actor.user is not None and not may(actor.user, "work_cases"):
        raise Forbidden(_("To open an incident the permission to work on cases is missing."))
    locked = links.lock_alerts(actor, alerts)
    links.refuse_linked(actor, locked, move=move)
    wanted = people([*owners, *([lead] if lead else [])])
    kit = template_of(template) if template else None
    now = clock.now()
    incident = Incident.objects.create(
        title=title_for(title, locked),
        summary=text_of(summary or "", "summary", required=False),
        severity=severity_for(severity, locked, kit),
        team=team_for(team, locked),
        tags=tags_of(list(tags)),
        techniques=sorted({technique for alert in locked for technique in alert.techniques}),
        tlp=tlp_for(tlp, locked, kit),
        opened_by=actor.name[:200],
        created_at=now,
        updated_at=now,
        **({"cause": locked[0].cause} if locked else {}),
    )
    numbers = [alert.number for alert in locked]
    named = mentions.read(actor, incident, incident.summary)
    named.keep(timeline.record("incident.opened", incident, actor, data={"alerts": numbers, **named.data}))
    links.attach(actor, incident, locked, announce=False)
    if kit:
        use(actor, incident, kit)
    if custom_fields and custom_values.put(actor, incident, custom_fields):
        save(incident, "custom_fields")
    if wanted:
        add_owners(actor, incident, wanted, person(lead) if lead else None)
    clocks.start(incident, taken=bool(wanted))
    return incident


def escalate(
    actor: Actor,
    alert_id: int | str,
    *,
    title: str | None = None,
    owners: Iterable[User | str] = (),
    template: TemplateRef | None = None,
) -> Incident:
    """Open an incident from one alert, without leaving it (casework.md 4)."""
    return open_incident(actor, title=title or "", alerts=[alert_id], owners=owners, template=template)


@transaction.atomic
def update(
    actor: Actor, incident_id: IncidentId, *, changes: dict[str, Any], expected_version: Expected = None
) -> Incident:
    """Several fields at once, all or nothing (PATCH). ``restricted`` needs the level ``manage``. Raises Refused for one
    that breaks a rule."""
    for name in changes:
        if name not in FIELDS:
            raise Refused(
                _("%(name)s cannot be changed. These can: %(fields)s.")
                % {"name": f"{name!s:.40}", "fields": ", ".join(FIELDS)},
                field=str(name),
            )
    incident = _working_on(actor, incident_id, expected_version)
    values = checked(changes)
    if incident.status >= IncidentStatus.RESOLVED and values.get("determination") == Determination.UNKNOWN:
        raise Refused(_("A resolved incident needs a determination other than unknown."), field="determination")
    check_number(incident, values.get("techniques", []))
    changed = [name for name, value in values.items() if _set(actor, incident, name, value)]
    if {"determination", "findings"} & changes.keys():
        kept = "" if "determination" in changed else incident.findings
        finding = findings_of(Determination(incident.determination), changes.get("findings") or kept)
        changed += ["findings"] if change(incident, actor, "findings", finding) else []
    if changes.get("custom_fields") is not None:
        changed += ["custom_fields"] if custom_values.put(actor, incident, changes["custom_fields"]) else []
    if changed:
        save(incident, *changed)
    if "severity" in changed:
        clocks.follow(incident)
    if "restricted" in changes:
        switch = restrict if changes["restricted"] else unrestrict
        incident = switch(actor, incident.pk, reason="" if "status" in changes else changes.get("reason") or "")
    if "status" in changes:
        return set_status(
            actor,
            incident.pk,
            changes["status"],
            reason=changes.get("reason") or "",
            resolve_alerts=bool(changes.get("resolve_alerts", True)),
        )
    return incident


@transaction.atomic
def set_status(
    actor: Actor,
    incident_id: IncidentId,
    status: IncidentStatus | str,
    *,
    determination: Determination | str | None = None,
    findings: str = "",
    reason: str = "",
    resolve_alerts: bool = True,
    expected_version: Expected = None,
) -> Incident:
    """Move the incident on. Resolving and closing need a determination and the level *close*, and resolve
    its open alerts with it unless ``resolve_alerts`` is False (rulings 4). Leaving them is a reopening.

    Raises Conflict that names the required tasks that are still open, or the required fields without a value
    (casework.md 6, 10)."""
    wanted: IncidentStatus = word(IncidentStatus, status, "status")
    ends = not wanted.is_open
    incident = _working_on(actor, incident_id, expected_version, level="close" if ends else "edit")
    if ends:
        check_required(incident)
        custom_values.check_required_fields(incident)
    why = text_of(reason or "", "reason", most=5000, required=False)
    old = IncidentStatus(incident.status)
    before = incident.timeline_count
    if determination is not None and determination != "":
        _judge(actor, incident, determination, findings)
    if ends and incident.determination == Determination.UNKNOWN:
        raise Refused(_("Resolving needs a determination other than unknown."), field="determination")
    if old != wanted:
        _move(actor, incident, wanted, why)
    elif ends and why:
        change(incident, actor, "resolve_reason", why)
    if incident.timeline_count > before:
        save(incident, *MOVED)
    if old != wanted:
        clocks.follow(incident, taken=actor.is_person and wanted != IncidentStatus.OPEN)
    if ends and resolve_alerts:
        _resolve_alerts(actor, incident, why)
    return incident


@transaction.atomic
def comment(actor: Actor, incident_id: IncidentId, text: str, *, kind: str = "comment") -> TimelineEntry:
    """Write a note (``comment``) or a hand-over note (``handoff``)."""
    if kind not in ("comment", "handoff"):
        raise Refused(_("A note is a comment or a handoff."), field="kind")
    body = text_of(text)
    incident = incident_for(actor, incident_id, level="comment", lock=True)
    named = mentions.read(actor, incident, body)
    entry = timeline.record(kind, incident, actor, text=body, data=named.data, touch=True)
    named.keep(entry)
    return entry


def _set(actor: Actor, incident: Incident, name: str, value: Any) -> bool:
    """One field of a locked incident; a summary may name people."""
    if name == "summary":
        return mentions.rewrite_summary(actor, incident, value)
    return change(incident, actor, name, value)


def _working_on(actor: Actor, incident_id: IncidentId, expected_version: Expected, level: str = "edit") -> Incident:
    incident = incident_for(actor, incident_id, level=level, lock=True)
    check_version(incident, expected_version)
    return incident


def _judge(actor: Actor, incident: Incident, determination: Determination | str, findings: str) -> None:
    """Another verdict takes the findings of the former one away, unless it comes with its own."""
    verdict: Determination = word(Determination, determination, "determination")
    changed = change(incident, actor, "determination", verdict)
    change(incident, actor, "findings", findings_of(verdict, findings or ("" if changed else incident.findings)))


def _move(actor: Actor, incident: Incident, status: IncidentStatus, reason: str) -> None:
    reopened = status.is_open and not IncidentStatus(incident.status).is_open
    kind = "incident.reopened" if reopened else "changed"
    change(incident, actor, "status", status, reason=reason, kind=kind)
    incident.resolve_reason = "" if status.is_open else reason or incident.resolve_reason
    _stamp(incident, status)


def _stamp(incident: Incident, status: IncidentStatus) -> None:
    """Times of the first containment and of the last ending; a reopening clears the ending."""
    now = clock.now()
    if status.is_open:
        incident.resolved_at = None
    if status == IncidentStatus.CONTAINED and incident.contained_at is None:
        incident.contained_at = now
    if status >= IncidentStatus.RESOLVED:
        incident.resolved_at = incident.resolved_at or now
    incident.closed_at = now if status == IncidentStatus.CLOSED else None


def _resolve_alerts(actor: Actor, incident: Incident, reason: str) -> None:
    """With the rights of the incident: whoever may close it may end its alerts, of whatever team."""
    rows = Alert.objects.filter(incident=incident).open().select_for_update(of=("self",)).order_by("pk")
    for alert in rows:
        # Without its number: the alert may be seen by people who may not see the incident (access.md 4).
        why = reason or "Resolved with its incident"
        resolve_locked(actor, alert, Determination(incident.determination), incident.findings, why)
