"""What the validator must be told of the portal: it asks no database itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """A script of the library: ``language`` powershell or bash; ``systems`` that a Bash script is for."""

    language: str
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """``models``: for each detection model by name the words of its severities. ``users``: names of active users.
    ``served``: capabilities that a usable connector account serves; ``why_not``: for others the reason, as the end of
    a sentence. ``channels``: names of message channels; ``mail_ready``: e-mail can be sent. ``scripts``: by name.
    ``templates``: names of incident templates. ``playbooks``: name to kind (python, response). ``names_taken``: names
    of the *other* playbooks. ``delivers``: an enabled source delivers endpoint or e-mail detections. ``calls``: for a
    playbook's name the names of those it runs. ``profiles``: for each ticket profile by name why no ticket can be made
    by it now, as the end of a sentence; "" if one can."""

    models: Mapping[str, Collection[str]] = field(default_factory=dict)
    users: Collection[str] = ()
    served: Collection[str] = ()
    why_not: Mapping[str, str] = field(default_factory=dict)
    channels: Collection[str] = ()
    mail_ready: bool = False
    scripts: Mapping[str, ScriptFacts] = field(default_factory=dict)
    templates: Collection[str] = ()
    playbooks: Mapping[str, str] = field(default_factory=dict)
    names_taken: Collection[str] = ()
    delivers: bool = False
    calls: Mapping[str, Collection[str]] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
