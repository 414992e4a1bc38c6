"""A connector to a product that alerts are read from, a page at a time: one protocol, whatever the product keeps its
place by (connectors.md 4). Who reads, who holds the lease and what is stored is not its matter (cases.pulls)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from soar.connectors.base import Connector
from soar.lib import clock
from soar.lib.http import Answer

MINUTE = timedelta(minutes=1)
READ = "alerts.read"  # the operation of the calls that read alerts, whose rows are not kept for long


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reading came. ``until``: all before it is stored, if the product is read by time. ``mark``: what else
    the kind goes on by (the last number of a mailbox), as small JSON; nothing secret, people see it in words."""

    until: datetime | None = None
    mark: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """What came with an alert and is kept as evidence of it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One alert. ``payload``: as the source's kind reads it. ``identity``: the product's own id (300 characters);
    "" is no alert. ``changed``: what differs after each change of it: the time, and behind a space what tells two
    changes at one time apart; at most 40."""

    payload: dict[str, Any]
    identity: str
    changed: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer brought. ``place``: where to go on once this page and all before it are stored; None while only
    a later page can tell."""

    items: list[Item]
    place: Place | None = None


class AlertReader(Connector):
    """Makes calls, so it is used outside of transactions. All raise ConnectorError, and then nothing moves beyond the
    last ``place``: a reader that cannot vouch for a page (a shard failed, a time-out) raises instead of giving it."""

    @abstractmethod
    def read(self, place: Place | None, first: datetime) -> Iterator[Page]:
        """All that there is by now, from ``place`` on; None: from ``first`` on. Some may come twice, none may be left
        out. The next page is asked for only after this one is stored."""

    def subject(self) -> str:
        """What is read, at most 300 characters: another mailbox or index is begun anew, at ``first``."""
        return ""

    def told(self, place: Place) -> str:
        """The mark in words, "" where the time says it all."""
        return ""


class TimeReader(AlertReader):
    """Of a product that is asked for what was made or changed in a span of time. Each reading begins ``overlap``
    before the last place, because products show some alerts late with an early time.

    ``server_time``: by the product's last answer, None before the first."""

    overlap: ClassVar[timedelta] = timedelta(minutes=15)
    step: ClassVar[timedelta] = timedelta(hours=24)  # asked for at once at most, after a long silence
    server_time: datetime | None = None

    @abstractmethod
    def alert_pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        """What was made or changed from ``start`` to ``end``, a page at a time; some come twice."""

    @abstractmethod
    def identify(self, item: dict[str, Any]) -> tuple[str, str]:
        """``identity`` and ``changed`` of an Item; ("", "") for no alert."""

    def call(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """See Connector; keeps the product's own time, where it tells it."""
        answer = super().call(operation, method, path, **options)
        with suppress(ValueError):
            self.server_time = parsedate_to_datetime(str(answer.headers.get("date", ""))).astimezone(UTC)
        return answer

    def look_back(self) -> timedelta:
        """How long before the last place a reading begins."""
        return self.overlap

    def read(self, place: Place | None, first: datetime) -> Iterator[Page]:
        """See AlertReader."""
        begin, start, more = (place and place.until) or first, first, True
        if place and place.until:
            start = min(begin, clock.now()) - self.look_back()
        while more:
            now = clock.now()
            end = begin + self.step if now - begin > self.step + MINUTE else now
            for items in self.alert_pages(start, end):
                yield Page([Item(one, *self.identify(one)) for one in items])
            # By the product's clock, if ours is ahead of it: what it makes now would bear a time that was read already.
            reached = max(begin, min(end, self.server_time or end))
            yield Page([], Place(reached))
            more = end < now and reached > begin
            begin, start = reached, reached - self.look_back()
