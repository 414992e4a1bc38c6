"""Fields of the incident: tags and techniques are joined, severity, TLP and PAP are the graver of both."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions import custom_values
from cases.actions.base import TAGS_AT_MOST, change
from cases.actions.moving.base import Part, Told, Way
from cases.actions.techniques import TECHNIQUES_AT_MOST
from cases.choices import Pap, Severity, Tlp
from cases.models import Incident

MARKS = ("severity", "tlp", "pap")
_RANKS: dict[str, list[Any]] = {"severity": Severity.values, "tlp": Tlp.values, "pap": Pap.values}


class Words(Part):
    """A list of words of the incident, of which it has ``most`` at most."""

    def __init__(self, name: str, label: str | Promise, most: int) -> None:
        self.name, self.label, self._most = name, label, most

    @classmethod
    def all(cls) -> list[Part]:
        """Tags and techniques."""
        return [
            cls("tags", gettext_lazy("tags"), TAGS_AT_MOST),
            cls("techniques", gettext_lazy("ATT&CK techniques"), TECHNIQUES_AT_MOST),
        ]

    def preview(self, way: Way) -> Told:
        """Those that the other one does not have, while there is room."""
        new, stays = self._new(way)
        return Told(len(new), stays, _("there is no room for more") if stays else "")

    def move(self, way: Way) -> list[str]:
        """The words that are new."""
        new, _stays = self._new(way)
        change(way.target, way.actor, self.name, [*getattr(way.target, self.name), *new], reason=way.why)
        return new

    def back(self, way: Way, kept: Any) -> list[str]:
        """Take them off, but for those that a later merge brought too; who took one off since has done it already."""
        have = getattr(way.target, self.name)
        gone = [one for one in kept if one in have and not self._left_to_heir(way, one)]
        change(way.target, way.actor, self.name, [one for one in have if one not in gone], reason=way.why)
        return []

    def _left_to_heir(self, way: Way, word: str) -> bool:
        heir = way.heir(lambda incident: word in getattr(incident, self.name))
        if heir is not None:
            heir.moved[self.name] = [*heir.moved.get(self.name, []), word]
        return heir is not None

    def _new(self, way: Way) -> tuple[list[str], int]:
        have = getattr(way.target, self.name)
        new = [one for one in getattr(way.source, self.name) if one not in have]
        room = max(self._most - len(have), 0)
        return new[:room], len(new[room:])


class OwnFields(Part):
    """Custom fields: what the other incident has not filled in. Where both have a value, its own stays."""

    name, label = "custom_fields", gettext_lazy("custom fields")

    def preview(self, way: Way) -> Told:
        """Those that are empty there."""
        new = _new_values(way)
        stays = len(_filled(way.source)) - len(new)
        return Told(len(new), stays, _("%s has a value of its own") % way.target.number if stays else "")

    def move(self, way: Way) -> dict[str, Any]:
        """The values by key."""
        new = _new_values(way)
        custom_values.move_in(way.actor, way.target, new, reason=way.why)
        return new

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were set since."""
        have = way.target.custom_fields
        changed = sorted(key for key in kept if key in have and have[key] != kept[key])
        return [_("The field %s was set since") % key for key in changed]

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody set since; what a later merge has for one stands in its place."""
        told, have = self.stays(way, kept), way.target.custom_fields
        values = {key: self._heirs(way, key) for key in kept if key in have and have[key] == kept[key]}
        custom_values.move_in(way.actor, way.target, values, reason=way.why)
        return told

    def _heirs(self, way: Way, key: str) -> Any:
        """The value of a later merge, which is its own from then on; None if none has one."""
        heir = way.heir(lambda incident: key in _filled(incident))
        if heir is None:
            return None
        value = heir.source.custom_fields[key]
        heir.moved[self.name] = {**heir.moved.get(self.name, {}), key: value}
        return value


def _filled(incident: Incident) -> dict[str, Any]:
    return {key: one for key, one in incident.custom_fields.items() if one not in (None, "", [])}


def _new_values(way: Way) -> dict[str, Any]:
    there = _filled(way.target)
    return {key: one for key, one in _filled(way.source).items() if key not in there}


class Marks(Part):
    """Severity, TLP and PAP: what was grave or not to be passed on stays so."""

    name, label = "fields", gettext_lazy("fields")

    def preview(self, way: Way) -> Told:
        """What would be raised."""
        return Told(len(raised(way.source, way.target)))

    def move(self, way: Way) -> dict[str, list[Any]]:
        """``[old, new]`` by field."""
        kept = {}
        for name, value in raised(way.source, way.target).items():
            kept[name] = [getattr(way.target, name), value]
            change(way.target, way.actor, name, _choice(name, value), reason=way.why)
        return kept

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were set since."""
        changed = [
            name
            for name, (_old, new) in kept.items()
            if getattr(way.target, name) != new and _raised_further(way, name, new) is None
        ]
        words = {"severity": _("The severity")}
        return [
            _("%(field)s of %(number)s was set since")
            % {"field": words.get(name, name.upper()), "number": way.target.number}
            for name in changed
        ]

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody set since, as far down as what came later allows."""
        told = self.stays(way, kept)
        for name, (old, new) in kept.items():
            if (further := _raised_further(way, name, new)) is not None:
                further[0] = old  # that one began lower, then, and its own undo goes as far down
            elif getattr(way.target, name) == new:
                value = _choice(name, _with_later(way, name, old))
                change(way.target, way.actor, name, value, reason=way.why)
        return told


def raised(source: Incident, target: Incident) -> dict[str, Any]:
    """By field the graver value, where that is not the target's own."""
    return {
        name: getattr(source, name)
        for name in MARKS
        if _rank(name, getattr(source, name)) > _rank(name, getattr(target, name))
    }


def _rank(name: str, value: Any) -> int:
    return _RANKS[name].index(value)


def _raised_further(way: Way, name: str, new: Any) -> list[Any] | None:
    """``[old, new]`` of the later merge that raised the field from where this one had brought it, if there is one."""
    for move in way.later:
        raised_by: list[Any] | None = move.moved.get(Marks.name, {}).get(name)
        if raised_by is not None and raised_by[0] == new:
            return raised_by
    return None


def _with_later(way: Way, name: str, value: Any) -> Any:
    """What the field would be, had this merge not been: the later ones raise it from ``value``, and keep that."""
    for move in way.later:
        mark = getattr(move.source, name)
        if _rank(name, mark) > _rank(name, value):
            move.moved[Marks.name] = {**move.moved.get(Marks.name, {}), name: [value, mark]}
            value = mark
    return value


def _choice(name: str, value: Any) -> Any:
    return Severity(value) if name == "severity" else value
