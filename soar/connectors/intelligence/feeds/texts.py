"""Formats of lines: plain lists, CSV, and the exports of abuse.ch. Each yields rows, and None for what it skips."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from soar.connectors.intelligence.feeds.rows import LONGEST_LINE, BadFeed, Place, Row, row_of

COMMENTS = ("#", ";", "//")
SINKS = {"0.0.0.0", "127.0.0.1", "::", "::1"}  # noqa: S104  what hosts files point bad names to
Rows = Iterator[Row | None]


def lines_of(body: bytes, place: Place) -> Iterator[str]:
    """Decoded lines, one at a time; ``place`` moves with them."""
    raw = io.BytesIO(body)
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=None) as text:
        for place.number, place.text in enumerate(text, 1):
            place.at = raw.tell()
            yield place.text


def plain(body: bytes, type_: str, place: Place) -> Rows:
    """A value a line, hosts files too; what follows a space and ``#`` or ``;`` is a note."""
    for line in lines_of(body, place):
        text = line.strip()
        if not text or text.startswith(COMMENTS):
            continue
        if len(text) > LONGEST_LINE:
            yield None
            continue
        value, *rest = text.split(None, 1)
        more = rest[0] if rest else ""
        if value in SINKS and more:
            value, *rest = more.split(None, 1)
            more = rest[0] if rest else ""
        note = more.lstrip("#;/ ") if more.startswith(COMMENTS) else ""
        yield row_of(value.rstrip(","), type_=type_, note=note) if not more or note else None


def table(body: bytes, type_: str, column: str, place: Place) -> Rows:
    """CSV with the separator , ; or tab. ``column``: its name in the header, its number from 1, or "" for the first."""
    records = _records(body, place)
    number = int(column) - 1 if column.isdigit() else -1
    if number < 0 and column:
        header = next(records, [])
        names = [name.strip().lower() for name in header]
        if column.strip().lower() not in names:
            listed = ", ".join(names)[:300] or "none"
            raise BadFeed(f"There is no column {column!r}; there are: {listed}.", place.number or None)
        number = names.index(column.strip().lower())
    first = True
    for record in records:
        value = record[max(number, 0)] if len(record) > max(number, 0) else ""
        row = row_of(value, type_=type_)
        if row is not None or not first:  # the first record is a header when it holds no value
            yield row
        first = False


def urlhaus(body: bytes, type_: str, place: Place) -> Rows:
    """URLhaus: id, dateadded, url, url_status, last_online, threat, tags, link, reporter."""
    for record in _records(body, place):
        threat, tags = _at(record, 5), _at(record, 6)
        if _at(record, 0) != "id":
            yield row_of(_at(record, 2), type_="url", note=f"{threat} {tags}")


def threatfox(body: bytes, type_: str, place: Place) -> Rows:
    """ThreatFox: first_seen, id, value, type, threat, malware, alias, name, last_seen, confidence. Under 75 is weak."""
    kinds = {"ip:port": "ip", "domain": "domain", "url": "url", "md5_hash": "md5", "sha256_hash": "sha256"}
    for record in _records(body, place):
        if _at(record, 1) == "ioc_id":
            continue
        sure = _at(record, 9)
        kind = kinds.get(_at(record, 3), "")
        weak = not (sure.isascii() and sure.isdigit() and int(sure[:4]) >= 75)
        yield row_of(_at(record, 2), type_=kind, note=_at(record, 7), weak=weak) if kind else None


def feodo(body: bytes, type_: str, place: Place) -> Rows:
    """Feodo Tracker: first_seen, address, port, status, last_online, malware; or its plain list."""
    for record in _records(body, place):
        if len(record) == 1:
            yield row_of(record[0], type_="ip")
        elif _at(record, 1) != "dst_ip":
            yield row_of(_at(record, 1), type_="ip", note=_at(record, 5))


def _at(record: Sequence[str], number: int) -> str:
    return record[number].strip() if len(record) > number else ""


def _records(body: bytes, place: Place) -> Iterator[list[str]]:
    """Records without comments and empty lines. Raises BadFeed for what is no CSV."""
    lines = (line for line in lines_of(body, place) if line.strip() and not line.startswith("#"))
    start = next(lines, "")
    if not start:
        return
    sign = max(",;\t", key=start.count)
    try:
        yield from csv.reader(_chain(start, lines), delimiter=sign, skipinitialspace=True)
    except csv.Error as error:
        raise BadFeed(f"This is no CSV: {error}.", place.number) from None


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest
