"""What may have happened is not said to have failed, and a run that was cancelled begins nothing more (spec 17, 27;
rulings 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from cases.actors import Actor
from playbooks.actions import response_ends, response_follow
from playbooks.actions.runs import cancel, retry
from playbooks.claims import new_owner
from playbooks.models import ResponseTask, Run
from playbooks.response import performing, tasks
from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount
from tests.playbook_files import work
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


@pytest.fixture
def lost(tiny: Range, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Isolated, but the answer was lost and the product cannot say; it may be repeated, and waits for that."""
    monkeypatch.setattr(Tiny, "repeatable", frozenset({"isolate_endpoint"}))
    tiny.shop.state["forgetful"] = True
    tiny.fault("after")
    run = isolating()
    assert (only_task(run).status, len(tiny.done)) == ("queued", 1)
    return run


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


# -- what may have happened


def test_6_given_up_after_a_lost_answer_is_unknown(tiny: Range, lost: Run, responder: User) -> None:
    address = tiny.account.settings
    ConnectorAccount.objects.update(settings={"url": "http://127.0.0.1:9/none"})
    ResponseTask.objects.update(deadline_at=Now() + timedelta(seconds=20), attempts=9)
    make_due()
    assert ends(lost) == ("needs_decision", "unknown_outcome")
    ConnectorAccount.objects.update(settings=address)
    response_follow.inverse(Actor.of(responder), only_task(lost).pk)
    work()
    assert tiny.targets("restore_endpoint") == ["LT-0042"]


def test_6_over_its_deadline_after_a_lost_answer_is_unknown(tiny: Range, lost: Run) -> None:
    ResponseTask.objects.update(deadline_at=Now() - timedelta(seconds=1))
    make_due()
    assert (ends(lost), len(tiny.done)) == (("needs_decision", "unknown_outcome"), 1)


def test_6_a_run_cancelled_after_a_lost_answer_leaves_it_unknown(tiny: Range, lost: Run, responder: User) -> None:
    cancel(SYSTEM, lost)
    assert ends(lost) == ("cancelled", "unknown_outcome")
    assert "may have had its effect" in only_task(lost).reason
    make_due()
    assert len(tiny.done) == 1
    assert response_follow.inverse(Actor.of(responder), only_task(lost).pk).action == "restore_endpoint"


def test_6_a_task_cancelled_after_a_lost_answer_is_unknown(tiny: Range, lost: Run, responder: User) -> None:
    response_ends.cancel(Actor.of(responder), only_task(lost).pk)
    assert ends(lost) == ("needs_decision", "unknown_outcome")
    assert only_task(lost).finished_at is None


def test_17_what_failed_half_way_can_be_undone(tiny: Range, lost: Run, responder: User) -> None:
    """The first call acted, the second was refused: the task failed, but not without a trace."""
    tiny.fault("403")
    make_due()
    assert ends(lost) == ("unsuccessful", "unsuccessful")
    assert response_follow.undo_of(only_task(lost)) == "restore_endpoint"
    tiny.fault("403")
    retry(SYSTEM, lost)
    work()
    assert ends(lost) == ("unsuccessful", "unsuccessful"), "and the second try, which did nothing, forgets nothing"
    response_follow.inverse(Actor.of(responder), only_task(lost).pk)
    work()
    assert tiny.targets("restore_endpoint") == ["LT-0042"]
