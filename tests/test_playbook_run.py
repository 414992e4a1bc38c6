"""Running by hand, cancelling, retrying, deciding: who may, and what it does."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from playbooks import engine
from playbooks.actions import cancel, decide, disable, retry, run_by_hand
from playbooks.models import Run
from playbooks.selectors import runs_of_alerts
from soar.accounts.models import Team, User
from soar.models import QueuedTask
from tests.factories import make_alert, make_incident
from tests.playbook_files import Folder, folder, reload, until, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
SOURCE = """
@playbook(conditions={"title": "never"})
async def on_alert(alert):
    await update_current_alert(severity="high")

@playbook(trigger="incident", conditions={"title": "never"})
async def on_incident(incident):
    return incident["number"]

@playbook(trigger="manual")
async def by_hand(alert):
    return alert.get("number")

@playbook(trigger="schedule", cron="0 3 * * *")
async def by_clock(nothing):
    return dict(nothing)
"""


@pytest.fixture
def loaded(folder: Folder) -> Folder:
    folder.load(SOURCE)
    return folder


def test_an_analyst_runs_one_with_their_own_rights(loaded: Folder, analyst: User, blue: Team) -> None:
    alert = make_alert(team=blue)
    run = run_by_hand(Actor.of(analyst), "on_alert", alert=alert)
    assert (run.status, run.trigger, run.started_by, run.acting_user) == ("queued", "manual", analyst, analyst)
    work()
    run.refresh_from_db()
    assert run.status == "successful"
    entry = alert.timeline.get(kind="run.started")
    assert (entry.actor_type, entry.actor_name, entry.data["run"]) == ("playbook", "on_alert", run.pk)
    assert runs_of_alerts([alert.pk]) == {alert.pk: [{"id": run.pk, "playbook": "on_alert", "status": "successful"}]}


def test_a_stranger_sees_neither_alert_nor_run(loaded: Folder, analyst: User, stranger: User, blue: Team) -> None:
    alert = make_alert(team=blue)
    with pytest.raises(Missing):
        run_by_hand(Actor.of(stranger), "on_alert", alert=alert)
    run = run_by_hand(Actor.of(analyst), "on_alert", alert=alert)
    for verb in (cancel, retry):
        with pytest.raises(Missing):
            verb(Actor.of(stranger), run)
    with pytest.raises(Missing):
        decide(Actor.of(stranger), run, 1, "done")
    assert not Run.objects.all().visible_to(stranger).exists()
    assert Run.objects.all().visible_to(analyst).get() == run


def test_a_viewer_runs_cancels_and_retries_nothing(loaded: Folder, analyst: User, viewer: User, blue: Team) -> None:
    alert = make_alert(team=blue)
    with pytest.raises(Forbidden, match="permission"):
        run_by_hand(Actor.of(viewer), "on_alert", alert=alert)
    run = run_by_hand(Actor.of(analyst), "on_alert", alert=alert)
    for verb in (cancel, retry):
        with pytest.raises(Forbidden, match="permission"):
            verb(Actor.of(viewer), run)


def test_who_may_run_but_not_work_is_told_by_the_run(loaded: Folder, author: User, blue: Team) -> None:
    run = run_by_hand(Actor.of(author), "on_alert", alert=make_alert(team=blue))
    work()
    run.refresh_from_db()
    assert (run.status, "permission" in run.error) == ("unsuccessful", True)


@pytest.mark.parametrize(
    ("name", "on"),
    [("on_alert", ""), ("on_alert", "incident"), ("on_incident", ""), ("on_incident", "alert"), ("by_clock", "alert"),
     ("by_hand", "both")],
)  # fmt: skip
def test_the_wrong_kind_of_subject_is_refused(loaded: Folder, name: Any, on: Any) -> None:
    alert, incident = make_alert(), make_incident()
    QueuedTask.objects.all().delete()
    subject: dict[str, Any] = {"alert": alert.pk} if on in ("alert", "both") else {}
    subject |= {"incident": incident.pk} if on in ("incident", "both") else {}
    with pytest.raises(Refused):
        run_by_hand(SYSTEM, name, **subject)
    assert not Run.objects.exists()


def test_on_an_incident_on_nothing_and_by_number(loaded: Folder) -> None:
    incident, alert = make_incident(), make_alert()
    QueuedTask.objects.all().delete()
    runs = [
        run_by_hand(SYSTEM, "ON_INCIDENT", incident=incident.number),
        run_by_hand(SYSTEM, "by_clock"),
        run_by_hand(SYSTEM, "by_hand", alert=alert.number),
        run_by_hand(SYSTEM, "by_hand"),
    ]
    work()
    assert [Run.objects.get(pk=run.pk).result for run in runs] == [incident.number, {}, alert.number, None]


@pytest.mark.parametrize("name", ["no such playbook", "", "\x00", "99999999999999999999"])
def test_a_playbook_that_is_not_there(loaded: Folder, name: Any) -> None:
    with pytest.raises(Missing):
        run_by_hand(SYSTEM, name)


def test_a_disabled_playbook_cannot_be_run_by_hand_either(loaded: Folder) -> None:
    disable(SYSTEM, "by_hand")
    with pytest.raises(Conflict, match="disabled"):
        run_by_hand(SYSTEM, "by_hand")


def test_a_queued_run_is_cancelled_at_once(loaded: Folder) -> None:
    run = run_by_hand(SYSTEM, "on_alert", alert=make_alert())
    cancel(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, run.error, run.started_at) == ("cancelled", "Cancelled by Soar.", None)
    with pytest.raises(Conflict, match="cancelled already"):
        cancel(SYSTEM, run)


LONG = """
@action
async def slow():
    await asyncio.sleep(0.5)
    return "ended"

@playbook(trigger="manual")
async def long(alert):
    await slow()
    await slow()
    await asyncio.sleep(30)
"""


def test_a_running_run_is_cancelled_after_what_is_in_flight(folder: Folder) -> None:
    folder.load(LONG)
    run = run_by_hand(SYSTEM, "long", ring=False)

    def execute() -> None:
        try:
            engine.execute(run.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=execute)
    worker.start()
    until(lambda: run.steps.filter(status="in_progress").exists())
    assert cancel(SYSTEM, run).status == "in_progress"
    worker.join(20)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert [(step.status, step.result) for step in run.steps.all()] == [("successful", "ended")]


def test_a_run_asleep_between_its_calls_is_cancelled_too(folder: Folder, settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    folder.load("@playbook(trigger='manual')\nasync def long(alert):\n    await asyncio.sleep(60)\n")
    run = run_by_hand(SYSTEM, "long", ring=False)
    waiter = threading.Thread(target=_cancel_when_running, args=(run,))
    waiter.start()
    engine.execute(run.pk)
    waiter.join()
    run.refresh_from_db()
    assert run.status == "cancelled"


def _cancel_when_running(run: Run) -> None:
    try:
        until(lambda: Run.objects.get(pk=run.pk).status == "in_progress")
        cancel(SYSTEM, run.pk)
    finally:
        connection.close()


RETRY = """
import pathlib
FLAG = pathlib.Path(__file__).parent / "fixed"
LOG = pathlib.Path(__file__).parent / "log"

@action
async def one():
    LOG.open("a").write("one ")

@action
async def two():
    LOG.open("a").write("two ")
    if not FLAG.exists():
        raise OSError("away")

@playbook(trigger="manual")
async def again(alert):
    await one()
    await two()
"""


def test_a_retry_repeats_what_failed_and_nothing_else(folder: Folder) -> None:
    folder.load(RETRY)
    run = run_by_hand(SYSTEM, "again")
    work()
    run.refresh_from_db()
    assert run.status == "unsuccessful"
    (folder.path / "fixed").touch()
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, run.error) == ("successful", "")
    assert (folder.path / "log").read_text() == "one two two "
    assert {step.name: step.attempts for step in run.steps.all()} == {"one": 1, "two": 2}
    with pytest.raises(Conflict, match="nothing to retry"):
        retry(SYSTEM, run)


def test_a_retry_takes_the_mended_code(folder: Folder) -> None:
    folder.load(RETRY)
    run = run_by_hand(SYSTEM, "again")
    work()
    file = folder.path / "one.py"
    file.write_text(file.read_text().replace('raise OSError("away")', "pass"))
    reload()
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, run.version and run.version.number) == ("successful", 2)


def test_a_long_run_keeps_its_lease(folder: Folder, settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    folder.load(
        "import time\n@playbook(trigger='manual')\nasync def long(alert):\n    time.sleep(2.5)\n    return 'mine'\n"
    )
    run = run_by_hand(SYSTEM, "long", ring=False)
    others: list[str] = []

    def rival() -> None:
        try:
            until(lambda: Run.objects.get(pk=run.pk).status == "in_progress")
            while Run.objects.get(pk=run.pk).status == "in_progress":
                engine.execute(run.pk)
                others.append("tried")
                threading.Event().wait(0.1)
        finally:
            connection.close()

    thread = threading.Thread(target=rival)
    thread.start()
    engine.execute(run.pk)
    thread.join()
    run.refresh_from_db()
    assert (run.status, run.result, run.attempts) == ("successful", "mine", 1)
    assert len(others) > 5
