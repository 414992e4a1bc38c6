"""Alerts read by plain SQL where the ORM's own work on so wide a row costs more than the database's: for every alert
that playbooks look at, and every change that they make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import models

from cases.models import Alert, AlertSource
from soar.accounts.models import Team, User
from soar.lib.database import prepared

_LEFT_OUT = {"search", "repairs", "timeline_head"}  # read when asked for
_OWNER = "o.id, o.username, o.first_name, o.last_name"
JOINS = (
    " LEFT JOIN cases_alertsource s ON s.id = a.source_id LEFT JOIN accounts_user o ON o.id = a.owner_id"
    " LEFT JOIN accounts_team t ON t.id = a.team_id"
)


@cache
def _fields() -> tuple[models.Field[Any, Any], ...]:
    return tuple(field for field in Alert._meta.concrete_fields if field.attname not in _LEFT_OUT)


@cache
def _names() -> list[str]:
    return [field.attname for field in _fields()]


@cache
def columns() -> str:
    """What ``alert_of`` takes, for a statement with the alert as ``a`` and ``JOINS``."""
    return f"s.slug, s.name, {_OWNER}, t.id, t.name, " + ", ".join(f"a.{field.column}" for field in _fields())


def alert_of(row: Sequence[Any]) -> Alert:
    """The alert with source, owner and team. What is joined to a row that was waited for is as it was before the wait,
    so an owner or team that does not fit is left to be read anew; the source never changes."""
    slug, name, *owner, team, team_name = row[:8]
    alert = Alert.from_db("default", _names(), row[8:])
    alert.entities = _json(alert.entities)
    alert.source = AlertSource.from_db("default", ["id", "slug", "name"], [alert.source_id, slug, name])
    if alert.owner_id and alert.owner_id == owner[0]:
        alert.owner = User.from_db("default", ["id", "username", "first_name", "last_name"], owner)
    if alert.team_id and alert.team_id == team:
        alert.team = Team.from_db("default", ["id", "name"], [team, team_name])
    return alert


def locked_alert(pk: int) -> Alert | None:
    """The alert with its row lock, in a transaction of the caller; None if there is none."""
    with prepared() as cursor:
        row = cursor.execute(_locked(), [pk], prepare=True).fetchone()
    return alert_of(row) if row else None


@cache
def _locked() -> str:
    return f"SELECT {columns()} FROM cases_alert a {JOINS} WHERE a.id = %s FOR UPDATE OF a"  # noqa: S608  our own names


def _json(value: Any) -> Any:
    """Django has psycopg hand JSON over as text."""
    return json.loads(value) if isinstance(value, str | bytes) else value
