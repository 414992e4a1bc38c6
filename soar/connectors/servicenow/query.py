"""Encoded queries, built so that no value can change them. Pure.

ServiceNow leaves out what it does not understand and runs the rest, so every row is compared with the query again by
whoever asked (reference: alertmanager-webhook #31, kibana #217004)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from soar.connectors.base import ConnectorError

FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_CORRELATION = 100


class IgnoredQuery(ConnectorError):
    """ServiceNow answered rows that were not asked for: a part of the query was ignored."""

    def __init__(self, table: str, part: str) -> None:
        text = (
            f"ServiceNow ignored a part of the query ({part}) and answered other records of {table}. "
            "Nothing of this answer is used. The integration user may not be allowed to read the field."
        )
        super().__init__(text, permanent=True)


def both(*parts: str) -> str:
    """All of ``parts`` must hold."""
    return "^".join(part for part in parts if part)


def equals(field: str, value: str) -> str:
    """Raises ConnectorError for a value that would change the query, and for an empty one."""
    return f"{named(field)}={plain(value)}"


def begins(field: str, value: str) -> str:
    """See ``equals``."""
    return f"{named(field)}STARTSWITH{plain(value)}"


def holds(field: str, value: str) -> str:
    """The value stands anywhere in the field. See ``equals``."""
    return f"{named(field)}LIKE{plain(value)}"


def since(field: str, literal: str) -> str:
    """From this time on (see times.literal)."""
    return f"{named(field)}>={plain(literal)}"


def among(field: str, values: Iterable[str]) -> str:
    """One of ``values``. Raises ConnectorError when there is none: an empty list would match everything."""
    made = [plain(value) for value in values]
    if not made or any("," in value for value in made):
        raise ConnectorError(
            f"{field} cannot be looked up in ServiceNow: no value, or one with a comma.", permanent=True
        )
    return f"{named(field)}IN{','.join(made)}"


def plain(value: str) -> str:
    """A value that stands in a query as it is. Raises ConnectorError: ``^`` begins another part, ``javascript:`` is
    run there, and an empty one matches what it should not."""
    if not value.strip():
        raise ConnectorError("ServiceNow is never asked for an empty value: any record could be meant.", permanent=True)
    if "^" in value or not value.isprintable() or value.strip().lower().startswith("javascript:"):
        raise ConnectorError(
            f"{value[:60]!r} cannot be looked up in ServiceNow: it would change the query.", permanent=True
        )
    return value


def named(field: str) -> str:
    """Raises ConnectorError for what is no name of a field."""
    if not FIELD.fullmatch(field):
        raise ConnectorError(f"{field[:60]!r} is no name of a ServiceNow field.", permanent=True)
    return field


def table_named(table: str) -> str:
    """Raises ConnectorError for what is no name of a table."""
    if not TABLE.fullmatch(table):
        raise ConnectorError(f"{table[:60]!r} is no name of a ServiceNow table.", permanent=True)
    return table


def identity(sys_id: str) -> str:
    """Raises ConnectorError for what is no sys_id; an empty one would be a question for the whole table."""
    if not IDENTITY.fullmatch(sys_id):
        raise ConnectorError(f"{sys_id[:60]!r} is no sys_id of ServiceNow.", permanent=True)
    return sys_id


def correlation(value: str) -> str:
    """Raises ConnectorError for a correlation id that ServiceNow would cut (100 characters) or misread."""
    if len(value) > LONGEST_CORRELATION:
        text = f"A correlation id has at most {LONGEST_CORRELATION} characters, this one has {len(value)}."
        raise ConnectorError(text, permanent=True)
    return plain(value)
