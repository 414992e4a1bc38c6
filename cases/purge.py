"""The one way in which timelines are ever deleted: whole subjects, with an audit row of what stood there (rulings 14).

The demo's removal, retention and redaction use it. The database lets rows of the timeline go only in a transaction
that has set ``soar.purge``, and that is set here alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from cases.actions import links
from cases.actions.evidence import SWEEP
from cases.actors import Actor
from cases.holds import check_alerts, check_incidents
from cases.models import (
    Alert,
    AlertAsset,
    AlertObservable,
    AlertPayload,
    Asset,
    Evidence,
    Incident,
    IncidentAsset,
    IncidentObservable,
    Mention,
    Observable,
    TimelineEntry,
    TimelinePin,
)
from cases.timeline import Subject
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib.queue import enqueue_many

BATCH = 500


@dataclass(slots=True)
class Purged:
    """How much was deleted."""

    alerts: int = 0
    incidents: int = 0
    entries: int = 0
    observables: int = 0
    assets: int = 0


@transaction.atomic
def purge(by: User | None, *, alerts: Iterable[int] = (), incidents: Iterable[int] = (), reason: str) -> Purged:
    """Delete alerts and incidents (ids) with timeline, payload, links, grants, runs and evidence, and observables and
    assets that nothing else names; the inventory stays. Files of evidence follow from the queue, once this holds.
    ``by`` None is the system; the caller has checked the rights. Ids that are not there are passed over.

    What stays is told: an alert of a purged incident is unlinked, and an incident whose alert is purged keeps its own
    timeline, with an entry that the alert left. Each batch leaves an audit row: number, count of entries and head hash
    of every subject. Raises Held, and deletes nothing, if anything of it is on legal hold."""
    done = Purged()
    alert_ids, incident_ids = sorted(set(alerts)), sorted(set(incidents))
    around = Alert.objects.filter(pk__in=alert_ids, incident__isnull=False).values_list("incident", flat=True)
    _lock(Incident, sorted({*incident_ids, *around}))
    check_incidents({*incident_ids, *around})
    _part(alert_ids, incident_ids)
    _allow()
    touched = _observables_of(alert_ids, incident_ids)
    named = _assets_of(alert_ids, incident_ids)
    for batch in _batches(alert_ids):
        done.alerts += _purge_alerts(batch, by, reason, done)
    for batch in _batches(incident_ids):
        done.incidents += _purge_incidents(batch, by, reason, done)
    for batch in _batches(touched):
        done.observables += _purge_observables(batch)
    for batch in _batches(named):
        done.assets += _purge_assets(batch)
    return done


def _allow() -> None:
    """For this transaction only: PostgreSQL forgets the setting at its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('soar.purge', 'on', true)")


def _batches(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _lock(model: type[Subject], ids: list[int]) -> list[Any]:
    rows = model._default_manager.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    return list(rows.only("pk", "timeline_count", "timeline_head"))


def _part(alert_ids: list[int], incident_ids: list[int]) -> None:
    """Unlink what goes from what stays, through the action that also writes it down."""
    leaving = Alert.objects.filter(pk__in=alert_ids, incident__isnull=False).exclude(incident__in=incident_ids)
    staying = Alert.objects.filter(incident__in=incident_ids).exclude(pk__in=alert_ids)
    ids = [*leaving.values_list("pk", flat=True), *staying.values_list("pk", flat=True)]
    for batch in _batches(sorted(ids)):
        links.unlink(Actor.system(), batch)


def _observables_of(alert_ids: list[int], incident_ids: list[int]) -> list[int]:
    named = Q(alert_links__alert__in=alert_ids) | Q(incident_links__incident__in=incident_ids)
    return sorted(set(Observable.objects.filter(named).values_list("pk", flat=True)))


def _assets_of(alert_ids: list[int], incident_ids: list[int]) -> list[int]:
    by_alert = AlertAsset.objects.filter(alert__in=alert_ids, asset__listed=False)
    by_hand = IncidentAsset.objects.filter(incident__in=incident_ids, asset__listed=False)
    return sorted({*by_alert.values_list("asset", flat=True), *by_hand.values_list("asset", flat=True)})


def _purge_alerts(ids: list[int], by: User | None, reason: str, done: Purged) -> int:
    rows = _lock(Alert, ids)
    check_alerts(ids)  # one may have been linked before its lock was ours
    for hook in settings.PURGE_HOOKS:
        import_string(hook)(alerts=ids, incidents=[])
    done.entries += _purge_entries(TimelineEntry.objects.filter(alert__in=ids))
    AlertPayload.objects.filter(alert__in=ids).delete()
    AlertObservable.objects.filter(alert__in=ids).delete()
    AlertAsset.objects.filter(alert__in=ids).delete()
    Alert.objects.filter(pk__in=ids).delete()
    _tell(rows, by, reason)
    return len(rows)


def _purge_incidents(ids: list[int], by: User | None, reason: str, done: Purged) -> int:
    rows = _lock(Incident, ids)
    for hook in settings.PURGE_HOOKS:
        import_string(hook)(alerts=[], incidents=ids)
    done.entries += _purge_entries(TimelineEntry.objects.filter(incident__in=ids))
    files = set(Evidence.objects.filter(incident__in=ids).values_list("sha256", flat=True))
    enqueue_many((SWEEP, (sha256,)) for sha256 in sorted(files))
    Incident.objects.filter(pk__in=ids).delete()
    _tell(rows, by, reason)
    return len(rows)


def _purge_entries(entries: QuerySet[TimelineEntry]) -> int:
    """The entries with what hangs on them; returns how many entries there were."""
    for model in (Mention, TimelinePin):
        model._default_manager.filter(entry__in=entries).delete()
    return entries.delete()[0]


def _tell(rows: list[Subject], by: User | None, reason: str) -> None:
    """The audit row: enough to show later that an exported timeline was the real one, and was deleted."""
    if not rows:
        return
    subjects = [[row.number, row.timeline_count, bytes(row.timeline_head or b"").hex()] for row in rows]
    target = rows[0].number if len(rows) == 1 else f"{rows[0].number} to {rows[-1].number}"
    count = sum(row.timeline_count for row in rows)
    audit.record(by, "timeline.purged", target, reason=reason, entries=count, subjects=subjects)


def _purge_observables(ids: list[int]) -> int:
    """Those that no alert and no incident names any longer. One that is being linked right now is let be."""
    rows = Observable.objects.filter(pk__in=ids)
    used = {
        *AlertObservable.objects.filter(observable__in=ids).values_list("observable", flat=True),
        *IncidentObservable.objects.filter(observable__in=ids).values_list("observable", flat=True),
    }
    free = list(rows.exclude(pk__in=used).select_for_update(skip_locked=True).values_list("pk", flat=True))
    return Observable.objects.filter(pk__in=free).delete()[0]


def _purge_assets(ids: list[int]) -> int:
    """As for observables; what somebody has put into the inventory since stays."""
    used = {
        *AlertAsset.objects.filter(asset__in=ids).values_list("asset", flat=True),
        *IncidentAsset.objects.filter(asset__in=ids).values_list("asset", flat=True),
    }
    rows = Asset.objects.filter(pk__in=ids, listed=False).exclude(pk__in=used)
    free = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Asset.objects.filter(pk__in=free).delete()
    return len(free)
