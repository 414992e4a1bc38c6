"""Alerts like this one, and why. Bounded: a fixed number of index look-ups per value, at any size."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import connection
from django.db.models import TextField, Value

from cases.models import Alert
from cases.relations import SHARED_TYPES, Reason, reason
from soar.accounts.models import User

VALUES_AT_MOST = 30
PER_VALUE = 20

# Newest alerts of each observable of the alert, by the (observable, -alert) index.
_BY_OBSERVABLE = """
    SELECT near.alert_id, o.type, o.value, near.role, mine.role
    FROM (
        SELECT l.observable_id, l.role FROM cases_alertobservable l
        WHERE l.alert_id = %(alert)s ORDER BY l.highlighted DESC, l.id LIMIT %(values)s
    ) mine
    JOIN cases_observable o ON o.id = mine.observable_id AND o.type = ANY(%(types)s)
    CROSS JOIN LATERAL (
        SELECT n.alert_id, n.role FROM cases_alertobservable n
        WHERE n.observable_id = mine.observable_id AND n.alert_id <> %(alert)s
        ORDER BY n.alert_id DESC LIMIT %(per)s
    ) near
"""


def similar(user: User, alert: Alert, limit: int = 8) -> list[tuple[Alert, list[Reason]]]:
    """The most similar alerts that the user may see, with reasons, best first."""
    reasons = reasons_of(alert)
    scored = sorted(reasons, key=lambda pk: (sum(r.weight for r in reasons[pk]), pk), reverse=True)
    rows = Alert.objects.visible_to(user).with_line_data().in_bulk(scored[: limit * 3])
    found = [(rows[pk], reasons[pk]) for pk in scored if pk in rows]
    return found[:limit]


def reasons_of(alert: Alert) -> dict[int, list[Reason]]:
    """Reasons by the id of the other alert, read once for one loaded alert: its page needs them twice."""
    known: dict[int, list[Reason]] | None = getattr(alert, "_similar_reasons", None)
    if known is None:
        known = alert._similar_reasons = _reasons(alert)  # type: ignore[attr-defined]
    return known


def _reasons(alert: Alert) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for (type_, value), ids in _shared(alert).items():
        for pk in ids:
            found[pk].append(reason(type_, value, len(ids)))
    for reasons in found.values():
        reasons.sort(key=lambda r: -r.weight)
    return found


def _shared(alert: Alert) -> dict[tuple[str, str], list[int]]:
    """Ids of other alerts by the value that they share with this one."""
    values: dict[str, Any] = {
        "alert": alert.pk,
        "values": VALUES_AT_MOST,
        "types": list(SHARED_TYPES),
        "per": PER_VALUE,
    }
    shared: dict[tuple[str, str], list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_BY_OBSERVABLE, values)
        for pk, type_, value, role, own_role in cursor.fetchall():
            both_sources = role == own_role == "source_ip"
            shared[("source_ip" if both_sources else type_, value)].append(pk)
    for name, own, pk in _named_alike(alert):
        shared[(name, own)].append(pk)
    return shared


def _named_alike(alert: Alert) -> list[tuple[str, str, int]]:
    """The newest alerts of the same host and of the same user, in one query."""
    parts = []
    for name, field in (("host", "hostname"), ("user", "username")):
        own = getattr(alert, field)
        if own:
            rows = Alert.objects.filter(**{field: own}).exclude(pk=alert.pk).order_by("-pk")
            said = Value(name, output_field=TextField()), Value(own, output_field=TextField())
            parts.append(rows.values_list(said[0], said[1], "pk")[:PER_VALUE])
    if not parts:
        return []
    return list(parts[0].union(*parts[1:], all=True)) if parts[1:] else list(parts[0])
