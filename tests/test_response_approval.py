"""Tasks wait for people, who approve, reject or let the time pass (response-playbooks.md 18 to 22; rulings 3, 9)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from cases.actors import Actor
from cases.errors import Conflict
from playbooks import tasks as queue_tasks
from playbooks.actions import approvals
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from playbooks.response import sweeping
from soar.accounts.models import User
from tests.playbook_files import work
from tests.response_tools import (
    Range,
    action,
    alert_of,
    graph,
    only_task,
    publish,
    queue_rows,
    run_now,
    tasks_of,
    tiny,
)

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
ASK = {
    "method": "email",
    "subject_prefix": "[SOC]",
    "recipients": ["duty@example.com"],
    "channels": [],
    "two_people": False,
}
TWO = (("domain", "evil-one.com"), ("domain", "evil-two.com"))


def waiting(tiny: Range, *names: str, **more: Any) -> Run:
    """A run that waits for an approval of isolating the host."""
    return run_now(publish(graph(action("a", *(names or ("isolate_endpoint",)), approval={**ASK, **more}))), alert_of())


def overdue(approval: Approval) -> None:
    Approval.objects.filter(pk=approval.pk).update(expires_at=Now() - timedelta(seconds=1))


def test_19_nothing_happens_before_somebody_approves(tiny: Range, responder: User) -> None:
    run = waiting(tiny)
    task, approval = only_task(run), Approval.objects.get()
    assert (run.status, task.status, tiny.done) == ("pending_approval", "pending_approval", [])
    assert approval.notify["subject_prefix"] == "[SOC]" and approval.notify["recipients"] == ["duty@example.com"]
    assert 86_000 < (approval.expires_at - timezone.now()).total_seconds() <= 86_400
    approvals.approve(Actor.of(responder), approval.pk)
    work()
    run.refresh_from_db()
    assert (run.status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])


def test_waiting_runs_have_no_lease_no_doorbell_and_nobody_looks_at_them(tiny: Range) -> None:
    run = waiting(tiny)
    run.refresh_from_db()
    assert (run.lease_owner, run.lease_until) == ("", None)
    for scheduled in (queue_tasks.due, queue_tasks.sweep, queue_tasks.expire):
        scheduled()
    assert queue_rows() == 0


def test_20_partial_decisions(tiny: Range, responder: User) -> None:
    """Rulings 3: tasks that are not named stay pending."""
    run = run_now(publish(graph(action("a", "sandbox_url", approval=ASK))), alert_of(*TWO))
    approval = Approval.objects.get()
    first, second = run.tasks.order_by("pk")
    approvals.approve(Actor.of(responder), approval.pk, tasks=[first.pk])
    work()
    run.refresh_from_db()
    assert [status for _, _, status in tasks_of(run)] == ["successful", "pending_approval"]
    assert (run.status, Approval.objects.get().status) == ("pending_approval", "partly")
    approvals.reject(Actor.of(responder), approval.pk, tasks=[second.pk], comment="No")
    work()
    run.refresh_from_db()
    assert [status for _, _, status in tasks_of(run)] == ["successful", "rejected"]
    assert (run.status, Approval.objects.get().status) == ("partially_successful", "mixed")
    assert "Priya Raman" in run.tasks.get(status="rejected").reason


@pytest.mark.parametrize(("setting", "later"), [("continue", ["LT-0042"]), ("stop", [])])
def test_rulings_3_rejected_counts_as_failed(tiny: Range, responder: User, setting: str, later: list[str]) -> None:
    nodes = action("a", "isolate_endpoint", approval=ASK, on_failure=setting), action("b", "scan_endpoint", parent="a")
    run = run_now(publish(graph(*nodes)), alert_of())
    approvals.reject(Actor.of(responder), Approval.objects.get().pk)
    work()
    assert tiny.targets("scan_endpoint") == later and not tiny.targets("isolate_endpoint")
    run.refresh_from_db()
    assert run.state.is_final


def test_21_it_expires_and_can_never_run(tiny: Range, responder: User) -> None:
    nodes = action("a", "isolate_endpoint", approval=ASK), action("b", "scan_endpoint", parent="a")
    run = run_now(publish(graph(*nodes)), alert_of())
    approval = Approval.objects.get()
    overdue(approval)
    queue_tasks.expire()
    work()
    run.refresh_from_db()
    assert tasks_of(run) == [("isolate_endpoint", "LT-0042", "expired"), ("scan_endpoint", "LT-0042", "successful")]
    assert (run.status, Approval.objects.get().status) == ("partially_successful", "expired")
    with pytest.raises(Conflict, match="expired"):
        approvals.approve(Actor.of(responder), approval.pk)
    assert not tiny.targets("isolate_endpoint")
    assert run.alert is not None and run.alert.timeline.filter(kind="approval.expired").count() == 1


def test_21_a_decision_after_its_time_is_refused_before_the_clock_came_by(tiny: Range, responder: User) -> None:
    run = waiting(tiny)
    overdue(Approval.objects.get())
    with pytest.raises(Conflict, match="expired"):
        approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    run.refresh_from_db()
    assert (run.status, only_task(run).status, tiny.done) == ("unsuccessful", "expired", [])


def test_21_two_people(tiny: Range, responder: User, admin: User) -> None:
    run = waiting(tiny, two_people=True)
    pk = Approval.objects.get().pk
    approvals.approve(Actor.of(responder), pk)
    with pytest.raises(Conflict, match="Another person"):
        approvals.approve(Actor.of(responder), pk)
    work()
    assert only_task(run).status == "pending_approval" and not tiny.done
    approvals.approve(Actor.of(admin), pk)
    work()
    assert only_task(run).status == "successful"


def test_a_decision_and_the_expiry_at_the_same_moment_have_one_outcome(tiny: Range, responder: User) -> None:
    for _ in range(5):
        run = waiting(tiny)
        approval = Approval.objects.order_by("-pk").first()
        assert approval is not None
        Approval.objects.filter(pk=approval.pk).update(expires_at=Now() + timedelta(milliseconds=20))
        said: list[str] = []

        def decide(pk: int = approval.pk, said: list[str] = said) -> None:
            try:
                approvals.approve(Actor.of(responder), pk)
                said.append("approved")
            except Conflict:
                said.append("late")
            finally:
                connection.close()

        def expire() -> None:
            for _ in range(20):
                sweeping.expire_due()
            connection.close()

        threads = [threading.Thread(target=decide), threading.Thread(target=expire)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sweeping.expire_due()
        work()
        status = only_task(run).status
        assert (said, status) in ((["approved"], "successful"), (["late"], "expired"))
        assert len(tiny.done) == ResponseTask.objects.filter(status="successful").count()


def test_18_the_never_touch_list_asks_with_its_reason_where_the_node_does_not(tiny: Range, responder: User) -> None:
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the line", added_by="Ada")
    run = run_now(publish(graph(action("a", "isolate_endpoint", "scan_endpoint"))), alert_of())
    assert tiny.targets("scan_endpoint") == ["LT-0042"] and not tiny.targets("isolate_endpoint")
    approval = Approval.objects.get()
    assert "Runs the line" in approval.reason and run.status == "pending_approval"
    assert run.tasks.get(action="isolate_endpoint").reason.startswith("Never-touch list: Runs the line")
    approvals.approve(Actor.of(responder), approval.pk, comment="The line stands still")
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


@pytest.mark.parametrize(("how", "status"), [("reject", "rejected"), ("expire", "expired")])
def test_rulings_9_never_touch_refused_or_expired(tiny: Range, responder: User, how: str, status: str) -> None:
    NeverTouch.objects.create(by="name", value="a.voss", reason="The boss", added_by="Ada")
    run = run_now(publish(graph(action("a", "disable_account"))), alert_of())
    if how == "reject":
        approvals.reject(Actor.of(responder), Approval.objects.get().pk)
    else:
        overdue(Approval.objects.get())
        queue_tasks.expire()
    work()
    assert only_task(run).status == status and not tiny.done


def test_18_a_node_that_asks_and_the_list_ask_apart(tiny: Range) -> None:
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the line", added_by="Ada")
    run = waiting(tiny, "isolate_endpoint", "disable_account")
    reasons = {task.action: task.approval.reason for task in run.tasks.select_related("approval") if task.approval}
    assert reasons["disable_account"] == "" and "Runs the line" in reasons["isolate_endpoint"]


def test_13_benign_goes_before_never_touch(tiny: Range) -> None:
    from soar.connectors.intelligence.actions import add_exception

    add_exception(None, "domain", "evil-one.com", "Ours")
    NeverTouch.objects.create(by="name", value="evil-one.com", reason="x", added_by="Ada")
    run = run_now(publish(graph(action("a", "block", approval=ASK))), alert_of())
    assert only_task(run).status == "no_action" and not Approval.objects.exists()


def test_the_timeline_tells_of_the_request_and_the_decision(tiny: Range, responder: User) -> None:
    run = waiting(tiny)
    approvals.approve(Actor.of(responder), Approval.objects.get().pk, comment="Go")
    work()
    assert run.alert is not None
    kinds = list(run.alert.timeline.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["alert.opened", "run.started", "approval.requested", "approval.approved", "run.finished"]


def test_13_what_became_benign_while_it_waited_is_not_touched(tiny: Range, responder: User) -> None:
    from soar.connectors.intelligence.actions import add_exception

    run = waiting(tiny, "block")
    add_exception(None, "domain", "evil-one.com", "A partner's, as it turned out")
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    assert only_task(run).status == "no_action" and "partner" in only_task(run).reason
