"""Every operation x everybody (access.md 4): the answer is as written down, and tells nothing of what is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.crossing import table
from tests.crossing.case import MARK
from tests.crossing.knocking import ABSENT, knock, tells
from tests.crossing.operations import GROUPS, Operation, everything
from tests.crossing.personas import NAMES, OUTSIDE, PROGRAMS, STRANGE, cast
from tests.crossing.world import RESTRICTED, SHOWN, World, make_world

pytestmark = pytest.mark.django_db
# The parts of the portal whose lines of the table were read and found right.
READ = ("call alerts", "call playbooks", "call servicenow", "call sources", "page connectors", "page people")
# By this an admin opens a restricted incident: it is recorded and told to its owners (rulings 20).
LET_IN = {("POST api/v1/incidents/{id}/break-glass/", "admin"), ("POST incidents/break-glass/", "admin")}


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    """Things of team Blue that most may see, and a restricted incident with all that hangs on it."""
    settings.TOKEN_RATE, settings.DATA_DIR = 1_000_000, tmp_path
    return make_world(cast())


@pytest.mark.parametrize("group", READ)
def test_everybody_at_every_door(world: World, group: str) -> None:
    found: dict[str, str] = {}
    leaks: list[str] = []
    for operation in (one for one in everything() if one.group == group):
        for subject in world.subjects(operation):
            words = []
            for name in NAMES:
                word, told = _one(world, name, operation, subject)
                words.append(word)
                leaks += [f"{operation} {subject} tells {name} {what}" for what in told]
            found[f"{operation} {subject}".strip()] = " ".join(words)
    _as_written(found)
    assert not leaks, "\n".join(leaks)


def test_the_table_holds_nothing_that_is_gone() -> None:
    there = {str(one) for one in everything()}
    assert not [key for key in table.expected() if key.removesuffix(f" {RESTRICTED}") not in there]
    assert set(READ) <= set(GROUPS)


def _one(world: World, name: str, operation: Operation, subject: str) -> tuple[str, list[str]]:
    """The word for what one person gets to hear, and what they should not have heard."""
    if name in PROGRAMS and not operation.api:
        return "-", []
    answer = knock(world, name, operation, subject)
    word = table.word_of(answer)
    told: list[str] = []
    if (str(operation), name) in LET_IN:
        return word, told
    if name in OUTSIDE and tells(answer, MARK):
        told.append("of what is hidden")
    # The log of what was done names it to whoever may read the log.
    if name in STRANGE and tells(answer, SHOWN) and not operation.route.startswith("api/v1/audit/"):
        told.append("of what is another team's")
    if subject == RESTRICTED and name in OUTSIDE and word not in ("missing", "login", "method"):
        absent = table.word_of(knock(world, name, operation, ABSENT))
        told += [f"that it is there: {word}, and {absent} for what is not"] if absent != word else []
    return word, told


def _as_written(found: dict[str, str]) -> None:
    assert not (broken := [key for key, words in found.items() if " 5" in f" {words}"]), broken
    if table.WRITE:
        table.write(found, NAMES)
    wanted = table.expected()
    found = {key: words for key, words in found.items() if table.is_told(words) or key in wanted}
    told = [_difference(key, words, wanted.get(key)) for key, words in found.items() if words != wanted.get(key)]
    assert not told, "\n".join(["", " ".join(NAMES), *told])


def _difference(key: str, words: str, written: str | None) -> str:
    if written is None:
        return f"{key}\n  new operation: look at it, then write it down (how: {table.FILE.name})\n  is      {words}"
    return f"{key}\n  is      {words}\n  written {written}"
