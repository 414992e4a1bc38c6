"""Which entries an endpoint is sent: by kind and filter, never more than its owner may see, and within its TLP."""

from __future__ import annotations

from cases.models import Alert, Incident, TimelineEntry, WebhookEndpoint
from cases.timeline import Subject
from cases.timeline_kinds import KINDS
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.messages import may_carry

ALL, GROUP = "all", "group:"
GROUPS = ("notes", "changes", "playbooks", "servicenow")


def choices() -> list[str]:
    """Everything that ``kinds`` may name."""
    return [ALL, *(f"{GROUP}{name}" for name in GROUPS), *KINDS]


def wants(endpoint: WebhookEndpoint, entry: TimelineEntry, subject: Subject) -> bool:
    """Whether the entry fits the kinds and filters. A filter by source lets no entry of an incident through."""
    kind = KINDS.get(entry.kind)
    named = {ALL, entry.kind, f"{GROUP}{kind.group}" if kind else ""}
    if not named.intersection(endpoint.kinds):
        return False
    if endpoint.team_id is not None and subject.team_id != endpoint.team_id:
        return False
    if endpoint.source_id is not None and getattr(subject, "source_id", None) != endpoint.source_id:
        return False
    return endpoint.least_severity is None or subject.severity >= endpoint.least_severity


def may_own(owner: User) -> bool:
    """Whether this account may still have things sent: it is on, and both manages connectors and sees cases."""
    return may(owner, "manage_connectors") and may(owner, "view_cases")


def visible(owner: User, subjects: list[Subject]) -> set[Subject]:
    """Those of the subjects that the owner sees."""
    alerts = [one.pk for one in subjects if isinstance(one, Alert)]
    incidents = [one.pk for one in subjects if isinstance(one, Incident)]
    seen_alerts = set(_ids(Alert.objects.visible_to(owner).filter(pk__in=alerts))) if alerts else set()
    seen_incidents = set(_ids(Incident.objects.visible_to(owner).filter(pk__in=incidents))) if incidents else set()
    return {one for one in subjects if one.pk in (seen_alerts if isinstance(one, Alert) else seen_incidents)}


def withheld(endpoint: WebhookEndpoint, subject: Subject) -> str:
    """Why the endpoint may not be told of the subject, "" if it may (as channels: connectors.md 7)."""
    if may_carry(endpoint.cleared, subject.tlp):
        return ""
    return f"Not sent: it is TLP:{subject.tlp.upper()}, and {endpoint.name} is cleared up to " + (
        f"TLP:{endpoint.cleared.upper()}."
    )


def _ids(rows: object) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True))  # type: ignore[attr-defined]
