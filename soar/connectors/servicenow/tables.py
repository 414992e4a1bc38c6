"""Records of any table: one, many, those that changed; made and written. Every row is compared with the query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.core.cache import cache

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.answers import is_missing, understood
from soar.connectors.servicenow.client import MOST_PAGES, ROWS, Api, Page
from soar.connectors.servicenow.query import IgnoredQuery
from soar.connectors.servicenow.records import ALWAYS, Record, record_of
from soar.connectors.servicenow.times import TOLERATED, Zone, literal, parsed, zone_of

JOURNALS = ("work_notes", "comments")
RAW = {"sysparm_display_value": "false", "sysparm_exclude_reference_link": "true"}
CHUNK = 100  # sys_ids in one query: an address has its limits
OVERLAP = 20  # a page begins so many hundredths of itself before the end of the one before
ZONE_SECONDS = 3600


class AmbiguousRecord(ConnectorError):
    """More than one record bears the correlation id: a person has to look which one it is."""


class Tables(Api):
    """The Table API."""

    def record(self, table: str, sys_id: str, fields: Iterable[str]) -> Record | None:
        """The record; None when it is missing or hidden (404), which cannot be told apart. Raises ConnectorError."""
        answer = self.read("record.read", one(table, sys_id), params=wanted(fields))
        return None if is_missing(answer) else _same(table, sys_id, understood(answer))

    def records(self, table: str, sys_ids: Iterable[str], fields: Iterable[str]) -> dict[str, Record]:
        """The records by sys_id, without those that are missing or hidden. Raises ConnectorError."""
        found: dict[str, Record] = {}
        for part in chunks(sys_ids):
            asked = {**wanted(fields), "sysparm_query": query.among("sys_id", part)}
            for row in self.rows("records.read", every(table), asked, size=ROWS):
                record = record_of(table, row)
                if record.sys_id not in part:
                    raise IgnoredQuery(table, "sys_id")
                found[record.sys_id] = record
        return found

    def by_correlation(self, table: str, correlation_id: str, fields: Iterable[str]) -> Record | None:
        """The one record with this correlation id. Raises ConnectorError for an empty id, AmbiguousRecord for two."""
        condition = query.equals("correlation_id", query.correlation(correlation_id))
        asked = {**wanted([*fields, "correlation_id"]), "sysparm_query": condition}
        page = self.page("record.find", every(table), asked, size=10)
        records = [record_of(table, row) for row in page.rows]
        if any(one.fields.get("correlation_id") != correlation_id for one in records):
            raise IgnoredQuery(table, "correlation_id")
        if len(records) > 1:
            numbers = ", ".join(one.number or one.sys_id for one in records)
            raise AmbiguousRecord(
                f"ServiceNow has {len(records)} records with one correlation id: {numbers}.", permanent=True
            )
        if not records and page.total:
            text = "ServiceNow has a record with this correlation id that the integration user may not read."
            raise ConnectorError(text, permanent=True)
        return records[0] if records else None

    def changed(
        self, table: str, *, prefix: str, since: datetime, fields: Iterable[str], limit: int = ROWS
    ) -> Iterator[Record]:
        """Records whose correlation id begins with ``prefix`` and that changed at ``since`` (UTC, ServiceNow's clock)
        or later, in order of change, from all pages; one that changes meanwhile comes again.

        Raises ConnectorError, IgnoredQuery when ServiceNow answers what was not asked for."""
        begins = query.begins("correlation_id", query.correlation(prefix))
        since = since.astimezone(UTC).replace(microsecond=0)
        asked = wanted([*fields, "correlation_id"])
        seen: set[tuple[str, int]] = set()
        for page in self._changed_pages(table, asked, begins, since, limit):
            for row in page.rows:
                record = record_of(table, row)
                early = record.updated_on < since - TOLERATED
                if early or not record.fields.get("correlation_id", "").startswith(prefix):
                    raise IgnoredQuery(table, "sys_updated_on" if early else "correlation_id")
                mark = (record.sys_id, record.mod_count)
                if record.updated_on >= since and mark not in seen:
                    seen.add(mark)
                    yield record

    def count(self, table: str, prefix: str) -> int:
        """How many records have a correlation id that begins with ``prefix``, hidden ones too. Raises ConnectorError,
        IgnoredQuery."""
        condition = query.begins("correlation_id", query.correlation(prefix))
        page = self.page(
            "records.count", every(table), {**wanted(["correlation_id"]), "sysparm_query": condition}, size=1
        )
        if any(not record_of(table, row).fields.get("correlation_id", "").startswith(prefix) for row in page.rows):
            raise IgnoredQuery(table, "correlation_id")
        return page.total or 0

    def changed_among(
        self, table: str, known: Mapping[str, int], *, since: datetime, fields: Iterable[str]
    ) -> tuple[list[Record], datetime | None]:
        """Those of the records that changed at ``since`` (UTC, ServiceNow's clock) or later, and the time up to which
        every change of the table was seen for that. ``known``: by sys_id the count of changes that is dealt with.
        Where more has changed in the table than there are records, each of them is looked at instead, changed or not,
        and the time is None. Raises ConnectorError, IgnoredQuery."""
        since = since.astimezone(UTC).replace(microsecond=0)
        fresh: dict[str, None] = {}
        seen_until = since
        for page in self._changed_pages(table, wanted(()), "", since, ROWS):
            if (page.total or 0) * CHUNK > max(1, len(known)) * page.size:
                return list(self.records(table, known, fields).values()), None
            for row in page.rows:
                record = record_of(table, row)
                if record.updated_on < since - TOLERATED:
                    raise IgnoredQuery(table, "sys_updated_on")
                seen_until = max(seen_until, record.updated_on)
                if record.sys_id in known and known[record.sys_id] != record.mod_count:
                    fresh[record.sys_id] = None
        return list(self.records(table, fresh, fields).values()), seen_until

    def _changed_pages(
        self, table: str, asked: dict[str, Any], condition: str, since: datetime, size: int
    ) -> Iterator[Page]:
        """What changes while it is read moves to the end and the others up by one, so that one would slip by. In UTC
        the next page begins at the last time seen; else pages overlap."""
        zone = self.zone(table)
        exact = zone is not None and not zone.offset
        start, offset = since, 0
        for _ in range(MOST_PAGES):
            moment = query.since("sys_updated_on", literal(start, zone.offset if zone else None))
            asked["sysparm_query"] = query.both(condition, moment, "ORDERBYsys_updated_on", "ORDERBYsys_id")
            page = self.page("records.changed", every(table), asked, offset=offset, size=size)
            yield page
            if not page.more:
                return
            last = max((record_of(table, row).updated_on for row in page.rows), default=start)
            if exact and last > start:
                start, offset = last, 0
            else:
                offset += size if exact else max(1, size - size * OVERLAP // 100)
        raise ConnectorError(f"ServiceNow has more than {MOST_PAGES} pages of changes of {table}.", permanent=True)

    def create(self, table: str, values: Mapping[str, str]) -> Record:
        """Make a record. Raises ConnectorError; with ``outcome_unknown`` it may be there: search before trying anew."""
        answer = self.call("record.create", "POST", every(table), params=RAW, json=_values(values), idempotent=False)
        return _written(table, "", understood(answer, effect=True))

    def update(self, table: str, sys_id: str, values: Mapping[str, str]) -> Record:
        """Write fields (and notes, in ``work_notes`` and ``comments``); what stands there afterwards. ServiceNow leaves
        out in silence what may not be written, so compare. Raises ConnectorError, with status 404 for a record that is
        missing or hidden."""
        # A note that is sent twice stands there twice.
        again = not any(name in JOURNALS for name in values)
        answer = self.call(
            "record.update", "PATCH", one(table, sys_id), params=RAW, json=_values(values), idempotent=again
        )
        return _written(table, sys_id, understood(answer, effect=True))

    def preview_create(self, table: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The request of ``create`` as it would be sent, without what signs in. Raises ConnectorError."""
        return self.preview("POST", every(table), params=RAW, json=_values(values))

    def zone(self, table: str) -> Zone | None:
        """How the integration user sees times, by records of ``table``; kept for an hour. None when nothing tells it.
        Raises ConnectorError."""
        name = self.cache_name(f"zone:{query.table_named(table)}")
        kept = cache.get(name)
        if kept is None:
            found = self.measured_zone(table)
            kept = (found.offset.total_seconds(), found.form) if found else ()
            cache.set(name, kept, ZONE_SECONDS if found else ZONE_SECONDS // 60)
        return Zone(timedelta(seconds=kept[0]), kept[1]) if kept else None

    def measured_zone(self, table: str) -> Zone | None:
        """The same, asked now: raw and shown times of the newest records are compared. Raises ConnectorError."""
        asked = {
            "sysparm_display_value": "all",
            "sysparm_fields": "sys_updated_on",
            "sysparm_query": "ORDERBYDESCsys_updated_on",
        }
        rows = self.page("zone.read", every(table), asked, size=20).rows
        times = [time for row in rows if isinstance(time := row.get("sys_updated_on"), dict)]
        return zone_of((str(time.get("value")), str(time.get("display_value"))) for time in times)


def every(table: str) -> str:
    """The path of a table."""
    return f"api/now/table/{query.table_named(table)}"


def one(table: str, sys_id: str) -> str:
    """The path of a record. Raises ConnectorError for an empty sys_id: it would be the whole table."""
    return f"{every(table)}/{query.identity(sys_id)}"


def wanted(fields: Iterable[str]) -> dict[str, Any]:
    """Parameters for raw values of these fields and those that are always asked for."""
    names = dict.fromkeys([*ALWAYS, *(query.named(name) for name in fields)])
    return {**RAW, "sysparm_fields": ",".join(names)}


def chunks(sys_ids: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The ids, each once, in parts that fit an address. Raises ConnectorError for what is no sys_id."""
    left = iter(dict.fromkeys(query.identity(one) for one in sys_ids))
    while part := list(islice(left, size)):
        yield part


def time_of(table: str, text: str) -> datetime:
    """A raw time. Raises ConnectorError."""
    try:
        return parsed(text)
    except ValueError:
        raise ConnectorError(
            f"ServiceNow tells a time of {table} that cannot be read: {text[:40]!r}.", permanent=True
        ) from None


def _same(table: str, sys_id: str, row: Any) -> Record:
    if not isinstance(row, dict):
        raise ConnectorError(f"ServiceNow described a record of {table} in a way that is not known.", permanent=True)
    record = record_of(table, row)
    if record.sys_id != sys_id:
        raise IgnoredQuery(table, "sys_id")
    return record


def _written(table: str, sys_id: str, row: Any) -> Record:
    """What was answered to a write. It is done, so whatever is odd about the answer leaves the outcome unknown."""
    try:
        return _same(table, sys_id or str(row.get("sys_id") if isinstance(row, dict) else ""), row)
    except ConnectorError as error:
        error.outcome_unknown = True
        raise


def _values(values: Mapping[str, str]) -> dict[str, str]:
    """The body of a write. Raises ConnectorError for nothing to write, for an over-long correlation id."""
    if not values:
        raise ConnectorError("There is nothing to write to ServiceNow.", permanent=True)
    made = {query.named(name): _clean(str(value)) for name, value in values.items()}
    if "correlation_id" in made:
        query.correlation(made["correlation_id"])
    return made


def _clean(text: str) -> str:
    """Without what no field holds: null characters, halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
