"""Notes of records: by sys_journal_field, or from what the record shows where that may not be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.client import Page
from soar.connectors.servicenow.query import IgnoredQuery
from soar.connectors.servicenow.records import JournalEntry, flat
from soar.connectors.servicenow.tables import JOURNALS, RAW, Tables, chunks, every, time_of
from soar.connectors.servicenow.times import TOLERATED, Zone, literal, shown_moment

TABLE = "sys_journal_field"
FIELDS = ("sys_id", "element", "element_id", "value", "sys_created_on", "sys_created_by")
SHOWN_CHUNK = 20  # a record shows all its notes at once
DENIED = {400, 403, 404}
# "2026-11-21 14:03:11 - Beth Anglin (Work notes)", newest first
HEADING = re.compile(r"^(?P<time>\d[\d./: -]{9,20}(?: ?[AP]M)?) - (?P<name>.+) \((?P<label>[^()\n]+)\)[ \t]*\r?$", re.M)


class Journal(Tables):
    """``journal_readable``: whether sys_journal_field tells entries, None as long as nothing is known."""

    journal_readable: bool | None = None

    def journal(self, table: str, sys_ids: Iterable[str], since: datetime) -> list[JournalEntry]:
        """The entries of these records written at ``since`` (UTC, ServiceNow's clock) or later, oldest first.

        Where they may not be read by themselves, what the records show is taken apart: then ``created_by`` is a display
        name, and somebody may write what looks like two entries. Raises ConnectorError."""
        ids = [one for part in chunks(sys_ids) for one in part]
        since = since.astimezone(UTC).replace(microsecond=0)
        found: list[JournalEntry] = []
        if ids and self.journal_readable is not False:
            found = self._entries(table, ids, since)
        if ids and self.journal_readable is False:
            found = self._shown(table, ids, since)
        return sorted(found, key=lambda entry: (entry.created_on, entry.sys_id))

    def _entries(self, table: str, ids: list[str], since: datetime) -> list[JournalEntry]:
        """By the table itself; sets ``journal_readable``."""
        found: list[JournalEntry] = []
        zone = self.zone(table)
        for part in chunks(ids):
            asked = {**RAW, "sysparm_fields": ",".join(FIELDS), "sysparm_query": _condition(table, part, since, zone)}
            try:
                for page in self.pages("journal.read", every(TABLE), asked):
                    if not self._told(page):
                        return []
                    found += [entry for row in page.rows if (entry := _entry(row, part, since))]
            except ConnectorError as error:
                if error.status not in DENIED:
                    raise
                self.journal_readable = False
                return []
        return found

    def _told(self, page: Page) -> bool:
        """Whether the page may be believed: entries that are counted and not shown are hidden from us."""
        if page.rows:
            self.journal_readable = True
        elif page.total and self.journal_readable is None:
            self.journal_readable = False
        return self.journal_readable is not False

    def _shown(self, table: str, ids: list[str], since: datetime) -> list[JournalEntry]:
        zone = self.zone(table)
        if zone is None:
            text = (
                f"ServiceNow lets nobody read {TABLE}, and the integration user's time zone is not known from {table}."
            )
            raise ConnectorError(text, permanent=True)
        found: list[JournalEntry] = []
        for part in chunks(ids, SHOWN_CHUNK):
            asked = {
                "sysparm_display_value": "true",
                "sysparm_fields": ",".join(("sys_id", *JOURNALS)),
                "sysparm_query": query.among("sys_id", part),
            }
            for row in self.rows("journal.shown", every(table), asked):
                texts = flat(row)
                if texts.get("sys_id") not in part:
                    raise IgnoredQuery(table, "sys_id")
                for element in JOURNALS:
                    found += taken_apart(texts["sys_id"], element, texts.get(element, ""), zone)
        return [entry for entry in found if entry.created_on >= since]


def _condition(table: str, ids: list[str], since: datetime, zone: Zone | None) -> str:
    return query.both(
        query.equals("name", query.table_named(table)),
        query.among("element_id", ids),
        query.among("element", JOURNALS),
        query.since("sys_created_on", literal(since, zone.offset if zone else None)),
        "ORDERBYsys_created_on",
        "ORDERBYsys_id",
    )


def _entry(row: dict[str, Any], ids: list[str], since: datetime) -> JournalEntry | None:
    """The entry, None for one that is a little too old. Raises IgnoredQuery for one that was not asked for."""
    texts = flat(row)
    created = time_of(TABLE, texts.get("sys_created_on", ""))
    if texts.get("element_id") not in ids or texts.get("element") not in JOURNALS:
        raise IgnoredQuery(TABLE, "element_id" if texts.get("element_id") not in ids else "element")
    if created < since - TOLERATED:
        raise IgnoredQuery(TABLE, "sys_created_on")
    if created < since:
        return None
    sys_id, by = texts.get("sys_id", ""), texts.get("sys_created_by", "")
    return JournalEntry(sys_id, texts["element_id"], texts["element"], texts.get("value", ""), created, by)


def taken_apart(record: str, element: str, text: str, zone: Zone) -> list[JournalEntry]:
    """The entries of a shown journal. Each gets an identity made of what it says, the same every time."""
    found, known = [], set()
    for time, name, value in reversed(list(_parts(text, zone))):  # the oldest keeps its place when more are written
        count = 0
        while (mark := _mark(record, element, time.isoformat(), name, value, str(count))) in known:
            count += 1
        known.add(mark)
        found.append(JournalEntry(mark, record, element, value, time, name))
    return found


def _parts(text: str, zone: Zone) -> Iterator[tuple[datetime, str, str]]:
    headings = [
        (found, moment) for found in HEADING.finditer(text) if (moment := shown_moment(found["time"], zone)) is not None
    ]
    ends = [found.start() for found, _ in headings[1:]] + [len(text)]
    for (found, moment), end in zip(headings, ends, strict=False):  # without a heading there is an end too many
        yield moment, found["name"], text[found.end() : end].strip()


def _mark(*words: str) -> str:
    return "shown-" + hashlib.sha256("\x00".join(words).encode()).hexdigest()[:32]
