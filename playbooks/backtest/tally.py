"""What a backtest counts. Pure; as JSON it is ``Backtest.result``, and counting goes on from there after a crash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SAMPLE, HELD_KEPT, VALUES_KEPT, TOP = 30, 30, 500, 3
# What an alert of a day would come to, from the most to the least.
ASKS, RUNS, CASE_ONLY, NOTHING = "asks", "runs", "case_only", "nothing"
OUTCOMES = (ASKS, RUNS, CASE_ONLY, NOTHING)


@dataclass(frozen=True, slots=True)
class Deed:
    """One task that a run would make. ``ended``: "", or why nothing would be done: benign, lacking (no connector).

    ``held``: the never-touch list's reason; ``asks``: an approval."""

    action: str
    kind: str
    value: str
    responds: bool
    asks: bool = False
    held: str = ""
    ended: str = ""


@dataclass(slots=True)
class Action:
    """How often an action would act."""

    alerts: int = 0
    objects: int = 0
    asks: int = 0
    held: int = 0
    benign: int = 0
    lacking: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)

    def add(self, deeds: list[Deed]) -> None:
        """The tasks of one alert."""
        self.alerts += 1
        for deed in deeds:
            self.objects += 1
            self.asks += deed.asks
            self.held += bool(deed.held)
            self.benign += deed.ended == "benign"
            self.lacking += deed.ended == "lacking"
            if deed.kind:
                self.kinds[deed.kind] += 1
            if deed.value and (deed.value in self.values or len(self.values) < VALUES_KEPT):
                self.values[deed.value] += 1


@dataclass(slots=True)
class Tally:
    """All of it. ``nodes``: alerts that reached a node; ``right``, ``below``: alerts of which something went there.

    ``days``: by date of receipt the number of alerts by outcome. ``sample``: the newest alerts that match."""

    matched: int = 0
    outside: int = 0
    nodes: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    below: Counter[str] = field(default_factory=Counter)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    held: list[dict[str, Any]] = field(default_factory=list)
    sample: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        alert: int,
        day: str,
        outside: bool,
        nodes: Iterable[str],
        ways: Iterable[tuple[str, str]],
        deeds: list[Deed],
    ) -> None:
        """One alert that the target takes. ``ways``: (condition, side) that something went."""
        path = list(nodes)
        self.matched += 1
        self.outside += outside
        self.nodes.update(path)
        for id, side in ways:
            (self.right if side == "right" else self.below)[id] += 1
        outcome = outcome_of(deeds)
        self.days.setdefault(day, Counter())[outcome] += 1
        by_action: dict[str, list[Deed]] = {}
        for deed in deeds:
            by_action.setdefault(deed.action, []).append(deed)
        for name, mine in by_action.items():
            self.actions.setdefault(name, Action()).add(mine)
        self._keep(alert, outcome, path, deeds)

    def _keep(self, alert: int, outcome: str, path: list[str], deeds: list[Deed]) -> None:
        for deed in deeds:
            if deed.held and len(self.held) < HELD_KEPT:
                row = {"alert": alert, "action": deed.action, "kind": deed.kind, "value": deed.value, "why": deed.held}
                self.held.append(row)
        acted = [deed for deed in deeds if not deed.ended]
        self.sample.append({
            "alert": alert, "outcome": outcome, "last": path[-1] if path else "", "tasks": len(acted),
            "held": sum(bool(deed.held) for deed in deeds), "ended": len(deeds) - len(acted),
        })  # fmt: skip
        del self.sample[:-SAMPLE]

    def as_json(self) -> dict[str, Any]:
        """``Backtest.result``."""
        return {
            "matched": self.matched,
            "outside_periods": self.outside,
            "nodes": dict(self.nodes),
            "right": dict(self.right),
            "below": dict(self.below),
            "days": {day: dict(counts) for day, counts in sorted(self.days.items())},
            "actions": {
                name: {
                    "alerts": one.alerts, "objects": one.objects, "asks": one.asks, "held": one.held,
                    "benign": one.benign, "lacking": one.lacking, "kinds": dict(one.kinds),
                    "values": dict(one.values.most_common(VALUES_KEPT)),
                }
                for name, one in sorted(self.actions.items())
            },
            "held": self.held,
            "sample": self.sample,
        }  # fmt: skip

    @classmethod
    def of(cls, saved: dict[str, Any]) -> Tally:
        """From ``Backtest.result``; of an empty one, nothing counted yet."""
        if not saved:
            return cls()
        return cls(
            matched=saved["matched"],
            outside=saved["outside_periods"],
            nodes=Counter(saved["nodes"]),
            right=Counter(saved["right"]),
            below=Counter(saved["below"]),
            days={day: Counter(counts) for day, counts in saved["days"].items()},
            actions={name: _action(one) for name, one in saved["actions"].items()},
            held=list(saved["held"]),
            sample=list(saved["sample"]),
        )


def _action(saved: dict[str, Any]) -> Action:
    made = Action()
    for name, value in saved.items():
        setattr(made, name, Counter(value) if name in ("kinds", "values") else value)
    return made


def outcome_of(deeds: list[Deed]) -> str:
    """The most that an alert would come to."""
    acting = [deed for deed in deeds if not deed.ended]
    if any(deed.asks or deed.held for deed in acting):
        return ASKS
    if any(deed.responds for deed in acting):
        return RUNS
    return CASE_ONLY if acting else NOTHING


def public(result: dict[str, Any]) -> dict[str, Any]:
    """The result for the API: of the values only the most frequent."""
    if not result:
        return {}
    actions = {
        name: {**one, "values": dict(Counter(one["values"]).most_common(TOP))}
        for name, one in result["actions"].items()
    }
    return {**result, "actions": actions}
