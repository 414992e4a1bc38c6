"""Reading timeline entries that may start playbooks: one statement, whatever comes of it.

This is asked for every single alert, so it is plain SQL: the ORM's own work on so wide a row costs more than
the database's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models

from cases.models import Alert, AlertSource, Incident
from soar.accounts.models import Team, User

_LEFT_OUT = {"search", "repairs", "timeline_head"}


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
def _fields() -> tuple[models.Field[Any, Any], ...]:
    return tuple(field for field in Alert._meta.concrete_fields if field.attname not in _LEFT_OUT)


@cache
def _statement() -> str:
    columns = ", ".join(f"a.{field.column}" for field in _fields())
    return (
        "SELECT e.id, e.kind, e.actor_type, e.data, coalesce(g.number, 0), e.incident_id,"  # noqa: S608  our own names
        f" s.slug, o.username, t.name, {columns}"
        " FROM cases_timelineentry e LEFT JOIN cases_alert a ON a.id = e.alert_id"
        " LEFT JOIN cases_alertsource s ON s.id = a.source_id LEFT JOIN accounts_user o ON o.id = a.owner_id"
        " LEFT JOIN accounts_team t ON t.id = a.team_id LEFT JOIN playbooks_codegeneration g ON g.id = 1"
        " WHERE e.id = ANY(%s) AND e.kind = ANY(%s) ORDER BY e.id"
    )


def read(entry_ids: list[int], kinds: list[str]) -> list[Incoming]:
    """The entries of these ids and kinds, in order; an alert comes with source, owner and team."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [entry_ids, kinds])
        rows = cursor.fetchall()
    return [_incoming(*row[:6], *row[6:9], values=row[9:]) for row in rows]


def _incoming(
    pk: int,
    kind: str,
    actor_type: str,
    data: Any,
    generation: int,
    incident: int | None,
    slug: str,
    owner: str | None,
    team: str | None,
    *,
    values: tuple[Any, ...],
) -> Incoming:
    subject = (
        Incident.objects.select_related("team").get(pk=incident) if incident else _alert(values, slug, owner, team)
    )
    return Incoming(pk, kind, actor_type, _json(data), generation, subject)


def _alert(values: tuple[Any, ...], slug: str, owner: str | None, team: str | None) -> Alert:
    names = [field.attname for field in _fields()]
    alert = Alert.from_db("default", names, values)
    alert.entities = _json(alert.entities)
    alert.source = AlertSource.from_db("default", ["id", "slug"], [alert.source_id, slug])
    alert.owner = User.from_db("default", ["id", "username"], [alert.owner_id, owner]) if owner else None
    alert.team = Team.from_db("default", ["id", "name"], [alert.team_id, team]) if team else None
    return alert


def _json(value: Any) -> Any:
    """Django has psycopg hand JSON over as text."""
    return json.loads(value) if isinstance(value, str | bytes) else value
