"""Tactics and techniques of MITRE ATT&CK by id and name. Pure; ``cases.attack.stored`` gives the one that is in use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

ID = re.compile(r"T\d{4}(\.\d{3})?")
ID_AT_MOST = 20
NAME_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Tactic:
    """A column of the matrix: ``TA0001``, ``initial-access``, Initial Access."""

    id: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique or sub-technique. ``full`` names the technique before the sub-technique; ``tactics`` are slugs in the
    order of the matrix, none for one that was withdrawn; ``now`` is the id that took its place."""

    id: str
    name: str
    full: str
    tactics: tuple[str, ...]
    now: str = ""

    @property
    def parent(self) -> str:
        """The id of the technique of a sub-technique, else its own."""
        return parent_of(self.id)

    @property
    def current(self) -> bool:
        """Whether it stands in the matrix."""
        return bool(self.tactics)


@dataclass(frozen=True)
class Catalog:
    """What a release of ATT&CK knows. Ids that it does not know are shown as they are: nothing is lost by it."""

    version: str
    tactics: tuple[Tactic, ...]
    techniques: Mapping[str, Technique] = field(repr=False)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Catalog:
        """From the document of ``enterprise.json``: ``version``, ``tactics`` [[id, slug, name]], ``techniques`` {id:
        [name, [slug]]}, ``former`` {id: [name, the id that took its place or ""]}.

        Raises KeyError, TypeError or ValueError for another shape."""
        tactics = tuple(Tactic(*map(str, row)) for row in document["tactics"])
        names = {id: str(row[0]) for id, row in document["techniques"].items()}
        found = {
            id: Technique(id, names[id], _full(id, names), tuple(map(str, row[1])))
            for id, row in document["techniques"].items()
        }
        for id, (name, now) in document["former"].items():
            found.setdefault(id, Technique(id, str(name), _full(id, {**names, id: str(name)}), (), str(now)))
        return cls(str(document["version"]), tactics, found)

    def get(self, id: str) -> Technique | None:
        """The technique with this id, whatever the capitals."""
        return self.techniques.get(id.strip().upper()) if len(id) <= ID_AT_MOST else None

    def name(self, id: str) -> str:
        """ "Phishing: Spearphishing Link" for ``T1566.002``; "" for an id that is not known."""
        found = self.get(id)
        if found is None:
            return ""
        return f"{found.full} (now {found.now})" if found.now else found.full

    def family(self, id: str) -> list[str]:
        """The technique and its sub-techniques; of a sub-technique, or an id that is not known, that one alone."""
        wanted = id.strip().upper()
        return [wanted, *self.children.get(wanted, ())]

    def tactic_names(self, technique: Technique) -> list[str]:
        """Its tactics in words."""
        return [one.name for one in self.tactics if one.slug in technique.tactics]

    def matrix(self) -> list[tuple[Tactic, list[Technique]]]:
        """The columns with their techniques by name, sub-techniques left out (``children`` has them)."""
        return self._columns

    @cached_property
    def _columns(self) -> list[tuple[Tactic, list[Technique]]]:
        whole = sorted((one for one in self.techniques.values() if "." not in one.id), key=_by_name)
        return [(tactic, [one for one in whole if tactic.slug in one.tactics]) for tactic in self.tactics]

    def search(self, text: str, most: int = 20, *, tactic: str = "") -> list[Technique]:
        """Techniques by the beginning of their id or words of their name, best first: an id, then a name that begins
        so, then one that holds all words. Withdrawn ones are found by id alone."""
        words = text.casefold().split()
        if not words and not tactic:
            return []
        ranked = [(rank, one.id, one) for one in self._of(tactic) if (rank := _rank(one, words)) is not None]
        return [one for _rank_, _id, one in sorted(ranked, key=lambda row: row[:2])[:most]]

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Ids of the sub-techniques by the id of their technique, in order."""
        found: dict[str, list[str]] = {}
        for one in sorted(self.techniques):
            if "." in one and self.techniques[one].current:
                found.setdefault(parent_of(one), []).append(one)
        return found

    def _of(self, tactic: str) -> Iterable[Technique]:
        return (one for one in self.techniques.values() if not tactic or tactic in one.tactics)


def _by_name(one: Technique) -> str:
    return one.name.casefold()


def parent_of(id: str) -> str:
    """``T1566`` for ``T1566.002`` and for itself."""
    return id.partition(".")[0]


def _full(id: str, names: Mapping[str, str]) -> str:
    above = names.get(parent_of(id), "") if "." in id else ""
    return f"{above}: {names[id]}" if above else names[id]


def _rank(one: Technique, words: list[str]) -> int | None:
    """0 for the id itself, then beginnings of ids, of names, words of names; None for what does not fit."""
    text = " ".join(words)
    if one.id.casefold() == text:
        return 0
    if not one.current:
        return None
    if text and one.id.casefold().startswith(text):
        return 1
    name = one.full.casefold()
    if text and (one.name.casefold().startswith(text) or name.startswith(text)):
        return 2
    return 3 if all(word in name or word in one.id.casefold() for word in words) else None
