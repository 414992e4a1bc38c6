"""The rules of a profile and the state of an incident, as far as tickets know them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cases.choices import IncidentStatus

VALUES = ("title", "severity", "status", "determination", "owner", "team")
FIELDS = (*VALUES, "notes", "evidence")
DIRECTIONS = ("both", "out", "in", "off")
WINNERS = ("ours", "theirs", "newest", "ask")
# By field, the ticket's fields that tell it.
RAW: dict[str, tuple[str, ...]] = {
    "title": ("short_description",),
    "severity": ("impact", "urgency", "priority"),
    "status": ("state",),
    "determination": ("close_code", "close_notes"),
    "owner": ("assigned_to",),
    "team": ("assignment_group",),
}
RAW_FIELDS = (*dict.fromkeys(name for names in RAW.values() for name in names), "correlation_id")
Raw = dict[str, str]


class Unmapped:
    """Stands for a value without a counterpart."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNMAPPED"


UNMAPPED = Unmapped()


class Choice(Protocol):
    """What a field of the ticket may hold."""

    @property
    def value(self) -> str: ...

    @property
    def label(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """What of a TicketProfile decides about values."""

    table: str = "incident"
    maps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    winners: Mapping[str, str] = field(default_factory=dict)
    short_description: str = "{{ number }} {{ title }}"

    @classmethod
    def of(cls, profile: Any) -> ProfileRules:
        """Of a TicketProfile, or of what has its fields."""
        return cls(profile.table, profile.maps, profile.directions, profile.winners, profile.short_description)

    def direction(self, name: str) -> str:
        """both, out, in or off."""
        return self.directions.get(name, "off" if name == "evidence" else "both")

    def sends(self, name: str) -> bool:
        """Whether the field goes to ServiceNow."""
        return self.direction(name) in ("both", "out")

    def takes(self, name: str) -> bool:
        """Whether the field comes from ServiceNow."""
        return self.direction(name) in ("both", "in")

    def winner(self, name: str) -> str:
        """Who wins a conflict: ours, theirs, newest or ask."""
        return self.winners.get(name, "newest")

    def map(self, name: str) -> Mapping[str, Any]:
        """One of the maps, {} for none."""
        return self.maps.get(name) or {}


@dataclass(frozen=True, slots=True)
class CaseState:
    """An incident as far as tickets know it: words of the API; ``owner`` is the lead's user name, ``team`` its id as
    text, "" for none; ``reason`` why it was resolved. ``words`` are what templates may name."""

    number: str = ""
    title: str = ""
    severity: str = "medium"
    status: str = "open"
    determination: str = "unknown"
    findings: str = ""
    reason: str = ""
    owner: str = ""
    team: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Resolved or closed."""
        return is_ended(self.status)


@dataclass(frozen=True, slots=True)
class Gap:
    """A value without a counterpart: ``value`` as the map has it on its left. ``text``: a sentence."""

    map: str
    value: str
    label: str
    text: str


def is_ended(status: str) -> bool:
    """Whether a status of ours is resolved or closed."""
    return status in (IncidentStatus.RESOLVED.word, IncidentStatus.CLOSED.word)


def raw_of(name: str, raw: Mapping[str, str]) -> Raw:
    """The ticket's fields that tell this field."""
    return {key: raw[key] for key in RAW[name] if key in raw}
