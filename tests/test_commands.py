"""What all commands of the portal have in common."""

from __future__ import annotations

import pytest
from django.core.management import get_commands, load_command_class

from tests.test_layers import ROOMS

OURS = sorted(name for name, app in get_commands().items() if str(app).split(".")[0] in ROOMS)


def test_there_are_those_of_the_guide() -> None:
    assert {"up", "worker", "scheduler", "prepare", "user", "token", "source", "connector", "playbook"} <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_it_starts_without_the_checks_of_the_whole_portal(name: str) -> None:
    """They load every page before the first word: half of the time. ``make check`` makes them."""
    command = load_command_class(get_commands()[name], name)
    assert command.requires_system_checks == []
    assert command.help
