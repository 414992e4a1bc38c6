"""Two lists with a search: what may be chosen, what is chosen (response-playbooks.md 4). Works without a script."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.builder.fields import Choice
from playbooks.builder.offers import Pairs

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Picker:
    """``badge``: the note of a choice is a severity. ``more``: how many were found and are not shown."""

    name: str
    label: str
    chosen: list[Choice]
    offered: list[Choice]
    search: str
    error: str
    hint: str
    more: int
    badge: bool

    @property
    def id(self) -> str:
        """The beginning of its ids."""
        return f"f-{self.name}"


def picker(
    name: str, label: str, chosen: list[str], all_of_them: Pairs, search: str, error: str, hint: str,
    *, badge: bool = False,
) -> Picker:  # fmt: skip
    """The lists now. What is chosen but no longer there is shown as it is, so that it can be taken out."""
    known = dict(all_of_them)
    folded = search.strip().lower()
    there = {value.lower() for value in chosen}
    found = [
        (value, note)
        for value, note in all_of_them
        if value.lower() not in there and (folded in value.lower() or folded in note.lower())
    ]
    return Picker(
        name, label,
        [Choice(value, value, True, note=known.get(value, "")) for value in chosen],
        [Choice(value, value, note=note) for value, note in found[:SHOWN]],
        search, error, hint, max(0, len(found) - SHOWN), badge,
    )  # fmt: skip
