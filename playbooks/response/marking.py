"""How far what a run tells may go: the Traffic Light Protocol of its alert and of the incident that it is in."""

from __future__ import annotations

from cases.models import Alert, Incident
from soar.connectors.messages import rank


def tlp_of(alert: Alert | None, incident: Incident | None = None) -> str:
    """The strictest TLP word of an alert, of the incident that it is in, and of ``incident``; amber of nothing.

    An incident is often marked later and stricter than the alerts in it: what is said of them then is said of it."""
    within = alert.incident if alert is not None else None
    return max((one.tlp for one in (alert, within, incident) if one is not None), key=rank, default="amber")
