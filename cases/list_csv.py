"""Lists of alerts and incidents as files for a spreadsheet, streamed: memory stays flat, however many there are."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Any, TypeVar

from django.db.models import Model

from soar.accounts.audit_export import cell
from soar.lib.keyset import Page

M = TypeVar("M", bound=Model)
BATCH = 200
MOST = 100_000
BOM = "\ufeff"  # by which spreadsheets know UTF-8
Line = list[Any]


def lines(columns: tuple[str, ...], page: Callable[[str], Page[M]], made: Callable[[list[M]], Iterable[Line]],
          more: str) -> Iterator[bytes]:  # fmt: skip
    """The file: a line of ``columns``, then what ``made`` makes of each page. ``page`` gives the one behind a cursor.

    At most ``MOST`` rows; where there are more, the last line says so with ``more``. What changes its place while the
    file is written may be in it twice, or not."""
    yield BOM.encode() + _line(columns)
    cursor, written = "", 0
    while True:
        found = page(cursor)
        for line in made(found.rows):
            yield _line([_cell(value) for value in line])
        written, cursor = written + len(found.rows), found.next
        if not cursor:
            return
        if written >= MOST:
            yield _line([more])
            return


def _cell(value: Any) -> Any:
    """What looks like a formula is marked as text; a number stays one."""
    return value if isinstance(value, int) else cell(value)


def _line(values: Iterable[Any]) -> bytes:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()
