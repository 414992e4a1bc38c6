"""Pages of what is set up, by everybody."""

from __future__ import annotations

import pytest

from tests.crossing.asking import ask_everybody
from tests.crossing.world import World

pytestmark = pytest.mark.django_db
GROUPS = ("page accounts", "page connectors", "page people", "page servicenow", "page settings", "page sources")


@pytest.mark.parametrize("group", GROUPS)
def test_everybody_at_every_door(world: World, group: str) -> None:
    ask_everybody(world, group)
