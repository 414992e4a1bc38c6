"""An incident as tickets know it, read from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from django.conf import settings

from cases.choices import Determination, IncidentStatus, Severity
from cases.models import Alert, Incident, IncidentObservable, IncidentOwner
from cases.models.observable import AlertObservable
from cases.servicenow.rules import CaseState
from cases.servicenow.templates import NAMES
from soar.lib.text import defang

LISTED = 50


class Words(Mapping[str, str]):
    """What templates may name, looked up when one does."""

    def __init__(self, incident: Incident, owner: str) -> None:
        status, severity = IncidentStatus(incident.status), Severity(incident.severity)
        self._known: dict[str, str] = {
            "number": incident.number,
            "title": incident.title,
            "severity": str(severity.label),
            "status": str(status.label),
            "determination": str(Determination(incident.determination).label),
            "summary": incident.summary,
            "owner": owner,
            "url": f"{settings.SOAR_URL}/incidents/{incident.number}/",
        }
        self._asked: dict[str, Callable[[], str]] = {
            "team": lambda: str(incident.team or ""),
            "alerts": lambda: _alerts(incident),
            "observables": lambda: _observables(incident),
        }

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = self._asked[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


def state_of(incident: Incident) -> CaseState:
    """The incident as it is now."""
    lead = IncidentOwner.objects.filter(incident=incident, lead=True).select_related("user").first()
    return CaseState(
        number=incident.number,
        title=incident.title,
        severity=Severity(incident.severity).word,
        status=IncidentStatus(incident.status).word,
        determination=Determination(incident.determination).word,
        findings=incident.findings,
        reason=incident.resolve_reason,
        owner=lead.user.username if lead else "",
        team=str(incident.team_id or ""),
        words=Words(incident, lead.user.display_name() if lead else ""),
    )


def _alerts(incident: Incident) -> str:
    rows = Alert.objects.filter(incident=incident).order_by("pk").only("pk", "title")[:LISTED]
    return "\n".join(f"{alert.number} {alert.title}" for alert in rows)


def _observables(incident: Incident) -> str:
    by_alert = AlertObservable.objects.filter(alert__incident=incident).select_related("observable").order_by("pk")
    by_hand = IncidentObservable.objects.filter(incident=incident).select_related("observable").order_by("pk")
    found = [row.observable for rows in (by_hand, by_alert) for row in rows[:LISTED]]
    lines = dict.fromkeys(f"{one.type} {defang(one.value, one.type)}" for one in found)
    return "\n".join(list(lines)[:LISTED])
