"""When an observable, or an asset that only alerts name, was first seen, of what a person may see (access.md 4,
rulings 21).

There is one row of a value for the whole system, and its own time would tell whoever names the value in an alert of
their own whether, and since when, others have it. Bounded: of each value the oldest alerts are looked at one by one,
and where the person sees none of them, the newest that they see is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from cases.models import Alert, Asset, Incident
from soar.accounts.models import User

LOOKED_AT = 1000  # oldest alerts with a value, of which the first is taken that the person sees

# OFFSET 0: asked for one after the other, whatever the planner thinks of all alerts.
_FIRST = """
SELECT wanted.id, least(coalesce(first.at, newest.at), own.at)
FROM unnest(%s::bigint[]) wanted (id)
LEFT JOIN LATERAL (
    SELECT seen.at FROM (
        SELECT alert_id FROM {in_alerts} WHERE {column} = wanted.id ORDER BY alert_id LIMIT %s
    ) n CROSS JOIN LATERAL ({alerts} OFFSET 0) seen (at)
    ORDER BY n.alert_id LIMIT 1
) first ON true
LEFT JOIN LATERAL (
    SELECT seen.at FROM (
        SELECT alert_id FROM {in_alerts} WHERE {column} = wanted.id AND first.at IS NULL ORDER BY alert_id DESC
    ) n CROSS JOIN LATERAL ({alerts} OFFSET 0) seen (at)
    ORDER BY n.alert_id DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT min(n.added_at) AS at FROM {in_incidents} n
    WHERE n.{column} = wanted.id AND EXISTS ({incidents} OFFSET 0)
) own ON true"""


OBSERVABLES = {
    "in_alerts": "cases_alertobservable", "in_incidents": "cases_incidentobservable", "column": "observable_id"
}  # fmt: skip
ASSETS = {"in_alerts": "cases_alertasset", "in_incidents": "cases_incidentasset", "column": "asset_id"}


def first_seen(user: User, ids: Sequence[int], of: dict[str, str] = OBSERVABLES) -> dict[int, datetime]:
    """By the ids of observables (or of ``ASSETS``), when the first alert came, or they were put on the first incident,
    that the person sees. One that they see nowhere is left out. One query."""
    if not ids:
        return {}
    try:
        alerts, of_alerts = _asked(Alert.objects.visible_to(user), "n.alert_id", "received_at")
        incidents, of_incidents = _asked(Incident.objects.visible_to(user), "n.incident_id", "pk")
    except EmptyResultSet:  # they see no cases
        return {}
    sql = _FIRST.format(alerts=alerts, incidents=incidents, **of)
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ids), LOOKED_AT, *of_alerts, *of_alerts, *of_incidents])
        return {pk: at for pk, at in cursor.fetchall() if at is not None}


def known_since(user: User, asset: Asset) -> datetime | None:
    """Since when the person may know of an asset. What is in the inventory everybody knows."""
    return asset.created_at if asset.listed else first_seen(user, [asset.pk], ASSETS).get(asset.pk)


def _asked(rows: QuerySet[Any], column: str, wanted: str) -> tuple[str, tuple[Any, ...]]:
    """The question after the one row that a column outside of it names, and its values."""
    one: QuerySet[Model] = rows.order_by().filter(pk=RawSQL(column, []))  # noqa: S611  our own names
    return one.values(wanted).query.sql_with_params()
