"""``request_approval`` of Python playbooks: the run sleeps until people have decided, and goes on with their answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from cases.actors import Actor
from playbooks import tasks as queue_tasks
from playbooks.actions import approvals, cancel, run_by_hand
from playbooks.models import Approval, Run
from soar.accounts.models import User
from tests.factories import make_alert
from tests.playbook_files import Folder, folder, reload, work
from tests.response_tools import queue_rows, vote

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
ASKING = """
@action
async def isolate(host):
    with open(MARKS, "a") as file:
        file.write("isolated" + chr(10))

@playbook(trigger="manual")
async def asks(alert):
    said = await request_approval("May LT-0042 go?", OPTIONS)
    if said["approved"]:
        await isolate("LT-0042")
    return said
"""


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """What really happened."""
    path = tmp_path / "marks"
    path.touch()
    return path


def asking(folder: Folder, marks: Path, options: str = "", **more: Any) -> Run:
    """A run that has come to its question."""
    folder.load(f"MARKS = {str(marks)!r}\n" + ASKING.replace("OPTIONS", options))
    run = run_by_hand(SYSTEM, "asks", alert=make_alert().pk, **more)
    work()
    run.refresh_from_db()
    return run


def test_the_run_sleeps_without_lease_or_doorbell(folder: Folder, marks: Path) -> None:
    run: Any = asking(folder, marks, 'recipients=["duty@example.com"], subject_prefix="[SOC]"')
    assert (run.status, run.lease_owner, run.lease_until) == ("pending_approval", "", None)
    approval = Approval.objects.get()
    assert (approval.question, approval.status) == ("May LT-0042 go?", "pending")
    assert approval.notify["recipients"] == ["duty@example.com"] and approval.notify["subject_prefix"] == "[SOC]"
    queue_tasks.sweep()
    assert queue_rows() == 0 and run.steps.get().status == "pending_approval"
    assert run.alert is not None and run.alert.timeline.filter(kind="approval.requested").count() == 1


@pytest.mark.parametrize(("yes", "status", "lines"), [(True, "approved", ["isolated"]), (False, "rejected", [])])
def test_it_goes_on_with_what_they_said(
    folder: Folder, marks: Path, responder: User, yes: bool, status: str, lines: list[str]
) -> None:
    run: Any = asking(folder, marks)
    decide = approvals.approve if yes else approvals.reject
    decide(Actor.of(responder), Approval.objects.get().pk, comment="As agreed")
    work()
    run.refresh_from_db()
    assert run.status == "successful" and marks.read_text().split() == lines
    assert (run.result["status"], run.result["by"], run.result["comment"]) == (status, ["Priya Raman"], "As agreed")
    assert Approval.objects.count() == 1, "the replay does not ask again"


def test_nobody_decides_in_time(folder: Folder, marks: Path) -> None:
    run: Any = asking(folder, marks, "seconds=60")
    Approval.objects.update(expires_at=Now() - timedelta(seconds=1))
    queue_tasks.expire()
    work()
    run.refresh_from_db()
    assert (run.status, run.result["status"], run.result["approved"]) == ("successful", "expired", False)
    assert not marks.read_text()


def test_two_people(folder: Folder, marks: Path, responder: User, admin: User) -> None:
    run: Any = asking(folder, marks, "two_people=True")
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    run.refresh_from_db()
    assert run.status == "pending_approval"
    approvals.approve(Actor.of(admin), Approval.objects.get().pk)
    work()
    run.refresh_from_db()
    assert run.status == "successful" and run.result["by"] == ["Priya Raman", "Ada Admin"]


def test_decided_before_the_worker_put_the_run_to_sleep(
    folder: Folder, marks: Path, responder: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approval is seen as soon as it is asked for; somebody may be quicker than the worker."""
    from playbooks import claims

    really = claims._sleep

    def slow(*given: Any) -> None:
        vote(Approval.objects.get(), responder)
        really(*given)

    monkeypatch.setattr(claims, "_sleep", slow)
    run: Any = asking(folder, marks)
    work()
    run.refresh_from_db()
    assert run.status == "successful" and marks.read_text().split() == ["isolated"]


def test_cancelling_withdraws_the_question(folder: Folder, marks: Path) -> None:
    run: Any = asking(folder, marks)
    cancel(SYSTEM, run)
    assert (Approval.objects.get().status, Run.objects.get().status) == ("cancelled", "cancelled")


def test_a_question_needs_words_and_a_sensible_time(folder: Folder, marks: Path) -> None:
    run: Any = asking(folder, marks, "seconds=0.1")
    assert run.status == "unsuccessful" and "at least a second" in run.error
    assert not Approval.objects.exists()


def test_a_dry_run_asks_nobody(folder: Folder, marks: Path) -> None:
    run: Any = asking(folder, marks, dry_run=True)
    assert run.status == "successful" and not Approval.objects.exists() and not marks.read_text()


def test_the_code_changed_while_it_slept(folder: Folder, marks: Path, responder: User) -> None:
    """The decision is found again by name and position; the new code goes on with it."""
    run: Any = asking(folder, marks)
    folder.write(f"MARKS = {str(marks)!r}\n" + ASKING.replace("OPTIONS", "").replace("return said", "return 'new'"))
    reload()
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    run.refresh_from_db()
    assert (run.status, run.result) == ("successful", "new")
