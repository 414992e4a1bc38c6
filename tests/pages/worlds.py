"""The worlds of the tests of all pages: plenty of everything, a few of everything, and plenty that is hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.crossing.personas import cast
from tests.crossing.world import World, make_world
from tests.pages.plenty import multiply
from tests.pages.poison import poison
from tests.pages.rich import enrich
from tests.pages.words import HOSTILE, Words


def plentiful(settings: Any, folder: Path) -> World:
    """Some two dozen of everything, and an incident and an alert with a long story."""
    return _made(settings, folder, Words(hostile=False))


def small(settings: Any, folder: Path) -> World:
    """A few of everything: enough to see what each page looks like."""
    return _made(settings, folder, Words(hostile=False), times=1)


def hostile(settings: Any, folder: Path) -> World:
    """The same; whatever may bear a text bears one of the corpus, each in each column of which there is a list."""
    world = _made(settings, folder, Words(hostile=True))
    poison(Words(hostile=True))
    return world


def _made(settings: Any, folder: Path, words: Words, times: int = len(HOSTILE)) -> World:
    settings.DATA_DIR, settings.TOKEN_RATE = folder, 1_000_000
    world = make_world(cast(), hidden=False)
    enrich(world, words)
    multiply(times)
    return world
