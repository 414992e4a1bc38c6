"""Reading timeline entries that may start playbooks: one statement, whatever comes of it.

This is asked for every single alert, so it is plain SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from cases import alert_rows
from cases.models import Alert, Incident
from soar.lib.database import prepared


@dataclass(frozen=True, slots=True)
class Incoming:
    """An entry and what it is about. ``generation`` is the code's number at this moment."""

    pk: int
    kind: str
    actor_type: str
    data: dict[str, Any]
    generation: int
    subject: Alert | Incident


@cache
def _statement() -> str:
    return (
        "SELECT e.id, e.kind, e.actor_type, e.data, coalesce(g.number, 0), e.incident_id,"  # noqa: S608  our own names
        f" {alert_rows.columns()} FROM cases_timelineentry e LEFT JOIN cases_alert a ON a.id = e.alert_id"
        f" {alert_rows.JOINS} LEFT JOIN playbooks_codegeneration g ON g.id = 1"
        " WHERE e.id = ANY(%s) AND e.kind = ANY(%s) ORDER BY e.id"
    )


def read(entry_ids: list[int], kinds: list[str]) -> list[Incoming]:
    """The entries of these ids and kinds, in order; an alert comes with source, owner and team."""
    with prepared() as cursor:
        rows = cursor.execute(_statement(), [entry_ids, kinds], prepare=True).fetchall()
    return [_incoming(*row[:6], alert=row[6:]) for row in rows]


def _incoming(
    pk: int,
    kind: str,
    actor_type: str,
    data: Any,
    generation: int,
    incident: int | None,
    *,
    alert: tuple[Any, ...],
) -> Incoming:
    subject = Incident.objects.select_related("team").get(pk=incident) if incident else alert_rows.alert_of(alert)
    return Incoming(pk, kind, actor_type, _json(data), generation, subject)


def _json(value: Any) -> Any:
    """Django has psycopg hand JSON over as text."""
    return json.loads(value) if isinstance(value, str | bytes) else value
