"""How many alerts and incidents bear each technique, as far as a person may see them (casework.md 6). Bounded: the
newest ``ROWS`` of the time asked for are read, behind them each figure is the least that there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from cases.attack.catalog import Catalog
from cases.models import Alert, Incident
from soar.accounts.models import User

ROWS = 20_000
# Rules give the same techniques again and again: there are few lists of them, however many alerts.
SQL = "SELECT techniques, count(*) FROM ({rows} LIMIT {most}) seen GROUP BY techniques"


@dataclass(frozen=True, slots=True)
class Counts:
    """``own``: things that bear the id itself; ``family``: it or one of its sub-techniques, each thing once. ``more``:
    there are older ones in the time asked for, which were not read."""

    own: dict[str, int] = field(default_factory=dict)
    family: dict[str, int] = field(default_factory=dict)
    more: bool = False

    def of(self, id: str) -> int:
        """What the list shows that is filtered by this id."""
        return self.own.get(id, 0) if "." in id or id not in self.family else self.family[id]


def of_alerts(user: User, since: datetime, catalog: Catalog) -> Counts:
    """Of alerts received since then, also those that a suppression rule holds back."""
    rows = Alert.objects.visible_to(user).filter(~Q(techniques=[]), received_at__gte=since)
    return _counted(rows.order_by("-received_at").values("techniques"), catalog)


def of_incidents(user: User, since: datetime, catalog: Catalog) -> Counts:
    """Of incidents opened since then; what was merged counts in the one that it went to."""
    rows = Incident.objects.visible_to(user).filter(~Q(techniques=[]), merged_at=None, created_at__gte=since)
    return _counted(rows.order_by("-created_at").values("techniques"), catalog)


def _counted(rows: QuerySet[Any, Any], catalog: Catalog) -> Counts:
    try:
        inner, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return Counts()
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(rows=inner, most=ROWS + 1), params)
        found = cursor.fetchall()
    own: Counter[str] = Counter()
    family: Counter[str] = Counter()
    for ids, number in found:
        known = {one.parent for id in ids if (one := catalog.get(id)) is not None and one.current}
        own.update(dict.fromkeys(ids, number))
        family.update(dict.fromkeys(known, number))
    return Counts(dict(own), dict(family), sum(number for _ids, number in found) > ROWS)
