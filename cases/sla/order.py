"""The queue by how soon alerts must be taken, a page at a time (casework.md 11: breach shown and sortable).

Nothing is stored of when an alert is due (``triage``), and yet no list is sorted: of one severity, what came first is
due first. So a page is put together from the beginnings of one list for each severity, each read by an index. Alerts
for which no clock runs follow, as the queue shows them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.models import Alert
from cases.querysets import AlertQuerySet
from cases.sla.calendar import before, due
from cases.sla.current import policy_and_time
from cases.sla.policy import Policy
from cases.sla.triage import UNTAKEN
from soar.lib.keyset import BadCursor, Order, Page, keyset_page

REST = Order("rest", ("severity", "id"))
WAITS, RESTS = "w", "r"  # how the cursors of the two parts begin
TICK = timedelta(microseconds=1)
LATEST = 2**63 - 1
FAR = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order: behind what is due earlier, and of what is due together, behind a higher severity, what
    came earlier, and a lower id."""

    severity: int
    received: datetime
    pk: int

    def cursor(self, *, backwards: bool) -> str:
        """As it stands in an address."""
        body = json.dumps([self.severity, self.received.isoformat(), self.pk, int(backwards)], separators=(",", ":"))
        return WAITS + base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def sla_page(rows: QuerySet[Alert], cursor: str, size: int) -> Page[Alert]:
    """The page behind ``cursor`` (before it, if the cursor came as ``previous``). Raises BadCursor."""
    policy = policy_and_time()[0]
    if cursor.startswith(RESTS):
        return _rest_page(rows, policy, cursor[1:], size)
    place, backwards = _read(cursor) if cursor else (None, False)
    if place and policy.target(place.severity, "triage") is None:
        raise BadCursor(_("Alerts of this severity have no target any more."))
    places = _places(rows, policy, place, backwards, size + 1)
    more, places = len(places) > size, places[:size]
    if backwards:
        places.reverse()
        onward = places[-1].cursor(backwards=False) if places else RESTS
        return Page(_alerts(rows, places), onward, places[0].cursor(backwards=True) if more else "")
    back = (places[0].cursor(backwards=True) if places else WAITS) if cursor else ""
    if more:
        return Page(_alerts(rows, places), places[-1].cursor(backwards=False), back)
    rest, onward = _beginning(_rest(rows, policy), size - len(places))
    return Page([*_alerts(rows, places), *rest], onward, back)


def _rest_page(rows: QuerySet[Alert], policy: Policy, cursor: str, size: int) -> Page[Alert]:
    """A page of those without a clock; before the first of them stand those with one."""
    page = keyset_page(_rest(rows, policy), REST, cursor, size)
    previous = RESTS + page.previous if page.previous else WAITS
    return Page(page.rows, RESTS + page.next if page.next else "", previous)


def _beginning(rest: QuerySet[Alert], size: int) -> tuple[list[Alert], str]:
    if not size:
        return [], RESTS if rest.exists() else ""
    page = keyset_page(rest, REST, "", size)
    return page.rows, RESTS + page.next if page.next else ""


def _rest(rows: QuerySet[Alert], policy: Policy) -> QuerySet[Alert]:
    free = [one for one in Severity if policy.target(one, "triage") is None]
    return rows.filter(~UNTAKEN | Q(severity__in=free))


def _alerts(rows: QuerySet[Alert], places: list[Place]) -> list[Alert]:
    """The alerts at these places, in their order; ``rows`` says what is loaded of each."""
    found = rows.model._default_manager.filter(pk__in=[one.pk for one in places])
    by_id = {one.pk: one for one in cast(AlertQuerySet, found).with_line_data()} if places else {}
    return [by_id[one.pk] for one in places if one.pk in by_id]


def _places(rows: QuerySet[Alert], policy: Policy, place: Place | None, backwards: bool, size: int) -> list[Place]:
    """The next ``size`` places behind one, or before it and then backwards. One query."""
    lists = list(_lists(rows.filter(UNTAKEN), policy, place, backwards, size))
    if not lists:
        return []
    found = (lists[0].union(*lists[1:], all=True) if len(lists) > 1 else lists[0]).values_list(
        "severity", "received_at", "pk"
    )
    places = sorted((Place(*one) for one in found), key=lambda one: _key(policy, one), reverse=backwards)
    return places[:size]


def _lists(
    rows: QuerySet[Alert], policy: Policy, place: Place | None, backwards: bool, size: int
) -> Iterator[QuerySet[Alert, Any]]:
    """The beginning of the list of each severity that has a target."""
    at = _due(policy, place) if place else None
    sign = "-" if backwards else ""
    for severity in Severity:
        if policy.target(severity, "triage") is None:
            continue
        mine = rows.filter(severity=severity)
        if place is not None and at is not None:
            mine = mine.filter(_bound(policy, severity, place, at, backwards))
        yield mine.order_by(f"{sign}received_at", f"{sign}id").values("severity", "received_at", "pk")[:size]


def _bound(policy: Policy, severity: Severity, place: Place, at: datetime, backwards: bool) -> Q:
    """Where the list of a severity goes on: of the place's own by its key, of another by when it is due."""
    if severity == place.severity:
        sign = "lt" if backwards else "gt"
        together = Q(received_at=place.received, **{f"pk__{sign}": place.pk})
        return Q(**{f"received_at__{sign}": place.received}) | together
    target = cast(timedelta, policy.target(severity, "triage"))
    # A higher severity stands before what is due at the same moment, a lower one behind it.
    edge = before(policy.calendar(severity), at if severity > place.severity else at - TICK, target)
    if edge is None:
        return Q(pk__in=[]) if backwards else Q()
    return Q(received_at__lte=edge) if backwards else Q(received_at__gt=edge)


def _key(policy: Policy, place: Place) -> tuple[datetime, int, datetime, int]:
    return _due(policy, place), -place.severity, place.received, place.pk


def _due(policy: Policy, place: Place) -> datetime:
    """When it is due; what is not due within ten years stands last."""
    target = policy.target(place.severity, "triage")
    found = due(policy.calendar(place.severity), place.received, target) if target is not None else None
    return found or FAR


def _read(cursor: str) -> tuple[Place | None, bool]:
    """The place, None for the end of those with a clock, and whether the page before it is asked for."""
    if cursor == WAITS:
        return None, True
    try:
        if not cursor.startswith(WAITS):
            raise BadCursor(_("The cursor belongs to another order of the list."))
        body = cursor[1:]
        severity, received, pk, backwards = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        moment = datetime.fromisoformat(received)
        if moment.tzinfo is None or isinstance(pk, bool) or not isinstance(pk, int) or not 0 <= pk <= LATEST:
            raise BadCursor(_("The cursor is not one of this list."))
        return Place(Severity(severity), moment.astimezone(UTC), pk), bool(backwards)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadCursor(_("The cursor is not one of this list.")) from error
