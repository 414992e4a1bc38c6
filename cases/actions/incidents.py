"""Every change of an incident's own fields (casework.md 6, 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from cases import timeline
from cases.actions import links
from cases.actions.alert_update import tlp_of
from cases.actions.alerts import findings_of
from cases.actions.base import (
    KEEP,
    _Keep,
    change,
    check_version,
    person,
    save,
    tags_of,
    team_of,
    text_of,
    word,
)
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Pap, Severity
from cases.errors import Forbidden, Refused
from cases.models import Alert, Incident, IncidentOwner, TimelineEntry
from cases.models.incident import OWNERS_AT_MOST
from cases.permissions import incident_for
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib import clock

IncidentId = str | int
FIELDS = (
    "title", "summary", "severity", "status", "determination", "findings", "team", "tlp", "pap", "tags",
    "techniques", "reason", "resolve_alerts",
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
) -> Incident:
    """Open an incident by hand (no alerts) or from alerts, whose notes move to it (response-playbooks.md 7).

    Without a title, severity, team or TLP those of the first, worst, first and strictest alert are taken.
    Raises Conflict when an alert already has an incident and ``move`` is False."""
    if actor.user is not None and not may(actor.user, "work_cases"):
        raise Forbidden("To open an incident the permission to work on cases is missing.")
    locked = links.lock_alerts(actor, alerts)
    links.refuse_linked(actor, locked, move=move)
    people = _people([*owners, *([lead] if lead else [])])
    now = clock.now()
    incident = Incident.objects.create(
        title=_title(title, locked),
        summary=text_of(summary or "", "summary", required=False),
        severity=_severity(severity, locked),
        team=_team(team, locked, actor),
        tags=tags_of(list(tags)),
        techniques=sorted({technique for alert in locked for technique in alert.techniques}),
        tlp=_tlp(tlp, locked),
        opened_by=actor.name[:200],
        created_at=now,
        updated_at=now,
        **({"cause": locked[0].cause} if locked else {}),
    )
    numbers = [alert.number for alert in locked]
    timeline.record("incident.opened", incident, actor, data={"alerts": numbers})
    links.attach(actor, incident, locked, announce=False)
    if people:
        _add_owners(actor, incident, people, person(lead) if lead else None)
    return incident


def escalate(
    actor: Actor, alert_id: int | str, *, title: str | None = None, owners: Iterable[User | str] = ()
) -> Incident:
    """Open an incident from one alert, without leaving it (casework.md 4)."""
    return open_incident(actor, title=title or "", alerts=[alert_id], owners=owners)


@transaction.atomic
def update(
    actor: Actor, incident_id: IncidentId, *, changes: dict[str, Any], expected_version: int | None = None
) -> Incident:
    """Several fields at once, all or nothing (PATCH). Raises Refused for one that breaks a rule."""
    for name in changes:
        if name not in FIELDS:
            raise Refused(f"{name!s:.40} cannot be changed. These can: {', '.join(FIELDS)}.", field=str(name))
    incident = _working_on(actor, incident_id, expected_version)
    checked = {name: _checked(name, value) for name, value in changes.items() if name in _CHECKS}
    if incident.status >= IncidentStatus.RESOLVED and checked.get("determination") == Determination.UNKNOWN:
        raise Refused("A resolved incident needs a determination other than unknown.", field="determination")
    changed = [name for name, value in checked.items() if change(incident, actor, name, value)]
    if {"determination", "findings"} & changes.keys():
        kept = "" if "determination" in changed else incident.findings
        finding = findings_of(Determination(incident.determination), changes.get("findings") or kept)
        changed += ["findings"] if change(incident, actor, "findings", finding) else []
    if changed:
        save(incident, *changed)
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
    expected_version: int | None = None,
) -> Incident:
    """Move the incident on. Resolving and closing need a determination and the level *close*, and resolve
    its open alerts with it unless ``resolve_alerts`` is False (rulings 4). Leaving them is a reopening."""
    wanted: IncidentStatus = word(IncidentStatus, status, "status")
    ends = not wanted.is_open
    incident = _working_on(actor, incident_id, expected_version, level="close" if ends else "edit")
    why = text_of(reason or "", "reason", most=5000, required=False)
    old = IncidentStatus(incident.status)
    before = incident.timeline_count
    if determination is not None and determination != "":
        verdict: Determination = word(Determination, determination, "determination")
        changed = change(incident, actor, "determination", verdict)
        change(
            incident,
            actor,
            "findings",
            findings_of(verdict, findings or ("" if changed else incident.findings)),
        )
    if ends and incident.determination == Determination.UNKNOWN:
        raise Refused("Resolving needs a determination other than unknown.", field="determination")
    if old != wanted:
        kind = "incident.reopened" if wanted.is_open and not old.is_open else "changed"
        change(incident, actor, "status", wanted, reason=why, kind=kind)
        incident.resolve_reason = (why or incident.resolve_reason) if ends else ""
        _stamp(incident, wanted)
    if incident.timeline_count > before:
        save(
            incident,
            "status",
            "determination",
            "findings",
            "resolve_reason",
            "contained_at",
            "resolved_at",
            "closed_at",
        )
    if ends and resolve_alerts:
        _resolve_alerts(actor, incident, why)
    return incident


@transaction.atomic
def owners(
    actor: Actor,
    incident_id: IncidentId,
    *,
    add: Iterable[User | str] = (),
    remove: Iterable[User | str] = (),
    lead: User | str | _Keep | None = KEEP,
    expected_version: int | None = None,
) -> Incident:
    """Add and remove owners, at most 50, and say who leads (None: nobody). The lead becomes an owner."""
    incident = _working_on(actor, incident_id, expected_version)
    before = incident.timeline_count
    leader = lead if isinstance(lead, _Keep) else person(lead)
    joining = _people([*add, *([leader] if isinstance(leader, User) else [])])
    leaving = [getattr(user, "pk", None) for user in map(_anybody, remove)]
    gone = list(incident.owner_rows.filter(user__in=leaving).select_related("user"))
    if gone:
        IncidentOwner.objects.filter(pk__in=[row.pk for row in gone]).delete()
        names = [row.user.display_name() for row in gone]
        timeline.record("incident.owners", incident, actor, data={"removed": names})
    _add_owners(actor, incident, joining, leader)
    if incident.timeline_count > before:
        save(incident)
    return incident


@transaction.atomic
def comment(actor: Actor, incident_id: IncidentId, text: str, *, kind: str = "comment") -> TimelineEntry:
    """Write a note (``comment``) or a hand-over note (``handoff``)."""
    if kind not in ("comment", "handoff"):
        raise Refused("A note is a comment or a handoff.", field="kind")
    body = text_of(text)
    incident = incident_for(actor, incident_id, level="comment", lock=True)
    entry = timeline.record(kind, incident, actor, text=body)
    Incident.objects.filter(pk=incident.pk).update(updated_at=clock.now())
    return entry


def _working_on(actor: Actor, incident_id: IncidentId, expected_version: int | None, level: str = "edit") -> Incident:
    incident = incident_for(actor, incident_id, level=level, lock=True)
    check_version(incident, expected_version)
    return incident


def _checked(name: str, value: Any) -> Any:
    return _CHECKS[name](value)


def _pap(value: Any) -> str:
    wanted = str(value).lower().removeprefix("pap:")
    if wanted not in Pap.values:
        raise Refused(f"PAP is one of: {', '.join(Pap.values)}.", field="pap")
    return wanted


def _techniques(value: Any) -> list[str]:
    import re

    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused("Techniques are a list of ATT&CK ids.", field="techniques")
    ids = [item.strip().upper() for item in value]
    for item in ids:
        if not re.fullmatch(r"T\d{4}(\.\d{3})?", item):
            raise Refused(f"{item[:20]} is no ATT&CK technique id (T1566 or T1566.001).", field="techniques")
    return list(dict.fromkeys(ids))


_CHECKS: dict[str, Any] = {
    "title": lambda value: text_of(value, "title", most=300),
    "summary": lambda value: text_of(value, "summary", required=False),
    "severity": lambda value: word(Severity, value, "severity"),
    "determination": lambda value: word(Determination, value, "determination"),
    "team": team_of,
    "tlp": tlp_of,
    "pap": _pap,
    "tags": tags_of,
    "techniques": _techniques,
}


def _title(title: str, alerts: list[Alert]) -> str:
    given = text_of(title or "", "title", most=300, required=not alerts)
    return given or alerts[0].title[:300]


def _severity(severity: Severity | str | None, alerts: list[Alert]) -> Severity:
    if severity is not None and severity != "":  # informational is 0
        return word(Severity, severity, "severity")  # type: ignore[no-any-return]
    return Severity(max((alert.severity for alert in alerts), default=Severity.MEDIUM))


def _team(team: Team | str | _Keep | None, alerts: list[Alert], actor: Actor) -> Team | None:
    if not isinstance(team, _Keep):
        return team_of(team)
    return next((alert.team for alert in alerts if alert.team_id), None)


def _tlp(tlp: str | None, alerts: list[Alert]) -> str:
    from cases.choices import Tlp

    if tlp:
        return tlp_of(tlp)
    strictest = max((Tlp.values.index(alert.tlp) for alert in alerts), default=Tlp.values.index("amber"))
    return Tlp.values[strictest]


def _anybody(value: User | str) -> User | None:
    """A user by name even if disabled: a leaver can be removed."""
    if isinstance(value, User):
        return value
    return User.objects.filter(username=str(value)[:150].replace("\x00", "")).first()


def _people(values: Iterable[User | str]) -> list[User]:
    found = [person(value) for value in values]
    return list(dict.fromkeys(user for user in found if user))


def _add_owners(actor: Actor, incident: Incident, people: list[User], lead: User | _Keep | None) -> None:
    have = set(incident.owner_rows.values_list("user_id", flat=True))
    new = [user for user in people if user.pk not in have]
    if len(have) + len(new) > OWNERS_AT_MOST:
        raise Refused(
            f"An incident has at most {OWNERS_AT_MOST} owners; this would make {len(have) + len(new)}.",
            field="owners",
        )
    IncidentOwner.objects.bulk_create([IncidentOwner(incident=incident, user=user) for user in new])
    data: dict[str, Any] = {"added": [user.display_name() for user in new]} if new else {}
    if not isinstance(lead, _Keep):
        data |= _set_lead(incident, lead)
    if data:
        timeline.record("incident.owners", incident, actor, data=data)


def _set_lead(incident: Incident, lead: User | None) -> dict[str, Any]:
    current = incident.owner_rows.filter(lead=True).select_related("user").first()
    if (current.user if current else None) == lead:
        return {}
    incident.owner_rows.filter(lead=True).update(lead=False)
    if lead:
        incident.owner_rows.filter(user=lead).update(lead=True)
    return {
        "old_lead": current.user.display_name() if current else None,
        "lead": lead.display_name() if lead else None,
    }


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
    from cases.actions.alerts import _resolve

    rows = Alert.objects.filter(incident=incident).open().select_for_update(of=("self",)).order_by("pk")
    for alert in rows:
        why = reason or f"Resolved with {incident.number}"
        _resolve(actor, alert, Determination(incident.determination), incident.findings, why)
