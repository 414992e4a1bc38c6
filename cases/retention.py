"""What retention can delete: how it is found, how it is deleted, in the order in which it goes (access.md 9).

Nothing of an incident on legal hold is ever found; and what is placed on hold in the meantime the deletion refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from cases.choices import AlertStatus, IncidentStatus
from cases.holds import check_alerts
from cases.merged import absorbed_by
from cases.models import Alert, AlertPayload, Incident, LegalHold, RetentionRule
from cases.purge import purge
from soar.accounts.models import AuditEntry, User
from soar.lib import clock

REASON = "retention"
COUNT_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of things. ``rows(before)`` are those older than that moment, by ``key``; ``delete(keys)`` deletes some
    in the caller's transaction and says how many. ``lock(keys)`` takes the rows' locks before: what was found is looked
    at once more under them, for somebody may have opened it again while they were waited for. ``severities``,
    ``sources``: the lookups a rule may ask for besides, "" for none. ``least`` is the lowest number of days, ``batch``
    how many go in one transaction."""

    name: str
    label: str | Promise
    rows: Callable[[datetime], QuerySet[Any]]
    delete: Callable[[list[int]], int]
    key: str = "pk"
    severities: str = ""
    sources: str = ""
    least: int = 1
    batch: int = 200
    lock: Callable[[list[int]], object] = list


def sorts() -> dict[str, Sort]:
    """All sorts by name, in the order in which they go: raw payloads first. ``settings.RETENTION_SORTS`` adds some."""
    others = [import_string(name) for name in settings.RETENTION_SORTS]
    return {one.name: one for one in (PAYLOADS, ALERTS, INCIDENTS, *others, AUDIT)}


def found(rule: RetentionRule, now: datetime | None = None) -> QuerySet[Any]:
    """What the rule would delete now."""
    sort = sorts()[rule.what]
    rows = sort.rows((now or clock.now()) - timedelta(days=rule.days))
    if rule.severities and sort.severities:
        rows = rows.filter(**{f"{sort.severities}__in": rule.severities})
    if rule.source_id and sort.sources:
        rows = rows.filter(**{sort.sources: rule.source_id})
    return rows


def delete(rule: RetentionRule, keys: list[int]) -> int:
    """Delete those of the keys that the rule finds still, under their locks. Returns how many."""
    sort = sorts()[rule.what]
    sort.lock(keys)
    still = found(rule).filter(**{f"{sort.key}__in": keys}).order_by(sort.key)
    return sort.delete(list(still.values_list(sort.key, flat=True)))


def preview(rule: RetentionRule, user: User) -> dict[str, Any]:
    """``{"count", "more", "held"}``: how many it would delete now, counted to 10,000; incidents on hold that the user
    may see."""
    rows = found(rule).order_by()[: COUNT_AT_MOST + 1]
    count = rows.count()
    held = LegalHold.objects.filter(lifted_at=None, incident__in=Incident.objects.visible_to(user)).count()
    return {"count": min(count, COUNT_AT_MOST), "more": count > COUNT_AT_MOST, "held": held}


def not_held(path: str) -> Q:
    """That the incident to which this path leads, if there is one, is not on hold."""
    return ~Q(Exists(LegalHold.objects.filter(incident=OuterRef(path), lifted_at=None)))


def allow_delete() -> None:
    """Let this transaction delete what is append-only, as the purge does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('soar.purge', 'on', true)")


def _payloads(before: datetime) -> QuerySet[Any]:
    # By the day they came: those of alerts that are still open stay, somebody works with them.
    rows = AlertPayload.objects.filter(alert__received_at__lt=before, alert__status=AlertStatus.RESOLVED)
    return rows.filter(not_held("alert__incident"))


def _alerts(before: datetime) -> QuerySet[Any]:
    # One in an incident goes with it.
    return Alert.objects.filter(status=AlertStatus.RESOLVED, resolved_at__lt=before, incident=None)


def _incidents(before: datetime) -> QuerySet[Any]:
    # What was merged goes with the incident that it went to: the two are read as one.
    rows = Incident.objects.filter(status=IncidentStatus.CLOSED, closed_at__lt=before, merged_into=None)
    return rows.filter(not_held("pk"))


def _audit(before: datetime) -> QuerySet[Any]:
    return AuditEntry.objects.filter(at__lt=before, unsent=None)  # what a receiver still waits for stays


def _hold_alerts(ids: list[int]) -> None:
    list(Alert.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def _hold_incidents(ids: list[int]) -> None:
    """With what was merged into them; then their alerts."""
    whole = Incident.objects.filter(pk__in=[*ids, *absorbed_by(ids)])
    list(whole.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    inside = Alert.objects.filter(incident__in=ids).select_for_update(of=("self",))
    list(inside.order_by("pk").values_list("pk", flat=True))


def _drop_payloads(ids: list[int]) -> int:
    check_alerts(ids)
    return AlertPayload.objects.filter(pk__in=ids).delete()[0]


def _drop_alerts(ids: list[int]) -> int:
    return purge(None, alerts=ids, reason=REASON).alerts


def _drop_incidents(ids: list[int]) -> int:
    """With their alerts, but those that were opened again: these leave first; and with what was merged into them."""
    inside = Alert.objects.filter(incident__in=ids, status=AlertStatus.RESOLVED).values_list("pk", flat=True)
    return purge(None, alerts=list(inside), incidents=[*ids, *absorbed_by(ids)], reason=REASON).incidents


def _drop_audit(ids: list[int]) -> int:
    allow_delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE id = ANY(%s)", [ids])
        return int(cursor.rowcount)


PAYLOADS = Sort(
    "payloads", _("raw payloads of resolved alerts"), _payloads, _drop_payloads,
    severities="alert__severity", sources="alert__source", batch=500, lock=_hold_alerts,
)  # fmt: skip
ALERTS = Sort(
    "alerts", _("resolved alerts that are in no incident"), _alerts, _drop_alerts,
    severities="severity", sources="source", lock=_hold_alerts,
)  # fmt: skip
INCIDENTS = Sort(
    "incidents", _("closed incidents with their alerts and evidence"), _incidents, _drop_incidents,
    severities="severity", batch=20, lock=_hold_incidents,
)  # fmt: skip
AUDIT = Sort("audit", _("entries of the audit log"), _audit, _drop_audit, least=90, batch=2000)
