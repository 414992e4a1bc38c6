"""A file of assets as people send it: bytes to lines, or what is wrong with it. Pure.

Commas, semicolons or tabs; UTF-8 with or without a byte order mark, or UTF-16 with one, as spreadsheets write it.
Nothing is guessed: a file of another encoding is refused, not turned into other letters."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from cases.errors import Refused

LINES_AT_MOST = 100_000
BYTES_AT_MOST = 10 * 1024 * 1024
ERRORS_AT_MOST = 1000
# The columns by the names that people give them, in lower case.
COLUMNS = {
    "name": "name", "hostname": "name", "host": "name", "asset": "name", "computer name": "name",
    "type": "type", "kind": "type",
    "system": "system", "os": "system", "operating system": "system", "operating_system": "system",
    "addresses": "addresses", "address": "addresses", "ip": "addresses", "ip address": "addresses",
    "ip addresses": "addresses", "ip_address": "addresses",
    "groups": "groups", "group": "groups",
    "criticality": "criticality",
    "tags": "tags", "tag": "tags",
}  # fmt: skip
LISTS = {"addresses": re.compile(r"[;,|\s]+"), "groups": re.compile(r"[;|]"), "tags": re.compile(r"[;|,]")}
# What a spreadsheet that opens the value again would run.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: the line of the file (1 is the header), the column or "", a sentence."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One asset of the file: the cells that are not empty, lists taken apart."""

    number: int
    fields: dict[str, Any]


@dataclass(slots=True)
class Table:
    """What a file says."""

    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def decoded(body: bytes) -> str:
    """The file's text. Raises Refused when it is too large, empty, or of an encoding that cannot be told."""
    if len(body) > BYTES_AT_MOST:
        raise Refused(_("The file is larger than 10 MiB."), field="file")
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return _text(body[len(mark) :], name)
    return _text(body, "utf-8")


def _text(body: bytes, encoding: str) -> str:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Refused(
            _("Line %(line)s is not UTF-8. Save the file as “CSV UTF-8” and send it again.") % {"line": line},
            field="file",
        ) from error
    if "\x00" in text:
        raise Refused(_("The file holds NUL characters: it is no text, or of another encoding."), field="file")
    if not text.strip():
        raise Refused(_("The file is empty."), field="file")
    return text


def parsed(text: str) -> Table:
    """The lines of the file. Raises Refused when its first line names no columns or it has too many lines."""
    table = Table()
    text = text.removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows = _rows(reader, table)
    columns = _columns(next(rows, (1, []))[1])
    for number, cells in rows:
        if len(table.lines) >= LINES_AT_MOST:
            raise Refused(
                _("At most %(lines_at_most)s assets in one file.") % {"lines_at_most": f"{LINES_AT_MOST:,}"},
                field="file",
            )
        if any(cell.strip() for cell in cells):
            _add(table, number, columns, cells)
    _once_each(table)
    if not table.lines and not table.problems:
        raise Refused(_("The file has no line below its header."), field="file")
    return table


def _delimiter(text: str) -> str:
    """The sign that the header has most of; a comma if it has one column."""
    header = text.lstrip().partition("\n")[0]
    return max(",;\t", key=header.count)


def _rows(reader: Any, table: Table) -> Iterator[tuple[int, list[str]]]:
    """The rows with the number of the line they begin on. Quotes that do not fit end the reading."""
    while True:
        begin = reader.line_num + 1
        try:
            yield begin, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            told = "a quoted cell is never closed, or far too long" if "limit" in str(error) else str(error)
            table.problems.append(Problem(begin, "", _("The line cannot be read: %(told)s.") % {"told": told}))
            return


def _columns(header: list[str]) -> list[str]:
    names = [COLUMNS.get(" ".join(cell.split()).lower(), "") for cell in header]
    unknown = [cell.strip()[:40] for cell, name in zip(header, names, strict=True) if not name]
    known = "name, type, system, addresses, groups, criticality, tags"
    if "name" not in names:
        raise Refused(
            _("The first line names the columns, one of them “name”. Known: %(known)s.") % {"known": known},
            field="file",
        )
    if unknown:
        raise Refused(
            _("Unknown column: %(unknown)s. Known: %(known)s.")
            % {"unknown": ", ".join(unknown) or _("one without a name"), "known": known},
            field="file",
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(_("Two columns say the same: %(twice)s.") % {"twice": twice}, field="file")
    return names


def _add(table: Table, number: int, columns: list[str], cells: list[str]) -> None:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        return _complain(
            table,
            number,
            "",
            _("The line has %(count)s cells, the header %(columns)s.") % {"count": len(cells), "columns": len(columns)},
        )
    fields: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=False):
        value = cell.strip(" ")
        if value.startswith(FORMULA):
            return _complain(
                table,
                number,
                name,
                _("%(value)s begins with a sign that a spreadsheet takes for a formula.") % {"value": f"{value:.40}"},
            )
        if value:
            fields[name] = (
                [part.strip() for part in LISTS[name].split(value) if part.strip()] if name in LISTS else value
            )
    if "name" not in fields:
        return _complain(table, number, "name", _("The line has no name."))
    table.lines.append(Line(number, fields))
    return None


def _once_each(table: Table) -> None:
    """Two lines on one asset are a mistake: which of them counts is not ours to guess."""
    first: dict[str, int] = {}
    for line in table.lines:
        begin = first.setdefault(line.fields["name"].lower(), line.number)
        if begin != line.number:
            _complain(
                table,
                line.number,
                "name",
                _("%(name)s stands in line %(begin)s already.")
                % {"name": f"{line.fields['name']:.60}", "begin": begin},
            )


def _complain(table: Table, number: int, column: str, message: str) -> None:
    if len(table.problems) < ERRORS_AT_MOST:
        table.problems.append(Problem(number, column, message))
