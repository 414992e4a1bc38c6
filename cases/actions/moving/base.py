"""What each part of a merge can do: say what would go, take it over, put it back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from cases.actors import Actor
from cases.models import Incident, IncidentMove

# Why a field of the other incident changes, as its timeline says it. Without a number: not everybody sees both.
MERGED, MERGE_UNDONE, SPLIT_UNDONE = "By a merge", "By taking a merge back", "By taking a split back"


@dataclass(frozen=True, slots=True)
class Way:
    """From ``source`` to ``target``, both locked but for a preview. Parts change the fields of both in memory; whoever
    called them saves the rows.

    ``later``, for the way back: the merges into ``target`` that came after and last. What their incidents would have
    brought, had it not been there already, is theirs from then on (``heir``): an undo of theirs takes it away.
    ``why``: what the entries of its timeline say.
    ``gone``: ids of people who own ``target`` no more, by what somebody did there, and do not come back to it."""

    actor: Actor
    source: Incident
    target: Incident
    later: list[IncidentMove] = field(default_factory=list)
    gone: frozenset[int] = frozenset()
    why: str = MERGED

    def heir(self, has: Callable[[Incident], Any]) -> IncidentMove | None:
        """The first of the later merges whose incident has it as well; None if nobody else needs it."""
        return next((move for move in self.later if has(move.source)), None)


@dataclass(frozen=True, slots=True)
class Told:
    """How many would go, and how many would stay in the merged incident, with the reason."""

    moves: int = 0
    stays: int = 0
    why: str = ""


class Part(ABC):
    """One sort of things. ``name`` is its key in the row that is kept, ``label`` its word on the page."""

    name: str = ""
    label: str | Promise = ""

    @abstractmethod
    def preview(self, way: Way) -> Told:
        """What ``move`` would do."""

    @abstractmethod
    def move(self, way: Way) -> Any:
        """Take it over. Returns what ``back`` needs as JSON; what is false means that nothing went."""

    def stays(self, way: Way, kept: Any) -> list[str]:
        """What ``back`` would leave where it is, in words. Changes nothing."""
        return []

    @abstractmethod
    def back(self, way: Way, kept: Any) -> list[str]:
        """Put back what was not changed since. Returns what was left where it is, in words."""


def left(number: int, one: str, many: str) -> list[str]:
    """The sentence for so many things that could not be put back; none for none. ``many`` has a place for ``n``."""
    if number <= 0:
        return []
    return [one if number == 1 else many % {"n": number}]
