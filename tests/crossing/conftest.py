"""The world that is knocked at, made anew for each test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.crossing.personas import cast
from tests.crossing.world import World, make_world


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    """Things of team Blue that most may see, and a restricted incident with all that hangs on it."""
    settings.TOKEN_RATE, settings.DATA_DIR = 1_000_000, tmp_path
    return make_world(cast())
