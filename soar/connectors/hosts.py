"""Which of several computers of one name is meant: an agent that was installed anew leaves its former self behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from soar.connectors.errors import ConnectorError

ALIVE = timedelta(days=1)  # two that were seen within it may both be in use
Row = dict[str, Any]


def named(rows: Iterable[Row], name: str, field: str) -> list[Row]:
    """Those that are called so: by the full name, or by its first part where ``name`` has no other."""
    wanted = name.casefold().rstrip(".")
    full = [row for row in rows if (told := str(row.get(field) or "").casefold()) and (wanted in {told, _first(told)})]
    exact = [row for row in full if str(row.get(field)).casefold() == wanted]
    return exact or full


def the_one(
    rows: list[Row], name: str, product: str, seen: Callable[[Row], Any], identify: Callable[[Row], str]
) -> Row:
    """The one that was seen last. ``seen``: its time, as text. Raises ConnectorError when there is none, or when two
    are alive and nobody can tell which is meant."""
    if not rows:
        raise ConnectorError(f"{product} knows no computer {name}.", permanent=True)
    last = max(_moment(seen(row)) for row in rows)
    alive = [row for row in rows if last - _moment(seen(row)) <= ALIVE]
    if len(alive) > 1:
        ids = ", ".join(sorted(map(identify, alive))[:5])
        text = (
            f"{product} knows several computers {name} ({ids}). Nothing was changed; an alert of its own tells which."
        )
        raise ConnectorError(text, permanent=True)
    return alive[0]


def _first(name: str) -> str:
    return name.partition(".")[0]


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return found if found.tzinfo else datetime.fromisoformat(f"{value}+00:00")
