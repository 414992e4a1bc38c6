"""What may have happened is not said to have failed, and a run that was cancelled begins nothing more (spec 17, 27;
rulings 6)."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from cases.actors import Actor
from playbooks.actions.runs import cancel
from playbooks.claims import new_owner
from playbooks.models import ResponseTask, Run
from playbooks.response import performing, tasks
from soar.connectors.models import ConnectorAccount
from tests.response_tools import (
    Range,
    Tiny,
    action,
    alert_of,
    graph,
    make_due,
    only_task,
    publish,
    run_now,
    silence,
    tiny,
)

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()


def isolating() -> Run:
    return run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())


def claimed(run: Run) -> tasks.Claimed:
    """As a worker takes the run's one task, and nothing more."""
    ResponseTask.objects.filter(run=run).update(due_at=Now())
    held = tasks.claim(new_owner(), task=only_task(run).pk)
    assert held is not None
    return held


def ends(run: Run) -> tuple[str, str]:
    run.refresh_from_db()
    return run.status, only_task(run).status


# -- cancelled while the call is under way


def test_27_what_was_refused_after_the_cancel_is_not_sent_again(tiny: Range) -> None:
    tiny.fault("429", times=3)
    run = isolating()
    held = claimed(run)
    cancel(SYSTEM, run)
    tiny.shop.state["answer"] = [429, {"message": "Not now"}]
    performing.perform(held)
    tiny.shop.state["answer"] = None
    assert ends(run) == ("cancelled", "cancelled")
    make_due()
    assert (ends(run), tiny.done) == (("cancelled", "cancelled"), [])


def test_27_a_product_that_was_down_is_not_tried_after_the_cancel(tiny: Range) -> None:
    address = tiny.account.settings
    ConnectorAccount.objects.update(settings={"url": "http://127.0.0.1:9/none"})
    run = isolating()
    held = claimed(run)
    cancel(SYSTEM, run)
    performing.perform(held)
    ConnectorAccount.objects.update(settings=address)
    make_due()
    assert (ends(run), tiny.done) == (("cancelled", "cancelled"), [])


def test_27_who_takes_over_from_a_dead_worker_begins_nothing_of_a_cancelled_run(tiny: Range) -> None:
    tiny.fault("429", times=3)
    run = isolating()
    held = claimed(run)
    cancel(SYSTEM, run)
    silence(held.task)
    make_due()
    assert (ends(run), tiny.done) == (("cancelled", "cancelled"), [])


def test_27_a_call_that_was_lost_after_the_cancel_is_not_repeated_and_asked_about(
    tiny: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tiny, "repeatable", frozenset({"isolate_endpoint"}))
    tiny.fault("429", times=3)
    run = isolating()
    held = claimed(run)
    cancel(SYSTEM, run)
    tiny.shop.state["forgetful"] = True
    tiny.fault("after")
    performing.perform(held)
    make_due()
    assert (ends(run), len(tiny.done)) == (("cancelled", "unknown_outcome"), 1)
