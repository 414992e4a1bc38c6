"""Products that fail in every way, workers that die: no task done twice, none forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from playbooks import sweeper
from playbooks import tasks as queue_tasks
from playbooks.claims import new_owner
from playbooks.models import ResponseTask, Run
from playbooks.response import crew, performing, tasks
from playbooks.steps import respond
from soar.connectors.models import ConnectorAccount
from soar.lib import clock
from tests import playbook_files
from tests.playbook_files import until, work
from tests.response_tools import (
    Range,
    action,
    alert_of,
    graph,
    make_due,
    only_task,
    publish,
    queue_rows,
    result_of,
    run_now,
    silence,
    tasks_of,
    tiny,
)

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


def isolating(tiny: Range, **more: Any) -> Run:
    return run_now(publish(graph(action("a", "isolate_endpoint", **more))), alert_of())


def late(run: Run) -> None:
    """As if the deadline of the run's tasks had passed."""
    ResponseTask.objects.filter(run=run).update(deadline_at=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("fault", ["403", "401"])
def test_a_refusal_is_final(tiny: Range, fault: str) -> None:
    tiny.fault(fault)
    run = isolating(tiny)
    assert run.status == "unsuccessful" and only_task(run).attempts == 1 and only_task(run).reason


def test_too_many_requests_are_tried_again(tiny: Range) -> None:
    tiny.fault("429", times=3)  # all tries of the first call
    run = isolating(tiny)
    assert (run.status, only_task(run).status) == ("in_progress", "queued")
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1


def test_a_product_that_is_down_is_tried_until_the_deadline(tiny: Range) -> None:
    ConnectorAccount.objects.update(settings={"url": "http://127.0.0.1:9/none"})
    run = isolating(tiny)
    task = only_task(run)
    assert (run.status, task.status) == ("in_progress", "queued") and "cannot be reached" in task.reason
    late(run)
    make_due()
    run.refresh_from_db()
    assert run.status == "unsuccessful" and "cannot be reached" in only_task(run).reason


@pytest.mark.parametrize("fault", ["500", "html", "garbage", "before"])
def test_an_answer_that_says_nothing_is_looked_into_and_found_not_done(tiny: Range, fault: str) -> None:
    """Not repeatable and the product knows nothing of it: a person must say."""
    tiny.fault(fault)
    run = isolating(tiny)
    task = only_task(run)
    assert (run.status, task.status) == ("needs_decision", "unknown_outcome")
    assert tiny.shop.state["recalls"] == 1 and not tiny.done and task.reason
    assert run.alert is not None and run.alert.timeline.filter(kind="run.needs_decision").count() == 1


def test_an_answer_lost_after_it_acted_is_recalled(tiny: Range) -> None:
    tiny.fault("after")
    run = isolating(tiny)
    assert run.status == "successful" and len(tiny.done) == 1 and tiny.shop.state["recalls"] == 1


def test_recalling_waits_for_a_product_that_cannot_be_asked(tiny: Range) -> None:
    tiny.fault("after")
    tiny.fault("429", times=3)
    run = isolating(tiny)
    task = only_task(run)
    assert (task.status, task.phase) == ("in_progress", "sent")
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1


def test_what_may_be_repeated_is_repeated(tiny: Range) -> None:
    tiny.shop.state["forgetful"] = True
    tiny.fault("before")
    run = run_now(publish(graph(action("a", "scan_endpoint"))), alert_of())
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1


def test_accepted_tasks_are_polled_to_their_end(tiny: Range) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 2}
    run = isolating(tiny)
    task = only_task(run)
    assert (run.status, task.status, task.phase, task.remote) == ("in_progress", "in_progress", "poll", "accepted")
    assert task.accepted_at is not None and task.lease_owner == "" and queue_rows() == 0
    queue_tasks.due()
    assert queue_rows() == 0, "it is not its time yet"
    make_due()
    assert only_task(run).status == "in_progress"
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and tiny.shop.state["polls"] == 2 and len(tiny.done) == 1


@pytest.mark.parametrize(
    ("ends", "status"), [("failed", "unsuccessful"), ("rejected", "rejected"), ("cancelled", "cancelled")]
)
def test_3_how_an_accepted_task_may_end(tiny: Range, ends: str, status: str) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 1}
    run = isolating(tiny)
    for task in tiny.shop.state["tasks"].values():
        task["ends"] = ends
    make_due()
    run.refresh_from_db()
    assert only_task(run).status == status and run.status == "unsuccessful" and only_task(run).reason


def test_asking_may_fail_without_harm(tiny: Range) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 1}
    run = isolating(tiny)
    for fault in ("500", "html", "429", "401", "before"):
        tiny.fault(fault, times=3)
        make_due()
        assert only_task(run).status == "in_progress", fault
        tiny.shop._faults.clear()
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1


@pytest.mark.parametrize(
    ("name", "status", "run_status"),
    [
        ("isolate_endpoint", "unknown_outcome", "needs_decision"),
        ("disable_account", "unknown_outcome", "needs_decision"),
        ("scan_endpoint", "unsuccessful", "unsuccessful"),
    ],
)
def test_27_a_task_has_a_deadline(tiny: Range, name: str, status: str, run_status: str) -> None:
    """What the product took and did not finish may still happen, which nobody minds of a scan (rulings 6)."""
    tiny.shop.state["slowly"] = {name: 1000}
    run = run_now(publish(graph(action("a", name, deadline_minutes=5))), alert_of())
    late(run)
    make_due()
    run.refresh_from_db()
    assert (run.status, only_task(run).status) == (run_status, status)
    assert "did not finish within 5 minutes" in only_task(run).reason


def test_a_connector_that_vanishes_while_a_task_is_under_way(tiny: Range) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 1}
    run = isolating(tiny)
    ConnectorAccount.objects.update(enabled=False)
    make_due()
    assert only_task(run).status == "in_progress" and "disabled" in only_task(run).reason
    ConnectorAccount.objects.update(enabled=True)
    make_due()
    assert only_task(run).status == "successful"


def test_a_lost_key_ends_the_task_with_the_reason(tiny: Range, settings: Any) -> None:
    """The key was lost after the connector was set up: nothing is called, and nothing waits for it for ever."""
    settings.ENCRYPTION_KEYS = ["another key than before, long enough"]
    run = isolating(tiny)
    assert run.status == "unsuccessful" and not tiny.done
    assert "The secrets of Tiny cannot be read" in only_task(run).reason


def claimed(run: Run) -> tasks.Claimed:
    """As a worker takes the run's one task, and nothing more."""
    held = tasks.claim(new_owner(), task=only_task(run).pk)
    assert held is not None
    return held


def taken(tiny: Range, name: str = "isolate_endpoint") -> Run:
    """A run whose one task waits for a worker."""
    tiny.fault("429", times=3)
    run = run_now(publish(graph(action("a", name))), alert_of())
    ResponseTask.objects.update(due_at=Now(), started_at=None)
    tiny.account.attempts.all().delete()
    return run


def test_killed_after_the_claim_before_the_call(tiny: Range) -> None:
    """No attempt was written, so the call was never made: it is made now."""
    run = taken(tiny)
    silence(claimed(run).task)
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1


def test_killed_after_the_call_before_the_result_was_saved(tiny: Range) -> None:
    run = taken(tiny)
    held = claimed(run)
    respond.perform(held)  # the call, and nothing written of it
    silence(held.task)
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1 and tiny.shop.state["recalls"] == 1


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_killed_in_the_call_on_a_host_whose_clock_is_wrong(tiny: Range, seconds: int) -> None:
    """What the follower looks at was written by the dead host's clock, what it compares with by the database's."""
    run = taken(tiny)
    held = claimed(run)
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        respond.perform(held)
    silence(held.task)
    make_due()
    run.refresh_from_db()
    assert run.status == "successful" and len(tiny.done) == 1 and tiny.shop.state["recalls"] == 1


def test_killed_in_the_call_of_a_product_that_knows_nothing_needs_a_decision(tiny: Range) -> None:
    run = taken(tiny)
    held = claimed(run)
    respond.perform(held)
    tiny.shop.state["forgetful"] = True
    silence(held.task)
    make_due()
    run.refresh_from_db()
    assert (run.status, only_task(run).status) == ("needs_decision", "unknown_outcome") and len(tiny.done) == 1


def test_who_stood_still_before_the_call_and_lost_the_lease_makes_none(tiny: Range) -> None:
    """Both were told that no call was made so far; one of them makes it, whoever comes first."""
    run = taken(tiny)
    slow = claimed(run)
    silence(slow.task)
    follower = claimed(run)
    performing.perform(slow)
    assert not tiny.done
    performing.perform(follower)
    make_due()
    assert len(tiny.done) == 1 and only_task(run).status == "successful"


def test_who_lost_the_lease_writes_nothing(tiny: Range) -> None:
    run = taken(tiny)
    slow = claimed(run)
    silence(slow.task)
    make_due()
    before = only_task(run)
    performing.perform(slow)
    after = only_task(run)
    assert (before.status, before.version, before.finished_at) == (after.status, after.version, after.finished_at)
    assert len(tiny.done) == 1


def test_a_case_action_whose_worker_died_is_done_once(tiny: Range) -> None:
    run = run_now(publish(graph(action("a", ("comment", {"text": "once"})))), alert_of())
    ResponseTask.objects.filter(run=run).update(
        status="in_progress", phase="sent", lease_owner="gone", finished_at=None
    )
    assert run.alert is not None
    Run.objects.filter(pk=run.pk).update(status="in_progress", finished_at=None)
    run.steps.filter(kind="node").update(status="in_progress", finished_at=None)
    stale = ResponseTask.objects.get(run=run)
    performing.perform(tasks.Claimed(stale, "somebody else", "sent", True))
    assert run.alert.timeline.filter(kind="comment").count() == 1


def test_killed_while_the_objects_are_rated(tiny: Range) -> None:
    playbook = publish(graph(action("a", "scan_endpoint")))
    run = run_now(playbook, alert_of())
    Run.objects.filter(pk=run.pk).update(
        status="in_progress",
        targets=None,
        finished_at=None,
        lease_owner="gone",
        lease_until=Now() - timedelta(seconds=1),
        rung_at=Now() - timedelta(hours=1),
    )
    run.tasks.all().delete()
    run.steps.all().delete()
    assert sweeper.sweep() == 1
    work()
    run.refresh_from_db()
    assert run.status == "successful" and run.targets
    assert run.alert is not None and run.alert.timeline.filter(kind="run.started").count() == 1


def test_a_run_whose_doorbell_was_lost_is_found(tiny: Range) -> None:
    from cases.actors import Actor
    from playbooks.actions.runs import run_by_hand
    from soar.models import QueuedTask

    run = run_by_hand(Actor.system(), publish(graph(action("a", "scan_endpoint"))), alert=alert_of().pk)
    QueuedTask.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(rung_at=Now() - timedelta(minutes=5))
    assert sweeper.sweep() == 1
    work()
    run.refresh_from_db()
    assert run.status == "successful"


def test_a_task_whose_doorbell_was_lost_is_found(tiny: Range) -> None:
    run = taken(tiny)
    queue_tasks.due()
    queue_tasks.due()
    assert queue_rows() == 1, "one doorbell is enough"
    work()
    run.refresh_from_db()
    assert run.status == "successful"


def test_a_slow_product_holds_up_no_other(tiny: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads wait for one account; tasks of another are done meanwhile."""
    monkeypatch.setattr(playbook_files, "PATIENCE", 1.0)
    other = ConnectorAccount.objects.create(
        kind="tiny", name="Other", settings=tiny.account.settings, allow_internal=True
    )
    tiny.fault("slow", seconds=6, delay=6)
    slow = publish(graph(action("a", "sandbox_url")))
    names = [("domain", f"evil-{number}.com") for number in range(12)]
    run = run_now(slow, alert_of(*names))
    tiny.shop._faults.clear()
    assert run.status == "in_progress"
    tiny.account.enabled = False
    tiny.account.save()
    monkeypatch.setattr(playbook_files, "PATIENCE", 4.0)  # less than the slow calls take, enough for a quick one
    quick = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert quick.status == "successful" and only_task(quick).account == other
    crew.Crew.rest()
    until(lambda: not crew.Crew._held)


def test_leases_of_long_calls_are_kept(tiny: Range, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook_files, "PATIENCE", 1.0)
    settings.LEASE_SECONDS = 1
    tiny.fault("slow", delay=3)
    run = isolating(tiny)
    for _ in range(3):
        queue_tasks.due()
        work()
    until(lambda: Run.objects.get(pk=run.pk).state.is_final)
    assert Run.objects.get(pk=run.pk).status == "successful" and len(tiny.done) == 1
    assert only_task(run).attempts == 1


def test_find_messages_gives_the_next_node_its_objects(tiny: Range) -> None:
    """Rulings 12."""
    found = [
        {"kind": "message", "value": f"<{number}@evil-one.com>", "facts": {"mailbox": "a@corp.com"}}
        for number in (1, 2)
    ]
    tiny.shop.state["finds"] = {"find_messages": {"objects": found}}
    playbook = publish(graph(action("a", "find_messages"), action("b", "quarantine_message", parent="a")))
    run = run_now(playbook, alert_of(("url", "http://evil-one.com/x")))
    assert run.status == "successful", tasks_of(run)
    assert sorted(tiny.targets("quarantine_message")) == ["<1@evil-one.com>", "<2@evil-one.com>"]
    assert [one["value"] for one in run.targets or []][-2:] == ["<1@evil-one.com>", "<2@evil-one.com>"]
    assert result_of(run, "b")["arrived"] == ["o1", "o2", "o3", "o4", "o5"]
