"""The never-touch list is asked again when the call is about to go out (response-playbooks.md 18, rulings 9)."""

from __future__ import annotations

import pytest
from django.db import connection

from cases.actors import Actor
from cases.errors import Refused
from cases.models import Asset
from playbooks import tasks as queue_tasks
from playbooks.actions import approvals, never_touch, response_ends, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.runs import cancel, retry, run_by_hand
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from playbooks.response import performing, tasks
from playbooks.response.beginning import begin
from soar.accounts.models import Team, User
from soar.connectors.models import BlockEntry
from soar.standins.base import Request, Response
from soar.standins.fortinet import FortiGate
from soar.standins.visionone import VisionOne
from tests.acting import practice
from tests.api import Api
from tests.approving import blue_alert, run_out
from tests.factories import make_asset
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, graph, make_due, only_task, publish, run_now, tasks_of, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
ASK = {"method": "email", "subject_prefix": "", "recipients": ["duty@example.com"], "channels": []}
WHY = "Never-touch list: Laptops of the board (name LT-*)"


def hold_laptops(value: str = "LT-*", reason: str = "Laptops of the board") -> NeverTouch:
    return never_touch.add(Actor.system(), by="name", value=value, reason=reason)


def queued(*names: str) -> Run:
    """A run whose first task is due, and nobody has taken it yet."""
    run = run_by_hand(
        Actor.system(), publish(graph(action("a", *(names or ("isolate_endpoint",))))), alert=alert_of().pk
    )
    assert begin(run.pk)
    return run


def approve(user: User, comment: str = "") -> None:
    approvals.approve(Actor.of(user), Approval.objects.get(status="pending").pk, comment=comment)


def refreshed(run: Run) -> Run:
    run.refresh_from_db()
    return run


def test_18_an_entry_that_came_before_the_call_holds_it(tiny: Range, responder: User) -> None:
    run = queued()
    assert only_task(run).status == "queued"
    hold_laptops()
    work()
    task = only_task(run)
    assert (task.status, task.reason, tiny.done) == ("pending_approval", WHY, [])
    assert (refreshed(run).status, run.steps.get(name="a").status) == ("pending_approval", "pending_approval")
    assert task.approval is not None and task.approval.reason == WHY
    assert run.alert is not None and run.alert.timeline.filter(kind="approval.requested").count() == 1
    with pytest.raises(Refused, match="say why"):
        approve(responder)
    approve(responder, "Agreed with the board")
    work()
    assert (only_task(run).status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])
    assert refreshed(run).status == "successful"


def test_18_between_the_approval_and_the_call(tiny: Range, responder: User) -> None:
    """People approved the node's own question; that the list would name the host they could not know."""
    run = run_now(publish(graph(action("a", "isolate_endpoint", approval=ASK))), alert_of())
    approve(responder)
    hold_laptops()
    work()
    task = only_task(run)
    assert (task.status, task.reason, tiny.done) == ("pending_approval", WHY, [])
    assert Approval.objects.count() == 2
    approve(responder, "Agreed")
    work()
    assert (only_task(run).status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])


def test_18_while_a_run_waits_for_its_approval(tiny: Range, responder: User) -> None:
    """Who approves is told and gives the reason; it is not asked a second time at the call."""
    run = run_now(publish(graph(action("a", "isolate_endpoint", approval=ASK))), alert_of())
    hold_laptops()
    with pytest.raises(Refused, match="say why"):
        approve(responder)
    approve(responder, "Agreed")
    work()
    assert (only_task(run).status, Approval.objects.count()) == ("successful", 1)


def test_18_another_entry_than_the_one_that_was_approved(tiny: Range, responder: User) -> None:
    hold_laptops()
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    approve(responder, "Agreed with the board")
    hold_laptops("*-0042", "Evidence in a case")
    work()
    task = only_task(run)
    assert (task.status, tiny.done) == ("pending_approval", [])
    assert task.reason == "Never-touch list: Evidence in a case (name *-0042)"
    approve(responder, "Agreed with legal")
    work()
    assert only_task(run).status == "successful"


def test_18_while_the_product_says_later(tiny: Range, responder: User) -> None:
    tiny.fault("429", times=3)  # all tries of one call
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert only_task(run).status == "queued"
    hold_laptops()
    make_due()
    task = only_task(run)
    assert (task.status, task.reason, tiny.done) == ("pending_approval", WHY, [])
    assert refreshed(run).status == "pending_approval"
    approve(responder, "Agreed")
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_18_rejected_it_never_runs(tiny: Range, responder: User) -> None:
    run = queued()
    hold_laptops()
    work()
    approvals.reject(Actor.of(responder), Approval.objects.get().pk, comment="Not the board's")
    work()
    assert (only_task(run).status, refreshed(run).status, tiny.done) == ("rejected", "unsuccessful", [])


def test_21_nobody_decides_it_expires(tiny: Range) -> None:
    run = queued()
    hold_laptops()
    work()
    run_out(Approval.objects.get())
    queue_tasks.expire()
    work()
    assert (only_task(run).status, tiny.done) == ("expired", [])


def test_18_tasks_of_one_node_are_asked_about_together(tiny: Range) -> None:
    run = queued("isolate_endpoint", "disable_account")
    hold_laptops()
    hold_laptops("a.voss", "Laptops of the board")
    work()
    assert {status for _, _, status in tasks_of(run)} == {"pending_approval"}
    reasons = set(Approval.objects.values_list("reason", flat=True))
    assert reasons == {WHY, "Never-touch list: Laptops of the board (name a.voss)"}


def test_18_several_hosts_by_one_entry_are_one_question(tiny: Range, responder: User) -> None:
    host = {"type": "endpoint", "system": "", "addresses": []}
    alert = alert_of(entities=[{"name": name, **host} for name in ("LT-0042", "LT-0043", "LT-0044")])
    run = run_by_hand(Actor.system(), publish(graph(action("a", "isolate_endpoint"))), alert=alert.pk)
    assert begin(run.pk)
    hold_laptops()
    work()
    assert {status for _, _, status in tasks_of(run)} == {"pending_approval"}
    assert (Approval.objects.count(), Approval.objects.get().tasks.count()) == (1, 3)
    approve(responder, "All of them")
    work()
    assert sorted(tiny.targets("isolate_endpoint")) == ["LT-0042", "LT-0043", "LT-0044"]


def test_18_what_takes_nothing_from_anybody_goes_on(tiny: Range) -> None:
    run = queued("scan_endpoint")
    hold_laptops()
    work()
    assert (only_task(run).status, Approval.objects.count()) == ("successful", 0)


def test_18_what_the_product_has_taken_is_followed_to_its_end(tiny: Range) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 1}
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert only_task(run).status == "in_progress"
    hold_laptops()
    make_due()
    assert (only_task(run).status, Approval.objects.count()) == ("successful", 0)


def test_18_the_block_list_of_the_portal_too(tiny: Range, responder: User) -> None:
    run = queued("block")
    hold_laptops("evil-one.com", "A partner's domain")
    work()
    assert (only_task(run).status, BlockEntry.objects.count()) == ("pending_approval", 0)
    approve(responder, "The partner knows")
    work()
    assert (only_task(run).status, BlockEntry.objects.count()) == ("successful", 1)


def test_17b_by_hand_too(tiny: Range, blue: Team, responder: User) -> None:
    alert, actor = blue_alert(blue), Actor.of(responder)
    case, targets = chosen(actor, {"alert": alert.pk, "targets": [{"kind": "endpoint", "value": "LT-0042"}]})
    task = responses.start(actor, case, action="isolate_endpoint", targets=targets, params={})[0]
    hold_laptops()
    work()
    task.refresh_from_db()
    assert (task.status, task.reason, tiny.done) == ("pending_approval", WHY, [])
    assert alert.timeline.filter(kind="approval.requested").count() == 1
    approve(responder, "Agreed")
    work()
    task.refresh_from_db()
    assert (task.status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])


def test_6_what_may_have_happened_is_not_asked_about_but_decided_on(tiny: Range, responder: User) -> None:
    """The answer of the first call was lost, and the product may take the same call twice: a rejection would say that
    nothing happened."""
    tiny.shop.state["forgetful"] = True
    tiny.fault("500")
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())
    assert only_task(run).status == "unknown_outcome"
    hold_laptops()
    task = only_task(run)
    with pytest.raises(Refused, match="is on the never-touch list: say why"):
        response_ends.decide(Actor.of(responder), task.pk, "repeat")
    response_ends.decide(Actor.of(responder), task.pk, "repeat", "Agreed with the board")
    work()
    assert only_task(run).status == "successful"
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_27_cancelled_while_it_waits_is_asked_again_by_a_retry(tiny: Range, responder: User) -> None:
    run = queued()
    hold_laptops()
    work()
    cancel(Actor.of(responder), run)
    assert (only_task(run).status, Approval.objects.get().status) == ("cancelled", "cancelled")
    retry(Actor.of(responder), run)
    work()
    assert (only_task(run).status, tiny.done) == ("pending_approval", [])
    approve(responder, "Agreed")
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_27_a_retry_after_an_approved_try_asks_no_second_time(tiny: Range, responder: User) -> None:
    run = queued()
    hold_laptops()
    work()
    tiny.fault("403")
    approve(responder, "Agreed")
    work()
    assert only_task(run).status == "unsuccessful"
    retry(Actor.of(responder), run)
    work()
    assert (only_task(run).status, Approval.objects.count()) == ("successful", 1)


def test_a_worker_that_lost_its_task_asks_nobody(tiny: Range) -> None:
    run = queued()
    first = tasks.claim("first")
    assert first is not None
    hold_laptops()
    ResponseTask.objects.filter(pk=first.task.pk).update(lease_owner="second")
    performing.perform(first)
    assert (only_task(run).status, Approval.objects.count()) == ("in_progress", 0)


def test_a_run_that_is_cancelled_in_this_moment_asks_nobody(tiny: Range) -> None:
    run = queued()
    first = tasks.claim("first")
    assert first is not None
    hold_laptops()
    cancel(Actor.system(), run)
    performing.perform(first)
    assert (only_task(run).status, Approval.objects.count(), tiny.done) == ("cancelled", 0, [])
    assert refreshed(run).status == "cancelled"


def test_18_the_asset_is_looked_at_as_it_is_when_the_call_goes_out(tiny: Range) -> None:
    never_touch.add(Actor.system(), by="tag", value="tier0", reason="Domain controllers")
    run = queued()
    make_asset("lt-0042", tags=["tier0"])
    work()
    task = only_task(run)
    assert (task.status, tiny.done) == ("pending_approval", [])
    assert task.reason == "Never-touch list: Domain controllers (tag tier0)"


def test_18_a_host_that_is_not_critical_any_more_is_not_asked_about(tiny: Range) -> None:
    asset = make_asset("lt-0042", criticality=4)
    run = queued()
    never_touch.add(Actor.system(), by="criticality", value="critical", reason="Runs the line")
    Asset.objects.filter(pk=asset.pk).update(criticality=1)
    work()
    assert (only_task(run).status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])


@pytest.mark.parametrize(("value", "status"), [("LT-*", "pending_approval"), ("SRV-*", "in_progress")])
def test_18_an_entry_that_comes_between_the_question_and_the_request(value: str, status: str, responder: User) -> None:
    """Vision One is asked what became of the host last; meanwhile somebody puts an entry on the list."""
    body = {"action": "isolate_endpoint", "targets": [{"kind": "endpoint", "value": "LT-0042"}]}
    with practice(VisionOne(), {"token": "v-1"}) as here:
        serve = here.standin.serve

        def meanwhile(request: Request) -> Response:
            if request.path.endswith("response/tasks") and not NeverTouch.objects.exists():
                hold_laptops(value)
            connection.close()
            return serve(request)

        here.standin.serve = meanwhile  # type: ignore[method-assign]
        assert Api(responder).post("/response-tasks/", body).status_code == 201
        work()
        work()
        task = ResponseTask.objects.get()
        assert NeverTouch.objects.count() == 1 and task.status == status, (task.status, task.reason)
        assert len(here.state["tasks"]) == (status == "in_progress")


def test_18_our_own_list_does_not_outrun_an_entry_either(responder: User) -> None:
    """The firewall is asked which objects the address is; it knows none, and meanwhile an entry names the network."""
    body = {"action": "block", "targets": [{"kind": "ip", "value": "203.0.113.66"}]}
    with practice(FortiGate(), {"token": "key-of-the-fortigate"}) as here:
        serve = here.standin.serve

        def meanwhile(request: Request) -> Response:
            if request.method == "GET" and not NeverTouch.objects.exists():
                never_touch.add(Actor.system(), by="network", value="203.0.113.0/24", reason="Our partner")
            connection.close()
            return serve(request)

        here.standin.serve = meanwhile  # type: ignore[method-assign]
        assert Api(responder).post("/response-tasks/", body).status_code == 201
        work()
        work()
        task = ResponseTask.objects.get()
        assert (task.status, task.reason) == (
            "pending_approval", "Never-touch list: Our partner (network 203.0.113.0/24)"
        )  # fmt: skip
        assert not BlockEntry.objects.exists() and here.state["groups"]["addrgrp"]["soar-blocked"] == ["none"]
