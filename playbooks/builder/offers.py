"""What the form offers besides fixed words: what this portal has. Made by ``playbooks.world``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Pairs = list[tuple[str, str]]  # value, what people read


@dataclass(frozen=True, slots=True)
class TicketOffer:
    """A ticket profile: what people read, its own words for the settings that a playbook may override, and by setting
    the address that answers with suggestions for what is typed."""

    label: str
    loaded: Mapping[str, str] = field(default_factory=dict)
    finds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offers:
    """``models``: name and severity's word. ``lacking``: why a capability has no connector, as a sentence.

    ``profiles``: ticket profiles by name. ``sandbox``: what is left of its quota, a sentence. ``urls``: where to set
    things up: ``connector``, ``channel``, ``mail``, ``script``, ``template``, ``profile``, ``never_touch``; a place
    that does not exist is ""."""

    models: Pairs = field(default_factory=list)
    people: Pairs = field(default_factory=list)
    channels: Pairs = field(default_factory=list)
    scripts: Pairs = field(default_factory=list)
    templates: Pairs = field(default_factory=list)
    playbooks: Pairs = field(default_factory=list)
    profiles: Mapping[str, TicketOffer] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    mail_ready: bool = True
    sandbox: str = ""
    zones: list[str] = field(default_factory=list)

    def of(self, form: str) -> Pairs:
        """What a setting of an action may be chosen from, by its form."""
        return {
            "user": self.people,
            "script": self.scripts,
            "template": self.templates,
            "playbook": self.playbooks,
            "channels": self.channels,
            "profile": [(name, one.label) for name, one in self.profiles.items()],
        }.get(form, [])
