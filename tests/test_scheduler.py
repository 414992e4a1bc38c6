"""The scheduler: one function that fails holds up no other, and people see that it does (operations.md 4, 7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from soar.lib import figures, heartbeat
from soar.models import FailingCall
from soar.scheduler import Scheduler

pytestmark = pytest.mark.django_db(transaction=True)
called: list[str] = []
broken = True


def bad() -> None:
    """Fails as the database does when it ends a statement, until ``broken`` is over."""
    called.append("bad")
    if broken:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 1; SELECT pg_sleep(5)")


def worse() -> None:
    called.append("worse")
    if broken:
        raise KeyError("what stands in it may be secret")


def good() -> None:
    called.append("good")


@pytest.fixture
def scheduler(settings: Any) -> Scheduler:
    called.clear()
    globals()["broken"] = True
    settings.SCHEDULED = [(f"tests.test_scheduler.{name}", 10) for name in ("bad", "worse", "good")]
    return Scheduler()


def test_what_fails_holds_up_nothing_behind_it_and_is_shown(scheduler: Scheduler, as_admin: Client) -> None:
    scheduler.step(0.0)
    assert called == ["bad", "worse", "good"], "also where the database ended the statement of one"
    scheduler.step(20.0)
    rows = FailingCall.objects.order_by("name").values_list("name", "error", "times")
    assert list(rows) == [
        ("tests.test_scheduler.bad", "OperationalError", 2),
        ("tests.test_scheduler.worse", "KeyError", 2),
    ]
    assert figures.single("soar_scheduled_failing") == {"soar_scheduled_failing": 2}
    text = as_admin.get("/settings/operations/").content.decode()
    assert "tests.test_scheduler.worse fails: KeyError, 2 times" in text and "secret" not in text
    globals()["broken"] = False
    scheduler._release()
    other = Scheduler()
    other.step(40.0)
    other._release()
    assert not FailingCall.objects.exists(), "also when another scheduler is the one that succeeds"


def test_a_database_that_is_away_is_waited_for(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")
        raise OperationalError("the server closed the connection")

    scheduler.entries[0].call = away
    with pytest.raises(OperationalError):
        scheduler.step(0.0)
    assert called == []
    monkeypatch.undo()
    scheduler._release()


def test_a_scheduler_that_ends_in_good_order_is_not_told_as_silent(scheduler: Scheduler) -> None:
    scheduler.step(0.0)
    assert heartbeat.alive("scheduler")
    scheduler.stop()
    scheduler.run()
    assert not heartbeat.alive("scheduler")
