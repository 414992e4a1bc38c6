"""The words in which the stories of the incidents are told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Shot:
    """An alert: minutes after the story begins, template, what is given of its scene, how often it was delivered.

    ``key`` names it for steps; ``login`` is a worker's, ``host`` a server's. ``run``: the playbooks ran on it."""

    minutes: int
    template: str
    key: str = ""
    login: str = ""
    host: str = ""
    times: int = 1
    run: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What ``who`` does ``minutes`` after the beginning: a verb of ``cases.demo.verbs`` and its words."""

    minutes: int
    who: str
    verb: str
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """One incident from the first alert to where it stands now. ``ago``: how long ago it began."""

    key: str
    ago: timedelta
    shots: tuple[Shot, ...]
    steps: tuple[Step, ...]


def shot(
    minutes: int,
    template: str,
    key: str = "",
    *,
    login: str = "",
    host: str = "",
    times: int = 1,
    run: bool = False,
    **facts: Any,
) -> Shot:
    """A Shot, its facts as words."""
    return Shot(minutes, template, key, login, host, times, run, facts)


def step(minutes: int, who: str, verb: str, **words: Any) -> Step:
    """A Step, its words as words."""
    return Step(minutes, who, verb, words)
