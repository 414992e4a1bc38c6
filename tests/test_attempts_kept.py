"""How long the calls of connectors are kept (connectors.md 3): old ones go, those of open work stay."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from playbooks import tasks
from playbooks.models import ResponseTask, Run
from soar.accounts.models import User
from soar.connectors.models import Attempt
from soar.lib import clock
from tests.fixtures import client_of
from tests.playbook_pages import text_of
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


def call(range: Range, days: float, cause: uuid.UUID | None = None) -> Attempt:
    """A call so long ago."""
    at = clock.now() - timedelta(days=days)
    return Attempt.objects.create(account=range.account, operation="x", status="successful", cause=cause, started_at=at)


def kept() -> set[int]:
    """The calls that are left after the task ran."""
    tasks.tidy_calls()
    return set(Attempt.objects.values_list("pk", flat=True))


def test_old_calls_go(tiny: Range, settings: Any) -> None:
    settings.ATTEMPT_DAYS = 30
    old, young = call(tiny, 30.1), call(tiny, 29.9)
    assert kept() == {young.pk}
    assert not Attempt.objects.filter(pk=old.pk).exists()


def test_those_of_open_work_stay_until_it_is_over(tiny: Range) -> None:
    run = run_now(publish(graph(action("a", "scan_endpoint"))), alert_of())
    first = call(tiny, 1000, run.cause)
    ResponseTask.objects.filter(run=run).update(status="unknown_outcome")
    assert first.pk in kept()
    ResponseTask.objects.filter(run=run).update(status="successful")
    Run.objects.filter(pk=run.pk).update(status="needs_decision")
    assert first.pk in kept()
    Run.objects.filter(pk=run.pk).update(status="successful")
    assert first.pk not in kept()


def test_a_task_still_has_its_page_when_its_calls_are_gone(tiny: Range, admin: User) -> None:
    run = run_now(publish(graph(action("a", "scan_endpoint"))), alert_of())
    Attempt.objects.update(started_at=clock.now() - timedelta(days=1000))
    tasks.tidy_calls()
    task = ResponseTask.objects.get(run=run)
    assert not Attempt.objects.exists()
    assert "Tiny" in text_of(client_of(admin).get(f"/responses/{task.pk}/"))
