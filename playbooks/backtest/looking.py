"""One batch of alerts, tried on a graph: loaded with a handful of queries, rated by lists and by kept answers alone."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, cast

from cases.asset_facts import known_of
from cases.choices import Severity
from cases.models import Alert, AlertObservable, AlertSource
from playbooks.backtest.tally import Deed, Tally
from playbooks.choices import TaskStatus
from playbooks.graph import walk
from playbooks.graph.model import Graph, Node
from playbooks.graph.starting import is_within, off_target
from playbooks.graph.touching import Touch, touches
from playbooks.models import Run
from playbooks.response.desk import Desk, Place
from playbooks.response.facts import asks_observables, facts_of
from playbooks.response.locking import Held
from playbooks.response.objects import RATED, Named, objects_from
from playbooks.response.rating import inherit
from soar.connectors.capabilities import SENDER
from soar.connectors.intelligence.rating import rate_values

Pair = tuple[str, str]
Rated = dict[str, Any]
RATINGS_KEPT = 200_000
COLUMNS = (
    "severity", "detection_model", "tags", "techniques", "occurred_at", "received_at", "hostname", "username",
    "source_ip", "entities",
)  # fmt: skip


class Line(NamedTuple):
    """What is read of an alert: instances of the model cost more than all that is then asked of them."""

    pk: int
    source: AlertSource
    severity: int
    detection_model: str
    tags: list[str]
    techniques: list[str]
    occurred_at: datetime
    received_at: datetime
    hostname: str
    username: str
    source_ip: str | None
    entities: Any


class Look:
    """Tries alerts on one graph. Ratings, lists and accounts are read once and kept.

    Nobody's rights are asked: who will publish it is not known yet."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._asks_observables = asks_observables(graph)
        self.desk = Desk(Held(Run(), None, None))  # decides as the engine does; the run is never saved
        self._ratings: dict[Pair, Rated] = {}
        self._sources: dict[int, AlertSource] = {}

    def batch(self, ids: Sequence[int], tally: Tally) -> None:
        """Count these alerts."""
        alerts = [line for line in self._lines(ids) if self._takes(line)]
        if not alerts:
            return
        wanted = [alert.pk for alert in alerts]
        observables = _observables(wanted)
        assets = known_of(wanted)
        with _without_collecting():
            found = [
                (alert, objects_from(_alert(alert), observables.get(alert.pk, []), assets.get(alert.pk, [])))
                for alert in alerts
            ]
        self._rate(objects for _alert, objects in found)
        with _without_collecting():
            for alert, objects in found:
                self._count(alert, objects, observables.get(alert.pk, []), tally)

    def _lines(self, ids: Sequence[int]) -> list[Line]:
        rows = list(Alert.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "source_id", *COLUMNS))
        lacking = {row[1] for row in rows} - self._sources.keys()
        self._sources |= AlertSource.objects.only("slug").in_bulk(lacking) if lacking else {}
        return [Line(row[0], self._sources[row[1]], *row[2:]) for row in rows]

    def _takes(self, alert: Line) -> bool:
        return not off_target(self.graph.target, Severity(alert.severity).word, alert.detection_model)

    def _rate(self, batches: Iterable[list[dict[str, Any]]]) -> None:
        """Rate all objects of a batch with two queries: lists, and what providers said before."""
        everything = list(batches)
        rated = [one for objects in everything for one in objects if one["kind"] in (*RATED, SENDER)]
        pairs = {(one["type"], one["value"]) for one in rated}
        if lacking := pairs - self._ratings.keys():
            if len(self._ratings) > RATINGS_KEPT:
                self._ratings.clear()
                lacking = pairs
            for pair, rating in rate_values(lacking, tlp="", ask=False).items():
                self._ratings[pair] = {"risk": rating.risk, "benign": rating.benign}
        for one in rated:
            one.update(self._ratings[one["type"], one["value"]])
        for objects in everything:
            inherit(objects)

    def _count(self, alert: Line, targets: list[dict[str, Any]], named: list[Named], tally: Tally) -> None:
        self.desk.held.run.targets = targets  # what protects a host protects what is on it
        values = tuple(value for _type, value, _role, _marked in named) if self._asks_observables else ()
        facts = facts_of(_alert(alert), targets, self.graph.trigger.time_zone, values)
        by_key = {one.key: one for one in facts.objects}
        path: list[str] = []
        ways: list[tuple[str, str]] = []
        deeds: list[Deed] = []
        for visit in walk.trace(self.graph, facts):
            path.append(visit.node.id)
            if visit.verdict is not None:
                passed = walk.passed_condition(visit.verdict)
                ways += [(visit.node.id, side) for side, went in _sides(passed) if went]
                continue
            for touch in touches(visit.node, by_key, visit.arriving):
                deeds += self._deeds(visit.node, touch)
        outside = self.graph.trigger.type == "automatic" and not is_within(self.graph.trigger, alert.received_at)
        tally.add(alert.pk, f"{alert.received_at:%Y-%m-%d}", outside, path, ways, deeds)

    def _deeds(self, node: Node, touch: Touch) -> list[Deed]:
        return [_deed(touch, place) for place in self.desk.places(node, touch)]


def _alert(line: Line) -> Alert:
    """The line for functions that take an alert: they read no more of one than a line has."""
    return cast("Alert", line)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Thousands of small objects that live together are no cycles: looking for such took a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _sides(passed: walk.Passed) -> list[tuple[str, bool]]:
    return [("right", passed.goes_right), ("below", passed.goes_below)]


def _deed(touch: Touch, place: Place) -> Deed:
    one, spec = touch.object, touch.spec
    waits = place.status == TaskStatus.PENDING_APPROVAL
    return Deed(
        action=spec.name,
        kind=one.kind if one else "",
        value=one.value[:300] if one else "",
        responds=spec.responds,
        asks=waits and not place.why,
        held=place.why if waits else "",
        ended=_ended(place),
    )


def _ended(place: Place) -> str:
    if place.status == TaskStatus.NO_ACTION:
        return "benign"
    return "lacking" if place.status == TaskStatus.UNSUCCESSFUL else ""


def _observables(alerts: Sequence[int]) -> dict[int, list[Named]]:
    """The observables of these alerts, as ``objects_from`` takes them."""
    found: dict[int, list[Named]] = defaultdict(list)
    links = AlertObservable.objects.filter(alert__in=alerts).order_by("pk")
    columns = ("alert_id", "observable__type", "observable__value", "role", "highlighted")
    for alert, type_, value, role, marked in links.values_list(*columns):
        found[alert].append((type_, value, role, marked))
    return found
