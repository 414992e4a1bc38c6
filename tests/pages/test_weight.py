"""Every page, with plenty of data: it answers, needs fewer than 20 queries and less than 100 KB (interface.md 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.actions import tasks
from cases.actors import Actor
from tests.crossing.operations import Operation
from tests.crossing.world import World
from tests.fixtures import client_of
from tests.pages import worlds
from tests.pages.addresses import ABSENT, METHOD, OTHERWISE, ask, body, gets
from tests.pages.rich import merged

pytestmark = pytest.mark.django_db
QUERIES, SIZE = 20, 100_000


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    """Plenty of everything."""
    return worlds.plentiful(settings, tmp_path)


def test_every_page_answers_with_few_queries_and_bytes(world: World) -> None:
    told: list[str] = []
    for operation in gets():
        told += _trouble(world, "admin", operation)
        told += _trouble(world, "analyst", operation)
    assert not told, "\n".join(told)


def test_a_merge_with_all_its_parts_is_looked_at_with_few_queries(world: World) -> None:
    move = merged(world)
    assert {"alerts", "observables", "assets", "evidence", "tasks", "owners", "followers", "tags", "custom_fields",
            "tickets", "relations", "runs", "fields"} <= set(move.moved)  # fmt: skip
    tasks.complete(Actor.of(world.cast.user("admin")), move.moved["tasks"][0][0])
    client = client_of(world.cast.user("admin"))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"/incidents/{move.target.number}/moves/{move.pk}/undo/")
    assert "was changed since" in answer.content.decode()
    assert len(asked) < QUERIES, "\n".join(one["sql"][:200] for one in asked)


def test_the_table_names_nothing_that_is_gone() -> None:
    there = {one.route for one in gets()} | set(ABSENT)
    assert not set(OTHERWISE) - there


def _trouble(world: World, name: str, operation: Operation) -> list[str]:
    """What is wrong with one page for one person."""
    with CaptureQueriesContext(connection) as asked:
        answer = ask(world, name, operation)
    if answer.status_code == METHOD:
        return []
    found, about = len(body(answer)), f"{operation.route} for {name}"
    told = [f"{about}: {len(asked)} queries"] if len(asked) >= QUERIES else []
    told += [f"{about}: {found} bytes"] if found >= SIZE else []
    expected = OTHERWISE.get(operation.route, 200)
    # What an analyst may not is theirs to be told; who may what is tests/crossing.
    fine = {expected} if name == "admin" else {expected, 403, 404}
    return told if answer.status_code in fine else [*told, f"{about}: {answer.status_code}"]
