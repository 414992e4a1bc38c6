"""Takes the demo data away again, through the purge; what others use by now stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from cases.demo import extras, inventory
from cases.demo.seeding import REMOVED, SEEDED, one_at_a_time
from cases.demo.stage import parts
from cases.holds import held_among
from cases.models import Alert, AlertSource, Incident, TimelineEntry, WebhookEndpoint
from cases.purge import purge
from soar.accounts import audit
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.intelligence import actions as lists


@dataclass(slots=True)
class Removed:
    """How much was removed, and the names of what stayed because others use it."""

    alerts: int = 0
    incidents: int = 0
    kept: list[str] = field(default_factory=list)


@transaction.atomic
def remove() -> Removed | None:
    """Remove alerts, incidents, assets, playbooks, list entries, sources, people and teams of the demo; None if there
    are none.

    A real incident that has a demo alert keeps its timeline, with an entry that the alert left. A source that got
    other alerts stays, with those, and so does an incident on legal hold. A person who acted on something that stays is
    deactivated, not deleted."""
    one_at_a_time()
    if not AlertSource.objects.filter(demo=True).exists():
        return None
    made = _last(SEEDED)
    incidents = list(Incident.objects.filter(demo=True).values_list("pk", flat=True))
    held = set(held_among(Incident.objects.values_list("pk", flat=True)))
    alerts = set(_last("demo.alerts").get("alerts", []))
    alerts -= set(Alert.objects.filter(incident__in=held).values_list("pk", flat=True))
    gone = purge(None, alerts=alerts, incidents=set(incidents) - held, reason="demo data removed")
    removed = Removed(gone.alerts, gone.incidents, inventory.unstock())
    removed.kept += [f"INC-{pk} (legal hold)" for pk in sorted(held & set(incidents))]
    for entry in made.get("own_list", []):
        lists.remove_own(None, entry)
    removed.kept += extras.undefine(made.get("fields", []))
    for part in parts():
        removed.kept += part.remove()
    _sources(removed)
    _people(made.get("users", []), removed)
    _teams(made.get("teams", []), removed)
    audit.record(None, REMOVED, "demo data", alerts=gone.alerts, incidents=gone.incidents, kept=removed.kept)
    return removed


def _last(verb: str) -> dict[str, Any]:
    """What the last seeding wrote down under ``verb``."""
    entry = AuditEntry.objects.filter(verb=verb).order_by("-pk").first()
    return dict(entry.data) if entry else {}


def _sources(removed: Removed) -> None:
    for source in AlertSource.objects.filter(demo=True):
        if source.alerts.exists() or WebhookEndpoint.objects.filter(source=source).exists():
            AlertSource.objects.filter(pk=source.pk).update(demo=False)
            removed.kept.append(source.name)
        else:
            source.delete()


def _people(ids: list[int], removed: Removed) -> None:
    for user in User.objects.filter(pk__in=ids):
        if _acted(user) or not _deleted(user):
            User.objects.filter(pk=user.pk).update(is_active=False)
            removed.kept.append(f"{user.username} (deactivated)")


def _acted(user: User) -> bool:
    """Whether something that stays bears their name: a timeline that is left, or the audit log."""
    wrote = TimelineEntry.objects.filter(actor_type="user", actor_id=user.pk)
    return wrote.exists() or AuditEntry.objects.filter(actor_id=user.pk).exists()


def _deleted(user: User) -> bool:
    """Delete them, unless the database says that something else refers to them."""
    try:
        with transaction.atomic():
            user.delete()
    except ProtectedError:
        return False
    return True


def _teams(ids: list[int], removed: Removed) -> None:
    for team in Team.objects.filter(pk__in=ids).select_related("group"):
        used = team.group.user_set.exclude(is_active=False).exists() or team.alerts.exists()
        used = used or team.incidents.exists() or team.sources.exists()
        used = used or WebhookEndpoint.objects.filter(team=team).exists()
        if used:
            removed.kept.append(team.name)
        else:
            team.group.delete()
