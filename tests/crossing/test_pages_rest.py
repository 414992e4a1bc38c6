"""All other pages, by everybody."""

from __future__ import annotations

import pytest

from tests.crossing.asking import ask_everybody
from tests.crossing.world import World

pytestmark = pytest.mark.django_db
GROUPS = ("page rest",)


@pytest.mark.parametrize("group", GROUPS)
def test_everybody_at_every_door(world: World, group: str) -> None:
    ask_everybody(world, group)
