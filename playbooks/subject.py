"""What a playbook is given: the alert or incident as a dict with the keys of the contract's JSON, and ``raw``.

Costly keys are loaded when first asked for. What could change of the subject is taken from the run's own
``input``, so that a run that begins again sees what it saw the first time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings

from cases import asset_facts
from cases.choices import AlertStatus, Determination, IncidentStatus, Risk, Severity
from cases.models import Alert, AlertPayload, Incident, IncidentObservable
from playbooks.models import Run
from soar.lib.clock import iso
from soar.lib.database import prepared

Loader = Callable[[], Any]
OF_ALERT = (
    "SELECT o.type, o.value, o.risk FROM cases_alertobservable l JOIN cases_observable o ON o.id = l.observable_id"
    " WHERE l.alert_id = %s ORDER BY l.id"
)


class SubjectView(dict[str, Any]):
    """A dict, some of whose keys are loaded when first read. ``soar_reference`` stands for it in records."""

    def __init__(self, fields: Mapping[str, Any], lazy: Mapping[str, Loader], reference: str) -> None:
        super().__init__(fields)
        self._lazy = dict(lazy)
        self.soar_reference = reference

    def with_loaders(self, wrap: Callable[[str, Loader], Loader]) -> SubjectView:
        """The same, with every loader replaced by what ``wrap`` makes of it."""
        lazy = {key: wrap(key, load) for key, load in self._lazy.items()}
        return SubjectView(dict(super().items()), lazy, self.soar_reference)

    def __missing__(self, key: str) -> Any:
        if key not in self._lazy:
            raise KeyError(key)
        self[key] = value = self._lazy.pop(key)()
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's; loads what is not loaded yet."""
        return self[key] if key in self else default  # noqa: SIM401  this is get

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._lazy

    def _all(self) -> None:
        for key in list(self._lazy):
            self[key]

    def __iter__(self) -> Iterator[str]:
        self._all()
        return super().__iter__()

    def __len__(self) -> int:
        return super().__len__() + len(self._lazy)

    def keys(self) -> Any:
        """As a dict's; everything is loaded."""
        self._all()
        return super().keys()

    def values(self) -> Any:
        """As a dict's; everything is loaded."""
        self._all()
        return super().values()

    def items(self) -> Any:
        """As a dict's; everything is loaded."""
        self._all()
        return super().items()


def alert_state(alert: Alert) -> dict[str, Any]:
    """What may change of an alert while a playbook runs (source, team and owner are joined)."""
    return {
        "count": alert.count,
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "status": AlertStatus(alert.status).word,
        "determination": Determination(alert.determination).word,
        "owner": alert.owner.username if alert.owner else None,
        "team": alert.team.name if alert.team else None,
        "last_seen": iso(alert.last_seen),
        "tags": list(alert.tags),
        "tlp": alert.tlp,
        "source_state": alert.source_state,
        "incident": f"INC-{alert.incident_id}" if alert.incident_id else None,
    }


def alert_view(alert: Alert, state: Mapping[str, Any] | None = None) -> SubjectView:
    """The alert as a playbook and its conditions see it. ``state`` is what ``alert_state`` said at the start."""
    fields = {
        "id": alert.pk,
        "number": alert.number,
        "url": f"{settings.SOAR_URL}/alerts/{alert.number}/",
        "source": alert.source.slug,
        "source_ref": alert.source_ref,
        "dedup_key": alert.dedup_key,
        "description": alert.description,
        "detection_model": alert.detection_model,
        "occurred_at": iso(alert.occurred_at),
        "first_seen": iso(alert.first_seen),
        "received_at": iso(alert.received_at),
        "hostname": alert.hostname,
        "username": alert.username,
        "source_ip": alert.source_ip,
        "techniques": list(alert.techniques),
        "external_link": alert.external_link,
        "cause": str(alert.cause),
        **(state if state is not None else alert_state(alert)),
    }
    lazy = {
        "observables": lambda: alert_observables(alert.pk),
        "assets": lambda: asset_facts.of_alert(alert.pk, alert.entities),
        "raw": lambda: alert_raw(alert.pk),
        "runs": lambda: alert_runs(alert.pk),
    }
    return SubjectView(fields, lazy, alert.number)


def incident_state(incident: Incident) -> dict[str, Any]:
    """The incident as a playbook sees it, without what is loaded when asked for."""
    owners = list(incident.owner_rows.select_related("user"))
    return {
        "id": incident.pk,
        "number": incident.number,
        "url": f"{settings.SOAR_URL}/incidents/{incident.number}/",
        "title": incident.title,
        "summary": incident.summary,
        "severity": Severity(incident.severity).word,
        "status": IncidentStatus(incident.status).word,
        "determination": Determination(incident.determination).word,
        "owners": [row.user.username for row in owners],
        "lead": next((row.user.username for row in owners if row.lead), None),
        "team": incident.team.name if incident.team else None,
        "tags": list(incident.tags),
        "techniques": list(incident.techniques),
        "tlp": incident.tlp,
        "alert_count": incident.alert_count,
        "created_at": iso(incident.created_at),
        "cause": str(incident.cause),
    }


def incident_view(incident: Incident, state: Mapping[str, Any] | None = None) -> SubjectView:
    """The incident as a playbook and its conditions see it."""
    lazy = {
        "alerts": lambda: incident_alerts(incident.pk),
        "observables": lambda: incident_observables(incident.pk),
    }
    return SubjectView(state if state is not None else incident_state(incident), lazy, incident.number)


def alert_observables(alert: int) -> list[dict[str, Any]]:
    """``[{"type", "value", "risk"}]`` of an alert."""
    with prepared() as cursor:  # asked for every alert as soon as a playbook has a condition on them
        return _listed(cursor.execute(OF_ALERT, [alert], prepare=True))


def incident_observables(incident: int) -> list[dict[str, Any]]:
    """``[{"type", "value", "risk"}]`` that were put on an incident itself."""
    links = IncidentObservable.objects.filter(incident=incident).order_by("pk")
    return _listed(links.values_list("observable__type", "observable__value", "observable__risk"))


def _listed(rows: Iterable[tuple[str, str, int]]) -> list[dict[str, Any]]:
    return [{"type": type, "value": value, "risk": Risk(risk).word} for type, value, risk in rows]


def alert_raw(alert: int) -> Any:
    """The payload as it came first, parsed; the text itself if it is not JSON, ``{}`` if there is none."""
    body = AlertPayload.objects.filter(pk=alert).values_list("body", flat=True).first()
    if not body:
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def alert_runs(alert: int) -> list[dict[str, Any]]:
    """``[{"id", "playbook", "status"}]`` of the runs on an alert, newest first."""
    rows = Run.objects.filter(alert=alert).order_by("-pk").values_list("pk", "playbook__name", "status")
    return [{"id": pk, "playbook": name, "status": status} for pk, name, status in rows[:100]]


def incident_alerts(incident: int) -> list[dict[str, Any]]:
    """``[{"id", "number", "title", "severity", "status"}]`` of an incident's alerts, at most 500."""
    rows = Alert.objects.filter(incident=incident).order_by("pk").only("pk", "title", "severity", "status")[:500]
    return [
        {
            "id": row.pk,
            "number": row.number,
            "title": row.title,
            "severity": Severity(row.severity).word,
            "status": AlertStatus(row.status).word,
        }
        for row in rows
    ]
