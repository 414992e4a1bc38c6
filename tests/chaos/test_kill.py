"""kill -9 of each part: it comes back by itself; of the supervisor: nothing is left."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tests.portal import Portal, children, state

pytestmark = pytest.mark.chaos


def complete(portal: Portal, role: str) -> bool:
    """Whether a part has its main process and at least two below it."""
    return len(portal.pids(role)) > 2


@pytest.mark.parametrize("role", ["web", "worker", "scheduler", "database"])
def test_a_killed_part_comes_back(portal: Portal, role: str) -> None:
    below = portal.pids(role)[1:]
    former = portal.kill(role)
    portal.heal(role, former)
    portal.wait(lambda: not any(state(pid) for pid in below), 10, f"orphans of {role}")
    assert any(f"{role}" in line and "again" in line for line in portal.lines)


def test_each_process_below_web_and_worker_comes_back(portal: Portal) -> None:
    for role in ("web", "worker"):
        for victim in portal.pids(role)[1:]:
            if state(victim):
                portal.wait(portal.is_ready, 30, "not ready before the kill")
                os.kill(victim, signal.SIGKILL)
        portal.wait(portal.is_ready, 30, f"not ready after the processes of {role} were killed")
        portal.wait(partial(complete, portal, role), 30, f"{role} has no processes")


def test_the_database_killed_ten_times(portal: Portal) -> None:
    for _time in range(10):
        portal.heal("database", portal.kill("database"))
    assert portal.client.get("/accounts/login/").status_code == 200


def test_nothing_is_left_of_a_killed_supervisor(portal: Portal) -> None:
    assert len(portal.all()) > 8
    portal.kill("supervisor")
    portal.wait(lambda: not portal.all(), 3, "processes are left")
    portal.start()  # and the data folder is free
    assert portal.stop() == 0


def test_nothing_is_left_when_supervisor_and_web_are_killed_together(portal: Portal) -> None:
    web = portal.pids("web")
    portal.kill("web")
    portal.kill("supervisor")
    portal.wait(lambda: not portal.all(), 4, "processes are left")
    assert not any(children(pid) for pid in web)


def test_nothing_is_left_of_a_worker_whose_death_nobody_saw(portal: Portal) -> None:
    """The supervisor was busy, with a database that was away, and was then killed itself."""
    supervisor = portal.pids("supervisor")[0]
    os.kill(supervisor, signal.SIGSTOP)
    portal.kill("worker")
    portal.kill("supervisor")
    portal.wait(lambda: not portal.all(), 10, "processes are left")


def test_a_kill_in_the_middle_of_the_first_start_loses_nothing(portal: Portal) -> None:
    portal.stop()
    for _time in range(5):
        portal.launch()
        portal.wait(lambda: bool(portal.lines), 10, "no first line")
        portal.kill("supervisor")
        portal.wait(lambda: not portal.all(), 5, "processes are left")
    portal.start()
