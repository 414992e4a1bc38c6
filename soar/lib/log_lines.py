"""Log lines as JSON, one object a line, for programs that gather and search them (operations.md 7)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

PLAIN = "%(asctime)s %(levelname)s %(name)s [%(request_id)s %(cause)s] %(message)s"
FORMATS = ("plain", "json")
BEGIN = '{"at": '  # by which the supervisor knows one


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


def _known(record: logging.LogRecord, name: str) -> str | None:
    value = getattr(record, name, "-")
    return None if value == "-" else str(value)
