"""The alerts of an incident as its page shows them, and alerts as lines of lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum, Window
from django.urls import reverse
from django.utils.translation import gettext as _

from cases.choices import AlertStatus, Severity
from cases.merged import absorbed_entries
from cases.models import Alert, Incident
from cases.restricted_views import note_rows
from cases.views.alerts_rows import incidents_seen
from cases.views.folding import FIRST, WHOLE, fold, rest
from soar.accounts.models import User
from soar.lib import parts

Context = dict[str, Any]
OPEN_NAMED = 5
IS_OPEN = Q(status__lt=AlertStatus.RESOLVED)


def alerts(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """The linked alerts, worst first. Whoever sees the incident sees them here (rulings 21)."""
    shown = shown_alerts(incident, whole=whole)[: WHOLE if whole else FIRST]
    return {
        "alerts": [{**alert_row(alert, {incident.pk}), **_labels(alert)} for alert in shown],
        "alerts_fold": fold("alerts", len(shown), incident.alert_count, whole=whole),
        "alerts_more": rest(incident.alert_count, whole=whole),
        "queue_url": f"{reverse('alert-list')}?incident={incident.number}&status=any",
    }


def shown_alerts(incident: Incident, *, whole: bool = False) -> list[Alert]:
    """The linked alerts that the page shows, worst first, read once; each with the sums of all of them."""
    known: list[Alert] | None = incident.__dict__.get("shown_alerts")
    if known is None or (whole and len(known) == FIRST):
        known = incident.__dict__["shown_alerts"] = list(_with_sums(incident)[: WHOLE if whole else FIRST])
    return known


def _with_sums(incident: Incident) -> QuerySet[Alert]:
    rows = Alert.objects.filter(incident=incident).order_by("-severity", "-id").with_line_data()
    entries, is_open = Window(Sum("timeline_count")), Window(Count("pk", filter=IS_OPEN))
    return rows.annotate(all_entries=entries, all_open=is_open)


def _sum(incident: Incident, name: str) -> int:
    shown = shown_alerts(incident)
    return int(getattr(shown[0], name)) if shown else 0


def stream_counts(incident: Incident) -> str:
    """As ``timeline_read.cursor_of_incident``, from the alerts that the page reads anyhow."""
    return f"{incident.timeline_count + absorbed_entries(incident)}-{_sum(incident, 'all_entries')}"


def open_alerts(incident: Incident) -> int:
    """How many linked alerts are open."""
    return _sum(incident, "all_open")


def still_open(incident: Incident) -> list[str]:
    """Numbers of open alerts of an incident that ended: left open, or reopened by a repeat, which leaves the incident
    as it is (rulings 16)."""
    if not open_alerts(incident):
        return []
    rows = Alert.objects.filter(incident=incident).open().order_by("-severity", "-id")
    return [alert.number for alert in rows.only("pk")[:OPEN_NAMED]]


def alert_rows(user: User, found: Sequence[tuple[Alert, str]]) -> list[Context]:
    """Alerts as lines of a list for this reader, each with why it is there ("" for none). What of them is restricted is
    noted as seen."""
    note_rows(user, [alert for alert, _why in found])
    seen = incidents_seen(user, [alert for alert, _why in found])
    return [alert_row(alert, seen, why) for alert, why in found]


def alert_row(alert: Alert, seen: Collection[int], why: str = "") -> Context:
    """An alert as a line of a list. ``seen`` are the incidents that the reader may know of (access.md 4)."""
    return {
        "pk": alert.pk,
        "number": alert.number,
        "title": alert.title,
        "url": f"/alerts/{alert.number}/",
        "severity": parts.sev(Severity(alert.severity).word, hidden=True),
        "resolved": not AlertStatus(alert.status).is_open,
        "about": alert.hostname or alert.username or alert.source_ip,
        "age": parts.ago(alert.received_at),
        "incident": f"INC-{alert.incident_id}" if alert.incident_id in seen else "",
        "linked": alert.incident_id is not None,
        "why": why,
    }


def _labels(alert: Alert) -> Context:
    """What its buttons are called."""
    return {
        "run_label": _("Run a playbook on %s") % alert.number,
        "unlink_label": _("Unlink %s") % alert.number,
    }
