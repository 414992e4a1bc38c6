"""Takes the response part of the demo away again, once its alerts are gone."""

from __future__ import annotations

from django.db.models import Q

from cases.models import Alert, AlertSource
from playbooks import catalog
from playbooks.demo.material import MADE
from playbooks.models import DetectionModel, NeverTouch, Playbook, Script
from soar.accounts.models import AuditEntry
from soar.connectors import practice_demo
from soar.connectors.models import BlockEntry, Route


def remove() -> list[str]:
    """Remove playbooks, material and accounts. Returns the names of what stays: a playbook that ran on alerts that
    are not the demo's is put away instead."""
    made = _made()
    kept = _playbooks()
    Script.objects.filter(demo=True).delete()
    NeverTouch.objects.filter(demo=True).delete()
    BlockEntry.objects.filter(Q(pk__in=made["blocked"]) | Q(reference__in=_numbers())).delete()
    Route.objects.filter(pk__in=made["routes"]).delete()
    _models(made["models"])
    return kept + practice_demo.remove()


def _made() -> dict[str, list[int]]:
    """All ids that seedings wrote down; ids are never used again."""
    found: dict[str, list[int]] = {"models": [], "blocked": [], "routes": []}
    for data in AuditEntry.objects.filter(verb=MADE).values_list("data", flat=True):
        for name in found:
            found[name] += data.get(name, [])
    return found


def _numbers() -> list[str]:
    """Of the demo's alerts: what a playbook blocked because of one goes with it."""
    seeded = AuditEntry.objects.filter(verb="demo.alerts").order_by("-pk").first()
    return [f"ALR-{pk}" for pk in seeded.data.get("alerts", [])] if seeded else []


def _playbooks() -> list[str]:
    kept = []
    for row in Playbook.objects.filter(demo=True):
        if row.runs.exists():
            Playbook.objects.filter(pk=row.pk).update(demo=False, present=False, enabled=False)
            kept.append(f"{row.name} (put away)")
        else:
            Playbook.objects.filter(pk=row.pk).update(current=None)
            row.delete()
    catalog.bump()
    return kept


def _models(custom: list[int]) -> None:
    """Models that only the demo's sources named, and the one that was entered."""
    named = Alert.objects.exclude(detection_model="").values_list("detection_model", flat=True).distinct()
    left = {name.lower() for name in named}
    sources = list(AlertSource.objects.filter(demo=True).values_list("name", flat=True))
    rows = DetectionModel.objects.filter(custom=False, severity_set=False, source_name__in=sources)
    rows.exclude(key__in=left).delete()
    DetectionModel.objects.filter(pk__in=custom, custom=True).exclude(key__in=left).delete()
