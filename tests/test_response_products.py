"""A response playbook against the practice range: Vision One isolates, Slack is told, people approve
(response-playbooks.md 24)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cases.actors import Actor
from cases.models import Incident
from playbooks.actions import approvals
from playbooks.models import Approval, ResponseTask
from playbooks.response import crew
from soar.accounts.models import User
from soar.connectors.actions import create_account
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.visionone import VisionOne
from tests.playbook_files import Folder, folder, work
from tests.response_tools import action, alert_of, condition, graph, make_due, publish, run_now, tasks_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


class Practice:
    """Vision One and a Slack channel."""

    def __init__(self, server: Server) -> None:
        self.visionone, self.slack = server.standins["visionone"].state, server.standins["slack"]
        urls = server.urls
        inside = {"allow_internal": True}
        create_account(
            None, "visionone", "Vision One", {"url": urls["visionone"]["url"], **inside}, {"token": "practice"}
        )
        channel = {"url": urls["slack"]["url"], "cleared": "red", **inside}
        self.channel = create_account(None, "slack", "SOC", channel, {})

    @property
    def messages(self) -> list[Any]:
        """What the channel shows."""
        messages: list[Any] = self.slack.state["messages"]
        return messages


@pytest.fixture
def practice(folder: Folder, transactional_db: None) -> Iterator[Practice]:
    """The products, with accounts of theirs."""
    with Server([VisionOne(), Slack()]) as server:
        yield Practice(server)
        crew.Crew.rest()


def test_from_the_alert_to_the_closed_incident(practice: Practice, responder: User) -> None:
    ask = {"method": "channel", "subject_prefix": "", "recipients": [], "channels": ["SOC"], "two_people": False}
    tell = {**action("t", ("channel", {"channels": ["SOC"]}), parent="a"), "type": "notify", "risk": []}
    playbook = publish(
        graph(
            condition("c", ("severity", "is", ["high", "critical"])),
            action("a", "isolate_endpoint", "disable_account", parent="c", approval=ask),
            tell,
            target={
                "open_incident": {
                    "owners": ["priya"],
                    "close_on_success": {"determination": "malicious"},
                    "ticket_profile": None,
                }
            },
        ),
        name="Command and control",
    )
    run = run_now(playbook, alert_of(severity=3, title="Odd <b>beacon</b>"))
    assert run.status == "pending_approval" and len(practice.messages) == 1
    approval = Approval.objects.get()
    assert f"/approvals/{approval.pk}/" in str(practice.messages[0]) and approval.told[0]["ok"] is True
    approvals.approve(Actor.of(responder), approval.pk)
    work()
    for _ in range(6):
        make_due()
    run.refresh_from_db()
    assert run.status == "successful", [(one.action, one.status, one.reason) for one in ResponseTask.objects.all()]
    assert practice.visionone["endpoints"] and set(practice.visionone["effects"].values()) == {1}
    report = str(practice.messages[1])
    assert "Isolate endpoint" in report and "LT-0042" in report and "&lt;b&gt;beacon" in report
    assert len(practice.messages) == 2
    assert (Incident.objects.get().status, Incident.objects.get().determination) == (4, 3)


def test_tlp_red_leaves_to_no_channel_that_is_not_cleared(practice: Practice) -> None:
    practice.channel.settings["cleared"] = "amber"
    practice.channel.save()
    tell = {**action("t", ("channel", {"channels": ["SOC", "Ghost"]}), parent="a"), "type": "notify", "risk": []}
    run = run_now(publish(graph(action("a", "isolate_endpoint"), tell)), alert_of(tlp="red"))
    for _ in range(6):
        make_due()
    run.refresh_from_db()
    told = {task.target_value: task for task in run.tasks.filter(action="channel")}
    assert told["SOC"].status == "unsuccessful" and "red" in told["SOC"].reason.lower()
    assert told["Ghost"].reason == "There is no enabled channel Ghost."
    assert not practice.messages and run.status == "partially_successful", tasks_of(run)


def test_notifications_are_sent_although_the_series_was_stopped(practice: Practice) -> None:
    """Rulings 3: later response and case nodes take no action; never the notifications."""
    tell = {**action("t", ("channel", {"channels": ["SOC"]}), parent="b"), "type": "notify", "risk": []}
    nodes = (
        action("a", ("run_script", {"script": "ghost.ps1"}), on_failure="stop"),
        action("b", "isolate_endpoint", ("comment", {"text": "x"}), parent="a"),
        tell,
    )
    run = run_now(publish(graph(*nodes)), alert_of())
    assert [status for _, _, status in tasks_of(run)] == ["unsuccessful", "no_action", "no_action", "successful"], [
        task.reason for task in run.tasks.all()
    ]
    assert len(practice.messages) == 1 and run.status == "partially_successful"
