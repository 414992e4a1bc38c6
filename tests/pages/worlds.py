"""The world of the tests of all pages: plenty of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.crossing.personas import cast
from tests.crossing.world import World, make_world
from tests.pages.plenty import multiply
from tests.pages.rich import enrich
from tests.pages.words import HOSTILE, Words


def plentiful(settings: Any, folder: Path) -> World:
    """Some two dozen of everything, and an incident and an alert with a long story."""
    return _made(settings, folder, Words(hostile=False))


def _made(settings: Any, folder: Path, words: Words) -> World:
    settings.DATA_DIR, settings.TOKEN_RATE = folder, 1_000_000
    world = make_world(cast(), hidden=False)
    enrich(world, words)
    multiply(len(HOSTILE))
    return world
