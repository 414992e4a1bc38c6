"""What a suppression rule would have held back of past alerts (ingest-and-api.md 9): read from the newest on for about
a second, then told with the place to go on from. So the answer is there at once whatever the number of alerts, and the
page asks on until all are read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils.translation import gettext as _

from cases.choices import Determination, Severity
from cases.errors import Refused
from cases.ingest.conditions import Conditions
from cases.ingest.suppression import Scope
from cases.models import Alert
from cases.querysets import AlertQuerySet
from cases.suppression_sql import where_of
from soar.accounts.models import User
from soar.lib import clock

DAYS = (7, 30)
SECONDS = 1.0  # of reading in one answer
FIRST_CHUNK, MOST_CHUNK = 5_000, 200_000  # ids; more as long as they are read quickly
EXAMPLES = 5
WHOLE = 100_000  # ids that are simply all read, whatever order they came in
FIGURES = f"""
    SELECT count(*), count(*) FILTER (WHERE hit),
        count(*) FILTER (WHERE hit AND severity >= {Severity.HIGH.value}),
        count(*) FILTER (WHERE hit AND determination = {Determination.MALICIOUS.value}),
        (array_agg(id ORDER BY id DESC) FILTER (WHERE hit))[1:{EXAMPLES}]
    FROM ({{rows}}) looked_at"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known so far: of ``read`` alerts of the last ``days`` the rule meets ``held``, ``severe`` of them high or
    critical, ``malicious`` found to be so. ``examples`` are ids, newest first. Ids above ``position`` are read; it is
    done at ``floor``."""

    days: int
    top: int
    floor: int
    position: int
    read: int = 0
    held: int = 0
    severe: int = 0
    malicious: int = 0
    examples: list[int] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether all were read."""
        return self.position <= self.floor

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        whole = self.top - self.floor
        return 100 if self.done or whole <= 0 else min(99, 100 * (self.top - self.position) // whole)

    @property
    def cursor(self) -> str:
        """Where to go on, "" when it is done."""
        figures = (self.top, self.floor, self.position, self.read, self.held, self.severe, self.malicious)
        return "" if self.done else ".".join(map(str, (*figures, *self.examples)))


def preview(user: User, conditions: Conditions, scope: Scope, *, days: int = 7, cursor: str = "") -> Preview:
    """Read on for about a second, of what the person may see. Raises Refused for days or a cursor that are none."""
    if days not in DAYS:
        raise Refused(_("Days are one of %(map)s.") % {"map": ", ".join(map(str, DAYS))}, field="days")
    since = clock.now() - timedelta(days=days)
    found = _resumed(days, cursor) if cursor else _begun(days, since)
    rows = Alert.objects.visible_to(user).filter(received_at__gte=since)
    if not scope.all_teams:
        rows = rows.filter(team=scope.team)
    return _read_on(found, rows, conditions)


def _read_on(found: Preview, rows: AlertQuerySet, conditions: Conditions) -> Preview:
    until, chunk = time.monotonic() + SECONDS, FIRST_CHUNK
    while not found.done and time.monotonic() < until:
        began = time.monotonic()
        low = max(found.floor, found.position - chunk)
        figures = _figures(rows.filter(pk__gt=low, pk__lte=found.position), conditions, low)
        found = _added(found, low, figures)
        if time.monotonic() - began < SECONDS / 5:
            chunk = min(chunk * 2, MOST_CHUNK)
    return found


def _figures(rows: AlertQuerySet, conditions: Conditions, above: int) -> tuple[Any, ...]:
    where, values = where_of(conditions, above=above)
    looked_at = rows.order_by().extra(select={"hit": where}, select_params=values)  # noqa: S610 - constants
    sql, params = looked_at.values("hit", "id", "severity", "determination").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(FIGURES.format(rows=sql), params)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _added(found: Preview, position: int, figures: tuple[Any, ...]) -> Preview:
    read, held, severe, malicious, examples = figures
    return replace(
        found,
        position=position,
        read=found.read + read,
        held=found.held + held,
        severe=found.severe + severe,
        malicious=found.malicious + malicious,
        examples=[*found.examples, *(examples or [])][:EXAMPLES],
    )


def _begun(days: int, since: datetime) -> Preview:
    ends = Alert.objects.aggregate(low=Min("pk"), high=Max("pk"))
    low, high = (ends["low"] or 1) - 1, ends["high"] or 0
    floor = low if high - low <= WHOLE else _first_since(since, low, high)
    return Preview(days, high, floor, high)


def _first_since(since: datetime, low: int, high: int) -> int:
    """The id behind which alerts were received since then: ids rise with time, near enough."""
    while high - low > 1000:
        middle = (low + high) // 2
        at = Alert.objects.filter(pk__gt=middle).order_by("pk").values_list("received_at", flat=True).first()
        low, high = (low, middle) if at is None or at >= since else (middle, high)
    return low


def _resumed(days: int, cursor: str) -> Preview:
    parts = cursor.split(".")
    if not 7 <= len(parts) <= 7 + EXAMPLES or not all(part.isascii() and part.isdecimal() for part in parts):
        raise Refused(_("This is not a cursor of a preview."), field="cursor")
    top, floor, position, read, held, severe, malicious, *examples = (int(part[:18]) for part in parts)
    return Preview(days, top, floor, min(position, top), read, held, severe, malicious, examples)
