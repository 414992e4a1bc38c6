"""What became of single fields of a record: by sys_audit, where the integration user may read that.

Many instances keep it from everybody but administrators, and not every table is audited: then nothing is told, and
callers go by the record's own time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.journal import DENIED
from soar.connectors.servicenow.query import IgnoredQuery
from soar.connectors.servicenow.records import flat
from soar.connectors.servicenow.tables import RAW, Tables, every, time_of
from soar.connectors.servicenow.times import TOLERATED, literal

TABLE = "sys_audit"
FIELDS = (
    "sys_id", "tablename", "documentkey", "fieldname", "oldvalue", "newvalue", "user", "record_checkpoint",
    "sys_created_on",
)  # fmt: skip
CLOSED_SECONDS = 3600  # so long it is not asked for again after a refusal


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field got another value. ``count``: the record's count of changes (sys_mod_count) by that."""

    field: str
    old: str
    new: str
    by: str
    at: datetime
    count: int


class Audit(Tables):
    """Reading sys_audit."""

    def history(self, table: str, sys_id: str, fields: Iterable[str], since: datetime) -> list[FieldChange] | None:
        """What became of these fields of a record at ``since`` (UTC, ServiceNow's clock) or later, in order. None where
        that may not be read. Raises ConnectorError."""
        name = self.cache_name("audit")
        if cache.get(name) == "closed":
            return None
        names, since = list(fields), since.astimezone(UTC).replace(microsecond=0)
        try:
            found = self._changes(table, sys_id, names, since)
        except ConnectorError as error:
            if error.status not in DENIED:
                raise
            found = None
        if found is None:
            cache.set(name, "closed", CLOSED_SECONDS)
        return found

    def _changes(self, table: str, sys_id: str, fields: list[str], since: datetime) -> list[FieldChange] | None:
        zone = self.zone(table)
        condition = query.both(
            query.equals("documentkey", query.identity(sys_id)),
            query.equals("tablename", query.table_named(table)),
            query.among("fieldname", fields),
            query.since("sys_created_on", literal(since, zone.offset if zone else None)),
            "ORDERBYsys_created_on",
        )
        found = []
        for page in self.pages("audit.read", every(TABLE), _asked(condition)):
            if page.total and not page.rows:
                return None  # counted and not shown: hidden from us
            for row in page.rows:
                change = _change(row, table, sys_id, fields, since)
                found += [change] if change.at >= since else []
        return sorted(found, key=lambda one: (one.count, one.at))


def _asked(condition: str) -> dict[str, Any]:
    return {**RAW, "sysparm_fields": ",".join(FIELDS), "sysparm_query": condition}


def _change(row: dict[str, Any], table: str, sys_id: str, fields: list[str], since: datetime) -> FieldChange:
    """Raises IgnoredQuery for what was not asked for."""
    texts = flat(row)
    at, count = time_of(TABLE, texts.get("sys_created_on", "")), texts.get("record_checkpoint", "")
    for name, right in (
        ("documentkey", texts.get("documentkey") == sys_id),
        ("tablename", texts.get("tablename") == table),
        ("fieldname", texts.get("fieldname") in fields),
        ("sys_created_on", at >= since - TOLERATED),
    ):
        if not right:
            raise IgnoredQuery(TABLE, name)
    values = texts.get("oldvalue", ""), texts.get("newvalue", "")
    return FieldChange(texts["fieldname"], *values, texts.get("user", ""), at, int(count) if count.isdecimal() else 0)
