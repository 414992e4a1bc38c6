"""An approval is of a script's text, not of its name (response-playbooks.md 16, 20)."""

from __future__ import annotations

import hashlib

import pytest

from cases.actors import Actor
from playbooks.actions import approvals, responses, scripts
from playbooks.actions.response_choice import chosen
from playbooks.actions.response_follow import resend
from playbooks.actions.runs import retry
from playbooks.models import Approval, NeverTouch, ResponseTask, Run, Script
from soar.accounts.models import Team, User
from tests.approving import blue_alert
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, graph, only_task, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
ASK = {"method": "email", "subject_prefix": "", "recipients": ["duty@example.com"], "channels": []}
OLD, NEW = "Get-Process", "Remove-Item C:\\ -Recurse"
ACTION = ("run_script", {"script": "fix.ps1"})


@pytest.fixture
def script(author: User) -> Script:
    return scripts.add(Actor.of(author), "fix.ps1", OLD.encode())


def replace(script: Script, text: str) -> None:
    """As an author removes the script and adds another one under its name."""
    actor = Actor.of(script.uploaded_by)
    scripts.remove(actor, script.pk)
    scripts.add(actor, "fix.ps1", text.encode())


def waiting(script: Script) -> Run:
    run = run_now(publish(graph(action("a", ACTION, approval=ASK))), alert_of())
    assert run.status == "pending_approval"
    return run


def approve(responder: User) -> None:
    approvals.approve(Actor.of(responder), Approval.objects.get(status="pending").pk, comment="Read and agreed")
    work()


def texts(tiny: Range) -> list[str]:
    """What ran."""
    return [one["params"]["text"] for one in tiny.done]


def test_20_the_text_that_was_approved_runs(tiny: Range, script: Script, responder: User) -> None:
    run = waiting(script)
    assert only_task(run).params["sha256"] == hashlib.sha256(OLD.encode()).hexdigest()
    approve(responder)
    assert (only_task(run).status, texts(tiny)) == ("successful", [OLD])


def test_20_another_text_under_the_name_does_not_run(tiny: Range, script: Script, responder: User) -> None:
    run = waiting(script)
    replace(script, NEW)
    approve(responder)
    task = only_task(run)
    assert (task.status, tiny.done) == ("unsuccessful", [])
    assert "another script than when this was asked for" in task.reason


def test_20_retrying_asks_for_the_new_text(tiny: Range, script: Script, responder: User) -> None:
    run = waiting(script)
    replace(script, NEW)
    approve(responder)
    retry(Actor.of(responder), run)
    work()
    task = only_task(run)
    assert (task.status, tiny.done) == ("pending_approval", [])
    assert task.params["sha256"] == hashlib.sha256(NEW.encode()).hexdigest()
    approve(responder)
    assert texts(tiny) == [NEW]


def test_20_the_same_text_added_again_runs(tiny: Range, script: Script, responder: User) -> None:
    waiting(script)
    replace(script, OLD)
    approve(responder)
    assert texts(tiny) == [OLD]


def test_20_a_script_that_came_after_the_question_does_not_run(tiny: Range, author: User, responder: User) -> None:
    run = run_now(publish(graph(action("a", ACTION, approval=ASK))), alert_of())
    scripts.add(Actor.of(author), "fix.ps1", NEW.encode())
    approve(responder)
    assert (only_task(run).status, tiny.done) == ("unsuccessful", [])


def test_18_by_hand_too(tiny: Range, script: Script, blue: Team, responder: User) -> None:
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops", added_by="Ada")
    alert, actor = blue_alert(blue), Actor.of(responder)
    case, targets = chosen(actor, {"alert": alert.pk, "targets": [{"kind": "endpoint", "value": "LT-0042"}]})
    task = responses.start(actor, case, action="run_script", targets=targets, params={"script": "fix.ps1"})[0]
    replace(script, NEW)
    approve(responder)
    task.refresh_from_db()
    assert (task.status, tiny.done) == ("unsuccessful", [])
    fresh = resend(actor, task.pk)
    assert (fresh.status, ResponseTask.objects.count()) == ("pending_approval", 2), "asked for anew"
    approve(responder)
    assert texts(tiny) == [NEW]
