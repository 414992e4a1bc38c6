"""Playbooks by the clock: once for every moment, however many schedulers there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from cases.actors import Actor
from playbooks import schedules
from playbooks.actions import disable
from playbooks.models import Playbook, Run, ScheduleSlot
from tests.playbook_files import Folder, folder, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def morning(folder: Folder) -> Folder:
    folder.load(
        "@playbook(trigger='schedule', cron='30 6 * * *')\nasync def morning(nothing):\n    return dict(nothing)\n"
    )
    Playbook.objects.update(modified_at=at(0))
    from playbooks import catalog

    catalog.forget()
    return folder


def test_it_starts_at_its_moment_and_once(morning: Folder) -> None:
    assert schedules.start_due(at(6, 29, 59)) == 0
    assert schedules.start_due(at(6, 30)) == 1
    assert schedules.start_due(at(6, 30, 10)) == 0
    work()
    run = Run.objects.get()
    assert (run.status, run.result, run.trigger) == ("successful", {}, "schedule")


def test_many_schedulers_start_it_once(morning: Folder) -> None:
    def start(_number: int) -> int:
        try:
            return schedules.start_due(at(6, 31))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(start, range(12))) == 1
    assert Run.objects.count() == ScheduleSlot.objects.count() == 1


def test_a_moment_missed_for_long_is_not_made_up_for(morning: Folder) -> None:
    assert schedules.start_due(at(6, 50)) == 0


def test_a_moment_before_it_was_written_or_enabled_does_not_count(morning: Folder) -> None:
    Playbook.objects.update(modified_at=at(6, 32))
    from playbooks import catalog

    catalog.forget()
    assert schedules.start_due(at(6, 33)) == 0


def test_a_disabled_one_does_not_start(morning: Folder) -> None:
    disable(Actor.system(), "morning")
    Playbook.objects.update(modified_at=at(0))
    assert schedules.start_due(at(6, 30)) == 0
