"""What the tasks of a node found becomes objects of the next ones (rulings 12), each thing once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playbooks.models import ResponseTask, Step
from playbooks.response.locking import Held
from playbooks.response.objects import Target

Pair = tuple[str, str]


def take_in(held: Held, step: Step) -> list[str]:
    """Add what a node found to the run's objects. Returns the keys of all of it, also of what was there before."""
    targets: list[Target] = held.run.targets or []
    known: Known | None = None
    keys: dict[str, None] = {}
    for data, risk in ResponseTask.objects.filter(step=step).values_list("data", "risk"):
        for one in data.get("found", ()):
            known = known or Known(targets)
            keys[known.key_of(one, risk)] = None
    if keys:
        held.run.targets = targets
        held.run.save(update_fields=["targets"])
    return list(keys)


class Known:
    """The objects of a run, found again by what is told of one. Looks into each of them once: a search may find
    thousands of messages, and the locks of the case are held meanwhile.

    The same thing is what has the kind and the name of an object, and where both say in which mailbox a message lies,
    that mailbox too; or it is a message that shares an id within a mailbox. Nothing is done twice to one message."""

    def __init__(self, targets: list[Target]) -> None:
        self._targets = targets
        self._by_name: dict[tuple[str, str], int] = {}
        self._by_box: dict[tuple[str, str, str], int] = {}
        self._by_id: dict[Pair, int] = {}
        for place, one in enumerate(targets):
            self._note(place, one)

    def key_of(self, one: dict[str, Any], risk: str) -> str:
        """The key of the first object that is the same; of a new one, with that risk, if there is none."""
        there = min(self._places(one), default=None)
        if there is not None:
            return str(self._targets[there]["key"])
        made = _target(f"o{len(self._targets) + 1}", one, risk)
        self._note(len(self._targets), made)
        self._targets.append(made)
        return str(made["key"])

    def _note(self, place: int, one: Target) -> None:
        kind, name = one["kind"], str(one["value"]).casefold()
        self._by_name.setdefault((kind, name), place)
        self._by_box.setdefault((kind, name, _box(one)), place)
        for pair in _ids(one) if kind == "message" else ():
            self._by_id.setdefault(pair, place)

    def _places(self, one: dict[str, Any]) -> Iterator[int]:
        kind, name, box = _kind(one), str(one["value"]).casefold(), _box(one)
        if not box:
            found = [self._by_name.get((kind, name))]
        else:
            found = [self._by_box.get((kind, name, where)) for where in (box, "")]
        if kind == "message":
            found += [self._by_id.get(pair) for pair in _ids(one)]
        yield from (place for place in found if place is not None)


def _target(key: str, one: dict[str, Any], risk: str) -> Target:
    return {
        "key": key, "kind": _kind(one), "type": _kind(one),
        "value": str(one["value"]), "risk": risk or "unrated", "rule": "As the object by which it was found.",
        "evidence": [], "scores": {}, "rated_at": None, "benign": "", "related": [],
        "facts": dict(one.get("facts") or {}), "asset": None, "highlighted": False,
    }  # fmt: skip


def _kind(one: dict[str, Any]) -> str:
    return str(one.get("kind", "message"))


def _box(one: dict[str, Any]) -> str:
    """The mailbox that a message lies in, where that is said."""
    return str((one.get("facts") or {}).get("mailbox") or "").casefold()


def _ids(one: dict[str, Any]) -> set[Pair]:
    """The ids of a message, each with its mailbox: not every product names a message by both. Empty without one."""
    facts, box = one.get("facts") or {}, _box(one)
    told = (str(facts.get(name) or "") for name in ("message_id", "unique_id"))
    return {(identity, box) for identity in told if identity and box}
