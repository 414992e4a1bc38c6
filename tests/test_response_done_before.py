"""What one step of a run has done to an object, a later one neither asks for nor does again."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actors import Actor
from playbooks.actions import response_follow
from playbooks.choices import TaskStatus
from playbooks.models import Approval, ResponseTask, Run
from soar.accounts.models import User
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tasks_of, tiny, vote

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
KNOWN, OTHER = "<1@bad.example> in ana@corp.example", "<1@bad.example> in ben@corp.example"
ASK: dict[str, Any] = {"method": "email", "subject_prefix": "", "recipients": [], "channels": [], "two_people": False}


def message(value: str, box: str) -> dict[str, Any]:
    facts = {"message_id": "<1@bad.example>", "mailbox": box, "received_at": "2026-03-01T10:00:00Z"}
    return {"kind": "message", "type": "message", "value": value, "facts": facts}


def phishing(tiny: Range, *found: dict[str, Any], first: str = "quarantine_message", **more: Any) -> Run:
    """Quarantine the reported message, look for others, quarantine those after an approval."""
    tiny.shop.state["finds"]["find_messages"] = {"found": [message(KNOWN, "ana@corp.example"), *found]}
    reported = {"type": "message", "name": KNOWN, "message_id": "<1@bad.example>", "mailbox": "ana@corp.example"}
    nodes = (
        action("contain", first, name="Contain"),
        action("search", "find_messages", parent="contain"),
        action("sweep", "quarantine_message", parent="search", approval=ASK, **more),
    )
    return run_now(publish(graph(*nodes)), alert_of(entities=[reported]))


def swept(run: Run) -> dict[str, tuple[str, str]]:
    rows = ResponseTask.objects.filter(run=run, node="sweep")
    return {row.target_value: (row.status, row.reason) for row in rows}


def test_only_what_is_new_is_asked(tiny: Range, responder: User) -> None:
    run = phishing(tiny, message(OTHER, "ben@corp.example"))
    position = run.steps.get(name="contain").position
    assert swept(run) == {
        KNOWN: (TaskStatus.NO_ACTION, f"Done already in step {position}, “Contain”."),
        OTHER: (TaskStatus.PENDING_APPROVAL, ""),
    }
    approval = Approval.objects.get()
    assert [task.target_value for task in approval.tasks.all()] == [OTHER]
    vote(approval, responder)
    work()
    assert tiny.targets("quarantine_message") == [KNOWN, OTHER], "each once"
    run.refresh_from_db()
    assert run.status == "successful"


def test_nothing_new_is_nothing_to_ask(tiny: Range) -> None:
    run = phishing(tiny)
    assert not Approval.objects.exists()
    assert swept(run)[KNOWN][0] == TaskStatus.NO_ACTION
    assert run.status == "successful"
    assert tiny.targets("quarantine_message") == [KNOWN]


def test_another_action_on_the_object_is_asked(tiny: Range) -> None:
    run = phishing(tiny, first="delete_message")
    assert swept(run)[KNOWN][0] == TaskStatus.PENDING_APPROVAL


def test_what_failed_is_asked_again(tiny: Range) -> None:
    tiny.fault("404", times=1)
    run = phishing(tiny)
    assert ResponseTask.objects.get(run=run, node="contain").status == TaskStatus.UNSUCCESSFUL
    assert swept(run)[KNOWN][0] == TaskStatus.PENDING_APPROVAL


def test_other_params_are_another_thing(tiny: Range) -> None:
    short, long = ("block", {"days": 1}), ("block", {"days": 30})
    nodes = (action("a", short), action("b", long, parent="a"), action("c", long, parent="b"))
    run = run_now(publish(graph(*nodes)), alert_of(("domain", "evil-one.com")))
    assert [status for name, _target, status in tasks_of(run) if name == "block"] == [
        TaskStatus.SUCCESSFUL, TaskStatus.SUCCESSFUL, TaskStatus.NO_ACTION,
    ]  # fmt: skip


def test_what_may_be_meant_twice_is_done_twice(tiny: Range) -> None:
    nodes = (action("a", "sign_out"), action("b", "sign_out", parent="a"))
    run = run_now(publish(graph(*nodes)), alert_of())
    assert [status for _name, _target, status in tasks_of(run)] == [TaskStatus.SUCCESSFUL] * 2


def test_what_was_undone_since_is_asked_again(tiny: Range, responder: User) -> None:
    nodes = (
        action("a", "isolate_endpoint"),
        action("wait", "sign_out", parent="a", approval=ASK),
        action("b", "isolate_endpoint", parent="wait"),
    )
    run = run_now(publish(graph(*nodes)), alert_of())
    task = ResponseTask.objects.get(run=run, node="a")
    assert task.status == TaskStatus.SUCCESSFUL
    response_follow.inverse(Actor.of(responder), task.pk)
    work()
    vote(Approval.objects.get(), responder)
    work()
    assert ResponseTask.objects.get(run=run, node="b").status == TaskStatus.SUCCESSFUL
