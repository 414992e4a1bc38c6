"""Log lines: plain for people, or JSON, one object a line, for programs that gather and search them (operations.md 7).

Neither can be forged by what somebody typed: a line ends where its record ends."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

PLAIN = "%(asctime)s %(levelname)s %(name)s [%(request_id)s %(cause)s] %(message)s"
FORMATS = ("plain", "json")
BEGIN = '{"at": '  # by which the supervisor knows one
# What ends a line, moves the cursor, colours a terminal or turns text round.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
INSIDE = "    "  # before each line of an exception, so that none passes for a record


class PlainLines(logging.Formatter):
    """A record as one line for people, control characters written as Python writes them: ``\\n``, ``\\x1b``. An
    exception stands below, each of its lines indented."""

    def __init__(self) -> None:
        super().__init__(PLAIN)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        record.message, record.asctime = record.getMessage(), self.formatTime(record)
        lines = [_inert(self.formatMessage(record))]
        if record.exc_info:
            told = self.formatException(record.exc_info).split("\n")
            lines += [INSIDE + _inert(line) for line in told]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """A record as one line of JSON. ``request_id`` and ``cause`` are null where there is none; ``exception`` is there
    only with an exception. What was typed cannot end the line nor forge a field: JSON escapes it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "request_id": _known(record, "request_id"),
            "cause": _known(record, "cause"),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def from_process(name: str, line: str) -> str:
    """``line`` of the child ``name`` as JSON with its name in front; what is no JSON becomes its message."""
    if line.startswith(BEGIN):
        return f'{{"process": {json.dumps(name)}, {line[1:]}'
    return json.dumps({"process": name, "message": line})


def _inert(text: str) -> str:
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _known(record: logging.LogRecord, name: str) -> str | None:
    value = getattr(record, name, "-")
    return None if value == "-" else str(value)
