"""Changes of many alerts that are written together: inside ``collecting`` what actions record and save is gathered,
and then written with three statements, however many alerts there are (casework.md 2: bulk on all that matches)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from cases.models import Alert, TimelineEntry


@dataclass
class Changes:
    """What is to be written of one alert: entries in their order, and fields of the row."""

    alert: Alert
    entries: list[TimelineEntry] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)


class Batch:
    """Alerts that the caller has locked in an open transaction, and what became of them."""

    def __init__(self) -> None:
        self.changes: dict[int, Changes] = {}

    def record(self, alert: Alert, entry: TimelineEntry) -> None:
        """Note an entry; it gets id and hash when all are written."""
        self._of(alert).entries.append(entry)

    def save(self, alert: Alert, fields: tuple[str, ...]) -> None:
        """Note fields of the row."""
        self._of(alert).fields.update(fields)

    def drop(self, alert: Alert) -> None:
        """Forget what was noted of an alert: its verb was refused half-way."""
        self.changes.pop(alert.pk, None)

    def _of(self, alert: Alert) -> Changes:
        return self.changes.setdefault(alert.pk, Changes(alert))


_batch: ContextVar[Batch | None] = ContextVar("soar_timeline_batch", default=None)


def current() -> Batch | None:
    """The batch that is being collected, if any."""
    return _batch.get()


@contextmanager
def collecting() -> Iterator[Batch]:
    """Gather what is recorded and saved of alerts inside; the caller writes it (``timeline_many.write``)."""
    batch = Batch()
    token = _batch.set(batch)
    try:
        yield batch
    finally:
        _batch.reset(token)
