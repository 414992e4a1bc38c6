"""Calls of the API of one subject each, by everybody."""

from __future__ import annotations

import pytest

from tests.crossing.asking import ask_everybody
from tests.crossing.world import World

pytestmark = pytest.mark.django_db
GROUPS = ("call alerts", "call incidents", "call playbooks", "call servicenow", "call sources")


@pytest.mark.parametrize("group", GROUPS)
def test_everybody_at_every_door(world: World, group: str) -> None:
    ask_everybody(world, group)
