"""Retry asks everything that was asked when a task was made, with the lists, rights and connectors of now; what it
keeps of a run it keeps whole (response-playbooks.md 6, 15, 18, 19, 27; rulings 3, 4, 8, 9)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Refused
from cases.models import Alert, Incident
from playbooks.actions import approvals
from playbooks.actions.runs import retry
from playbooks.models import Approval, NeverTouch, Playbook, Run
from soar.accounts.models import Role, Team, User
from soar.connectors.actions import create_account
from soar.connectors.models import ConnectorAccount
from soar.standins.server import Server
from soar.standins.slack import Slack
from tests.factories import make_incident, make_user
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, graph, only_task, publish, run_now, tasks_of, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
ASK = {"method": "email", "subject_prefix": "", "recipients": ["duty@example.com"], "channels": []}
STOP = {"on_failure": "stop"}


def isolating(**more: Any) -> Playbook:
    return publish(graph(action("a", "isolate_endpoint", **more)))


def refused(tiny: Range, playbook: Playbook) -> Run:
    """A run whose call the product refuses."""
    tiny.fault("403")
    run = run_now(playbook, alert_of())
    assert (run.status, tiny.done) == ("unsuccessful", [])
    return run


def again(run: Run, user: User | None = None) -> Run:
    """Retried, and all done that is queued."""
    retry(Actor.of(user) if user else SYSTEM, run)
    work()
    run.refresh_from_db()
    return run


def hold_laptops() -> None:
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops of the board", added_by="Ada")


# -- what is asked again


def test_18_what_is_on_the_never_touch_list_by_now_waits_for_an_approval(tiny: Range, responder: User) -> None:
    run = refused(tiny, isolating())
    hold_laptops()
    assert again(run, responder).status == "pending_approval"
    task = only_task(run)
    assert (task.status, tiny.done) == ("pending_approval", [])
    assert task.approval is not None and "Laptops of the board" in task.approval.reason
    with pytest.raises(Refused, match="say why"):
        approvals.approve(Actor.of(responder), task.approval.pk)
    approvals.approve(Actor.of(responder), task.approval.pk, comment="Agreed with the board")
    work()
    assert (only_task(run).status, tiny.targets("isolate_endpoint")) == ("successful", ["LT-0042"])


def test_rulings_8_retry_does_not_lend_the_run_other_rights(tiny: Range, blue: Team, responder: User) -> None:
    """Its publisher may run nothing destructive without an approval; that a responder retries it changes nothing."""
    hold_laptops()
    author = make_user("writer", "Playbook author", teams=("Blue",), first_name="Wim", last_name="Writer")
    publish(graph(action("a", "isolate_endpoint"), trigger={"type": "automatic"}), by=author)
    alert_of(team=blue)
    work()
    run = Run.objects.get()
    assert run.status == "unsuccessful"
    assert again(run, responder).status == "unsuccessful"
    assert tiny.done == [] and "may not run response actions without an approval" in only_task(run).reason


def test_19_a_task_that_nobody_was_asked_about_is_asked_about(tiny: Range, responder: User) -> None:
    """It failed for want of a connector before the node could ask."""
    ConnectorAccount.objects.update(enabled=False)
    run = run_now(isolating(approval=ASK), alert_of())
    assert (run.status, Approval.objects.count()) == ("unsuccessful", 0)
    ConnectorAccount.objects.update(enabled=True)
    assert again(run).status == "pending_approval"
    assert tiny.done == []
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    assert (only_task(run).status, only_task(run).account) == ("successful", tiny.account)


def test_15_a_connector_that_was_set_up_since_is_used(tiny: Range) -> None:
    ConnectorAccount.objects.update(enabled=False)
    run = run_now(isolating(), alert_of())
    assert "No connector is set up" in only_task(run).reason
    assert again(run).status == "unsuccessful", "there is still none"
    ConnectorAccount.objects.update(enabled=True)
    assert again(run).status == "successful"
    assert (only_task(run).account, tiny.targets("isolate_endpoint")) == (tiny.account, ["LT-0042"])


def test_27_what_people_approved_is_not_asked_twice(tiny: Range, responder: User) -> None:
    hold_laptops()
    run = run_now(isolating(approval=ASK), alert_of())
    tiny.fault("403")
    approvals.approve(Actor.of(responder), Approval.objects.get().pk, comment="Agreed")
    work()
    assert only_task(run).status == "unsuccessful"
    assert again(run).status == "successful"
    assert (Approval.objects.count(), tiny.targets("isolate_endpoint")) == (1, ["LT-0042"])


def test_18_a_rule_that_came_while_it_waited_wants_a_reason_too(tiny: Range, responder: User) -> None:
    run = run_now(isolating(approval=ASK), alert_of())
    hold_laptops()
    with pytest.raises(Refused, match="LT-0042 is on the never-touch list"):
        approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    assert (only_task(run).status, tiny.done) == ("pending_approval", [])
    approvals.approve(Actor.of(responder), Approval.objects.get().pk, comment="Agreed with the board")
    work()
    assert only_task(run).status == "successful"


# -- what is kept


@pytest.fixture
def channel(tiny: Range) -> Any:
    """A channel that is told."""
    with Server([Slack()]) as server:
        create_account(None, "slack", "SOC", {"url": server.urls["slack"]["url"], "allow_internal": True}, {})
        yield server.standins["slack"]


def telling() -> Playbook:
    """Isolate or stop; tell people; disable the account; close the incident if all of it succeeded."""
    tell = {**action("t", ("channel", {"channels": ["SOC"]}), parent="a"), "type": "notify", "risk": []}
    nodes = action("a", "isolate_endpoint", **STOP), tell, action("b", "disable_account", parent="t")
    closing: dict[str, Any] = {"owners": [], "close_on_success": {"determination": "malicious"}, "ticket_profile": None}
    return publish(graph(*nodes, target={"open_incident": closing}))


def test_3_what_was_stopped_after_a_message_follows_once_the_first_succeeds(tiny: Range, channel: Any) -> None:
    run = refused_telling(tiny)
    assert again(run).status == "successful"
    assert [status for _, _, status in tasks_of(run)] == ["successful"] * 3
    assert tiny.targets("disable_account") == ["a.voss"]
    assert len(channel.state["messages"]) == 1, "people were told once"
    assert Incident.objects.get().status == IncidentStatus.CLOSED


def test_3_it_stays_stopped_while_the_first_fails(tiny: Range, channel: Any) -> None:
    run = refused_telling(tiny)
    tiny.fault("403")
    assert again(run).status == "partially_successful"
    assert [status for _, _, status in tasks_of(run)] == ["unsuccessful", "successful", "no_action"]
    assert (tiny.done, Incident.objects.get().status) == ([], IncidentStatus.OPEN)


def refused_telling(tiny: Range) -> Run:
    tiny.fault("403")
    run = run_now(telling(), alert_of())
    assert [status for _, _, status in tasks_of(run)] == ["unsuccessful", "successful", "no_action"]
    return run


def test_6_an_incident_that_was_refused_is_asked_for_again(tiny: Range, blue: Team, responder: User) -> None:
    """Its publisher may not work on cases: that stays true, until somebody gives the right."""
    author = make_user("writer", "Playbook author", teams=("Blue",), first_name="Wim", last_name="Writer")
    wanted: dict[str, Any] = {"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": None}}
    publish(graph(action("a", "scan_endpoint"), trigger={"type": "automatic"}, target=wanted), by=author)
    alert_of(team=blue)
    work()
    run = Run.objects.get()
    assert run.status == "partially_successful" and "No incident was opened" in run.error
    before = run.error
    assert again(run, responder).status == "partially_successful"
    assert (run.error, Incident.objects.count()) == (before, 0)
    author.groups.add(Role.objects.get(group__name="Analyst").group)
    assert again(run, responder).status == "successful"
    assert (run.error, Incident.objects.get()) == ("", run.opened_incident)
    assert tiny.targets("scan_endpoint") == ["LT-0042"], "it was done once"


def test_6_an_owner_who_could_not_be_added_is_still_a_problem(tiny: Range, responder: User) -> None:
    wanted: dict[str, Any] = {"open_incident": {"owners": ["ghost"], "close_on_success": None, "ticket_profile": None}}
    tiny.fault("403")
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=wanted)), alert_of())
    before = run.error
    assert "ghost" in before
    assert again(run, responder).status == "partially_successful"
    assert (run.error, only_task(run).status) == (before, "successful")


def test_6_an_owner_who_came_meanwhile_is_added_and_the_problem_goes(tiny: Range, responder: User) -> None:
    run = lacking_owner(tiny)
    opened = run.opened_incident
    assert opened is not None and not opened.owner_rows.exists()
    ghost = make_user("ghost", "Analyst", first_name="Gil", last_name="Host")
    assert again(run, responder).status == "successful"
    assert [row.user for row in opened.owner_rows.all()] == [ghost]
    assert run.error == "" and (run.report or {})["problems"] == []
    told = opened.timeline.filter(kind="incident.owners").order_by("pk").values_list("data", flat=True)
    assert [("left_out" in data, "added" in data) for data in told] == [(True, False), (False, True)]


def test_6_an_owner_who_was_added_by_hand_is_no_problem_any_more(tiny: Range, responder: User) -> None:
    run = lacking_owner(tiny)
    assert run.opened_incident is not None
    make_user("ghost", "Analyst", first_name="Gil", last_name="Host")
    incidents.owners(SYSTEM, run.opened_incident.pk, add=["ghost"])
    assert again(run, responder).status == "successful"
    assert (run.error, run.opened_incident.owner_rows.count()) == ("", 1)


def test_6_only_who_was_lacking_is_added(tiny: Range, responder: User) -> None:
    """Another owner of the playbook was taken away by a person meanwhile: that stands."""
    make_user("here", "Analyst", first_name="Hed", last_name="Ere")
    run = lacking_owner(tiny, "here")
    assert run.opened_incident is not None
    incidents.owners(SYSTEM, run.opened_incident.pk, remove=["here"])
    ghost = make_user("ghost", "Analyst", first_name="Gil", last_name="Host")
    assert again(run, responder).status == "successful"
    assert [row.user for row in run.opened_incident.owner_rows.all()] == [ghost]


def test_6_of_an_incident_that_was_there_too(tiny: Range, responder: User) -> None:
    alert = alert_of()
    incident = make_incident("There before", alert)
    run = lacking_owner(tiny, alert=alert)
    ghost = make_user("ghost", "Analyst", first_name="Gil", last_name="Host")
    assert again(run, responder).status == "successful"
    assert [row.user for row in incident.owner_rows.all()] == [ghost]


def lacking_owner(tiny: Range, *others: str, alert: Alert | None = None) -> Run:
    """A run that did all, but for one owner who is no user."""
    owners = [*others, "ghost"]
    wanted: dict[str, Any] = {"open_incident": {"owners": owners, "close_on_success": None, "ticket_profile": None}}
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=wanted)), alert or alert_of())
    assert run.status == "partially_successful" and "ghost" in run.error
    return run
