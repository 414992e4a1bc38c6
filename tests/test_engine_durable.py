"""A worker is killed in the middle: nothing done is done again, nothing unknown is passed over (spec 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from playbooks import engine, sweeper
from playbooks.actions import decide, retry, run_by_hand
from playbooks.models import Run
from soar.models import QueuedTask
from tests.factories import make_alert
from tests.playbook_files import Folder, execute_elsewhere, folder, kill_in_flight, lapse, reload, until, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """What really happened, in a file that outlives a killed process."""
    path = tmp_path / "marks"
    path.touch()
    return path


def started(folder: Folder, marks: Path, source: str) -> Any:
    """A run by hand of the playbook ``it``; ``mark(text)`` in the source writes to the file."""
    folder.load(
        f"""
def mark(text):
    with open({str(marks)!r}, "a") as file:
        file.write(text + chr(10))
"""
        + source
    )
    run = run_by_hand(SYSTEM, "it", alert=make_alert())
    QueuedTask.objects.all().delete()
    return run


def lines(marks: Path) -> list[str]:
    return marks.read_text().split()


IN_FLIGHT = """
@action
async def first():
    mark("first")
    return {"ticket": 7}

@action(OPTIONS)
async def second(ticket):
    mark("second-" + idempotency_key())
    if not FLAG.exists():
        await asyncio.sleep(60)
    return ticket + 1

@playbook(trigger="webhook", conditions={"title": "never"})
async def it(alert):
    one = await first()
    two = await second(one["ticket"])
    await update_current_alert(status="in_progress")
    return two
"""


def in_flight(folder: Folder, marks: Path, options: str) -> tuple[Any, Any]:
    """A run whose worker was killed while ``second`` was in flight."""
    flag = marks.with_name("flag")
    source = IN_FLIGHT.replace("OPTIONS", options).replace("FLAG", f"__import__('pathlib').Path({str(flag)!r})")
    run = started(folder, marks, source)
    kill_in_flight(run.pk, folder, lambda: len(lines(marks)) == 2)
    flag.touch()
    assert Run.objects.get(pk=run.pk).status == "in_progress"
    return run, run.steps.get(name="second")


def test_an_idempotent_action_in_flight_is_repeated_with_the_same_key(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "idempotent=True")
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.result) == ("successful", 8)
    assert lines(marks) == ["first", f"second-{step.idempotency_key}", f"second-{step.idempotency_key}"]
    assert {step.name: step.attempts for step in run.steps.all()} == {
        "first": 1, "second": 2, "update_current_alert": 1,
    }  # fmt: skip


def test_any_other_action_in_flight_is_shown_and_never_repeated_silently(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "")
    engine.execute(run.pk)
    engine.execute(run.pk)
    sweeper.sweep()
    work()
    run.refresh_from_db()
    step.refresh_from_db()
    assert (run.status, step.status) == ("needs_decision", "unknown_outcome")
    assert len(lines(marks)) == 2
    assert run.alert.timeline.filter(kind="run.needs_decision").count() == 1
    with pytest.raises(Conflict, match="unknown outcome"):
        retry(SYSTEM, run)


def test_a_person_says_that_it_happened(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "")
    engine.execute(run.pk)
    decide(SYSTEM, run, step, "done", "The ticket is there.")
    work()
    run.refresh_from_db()
    step.refresh_from_db()
    assert (run.status, run.result, len(lines(marks))) == ("successful", None, 2)
    assert step.decision["comment"] == "The ticket is there."
    with pytest.raises(Conflict):
        decide(SYSTEM, run, step, "repeat")


def test_a_person_says_that_it_did_not_happen(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "")
    engine.execute(run.pk)
    decide(SYSTEM, run, step, "not_done")
    work()
    run.refresh_from_db()
    assert (run.status, len(lines(marks))) == ("unsuccessful", 2)
    assert "did not happen" in run.error


def test_a_person_has_it_repeated(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "")
    engine.execute(run.pk)
    decide(SYSTEM, run, step, "repeat")
    work()
    run.refresh_from_db()
    assert (run.status, run.result) == ("successful", 8)
    assert lines(marks) == ["first"] + [f"second-{step.idempotency_key}"] * 2


def test_a_decision_needs_a_known_word_and_a_step_of_the_run(folder: Folder, marks: Path) -> None:
    run, step = in_flight(folder, marks, "")
    engine.execute(run.pk)
    with pytest.raises(Refused, match="done, not_done, repeat"):
        decide(SYSTEM, run, step, "perhaps")
    with pytest.raises(Missing):
        decide(SYSTEM, run, step.pk + 1000, "done")


def test_running_is_seen_while_it_runs(folder: Folder, marks: Path) -> None:
    run = started(
        folder,
        marks,
        """
@playbook(trigger="webhook", conditions={"title": "never"})
async def it(alert):
    await asyncio.sleep(60)
""",
    )
    kill_in_flight(run.pk, folder, lambda: Run.objects.get(pk=run.pk).status == "in_progress")


def test_the_sweeper_rings_for_a_run_whose_worker_died(folder: Folder, marks: Path) -> None:
    run, _ = in_flight(folder, marks, "idempotent=True")
    Run.objects.filter(pk=run.pk).update(rung_at="2000-01-01T00:00Z")
    assert sweeper.sweep() == 1
    assert sweeper.sweep() == 0  # it has just been rung for
    assert work() == 1
    run.refresh_from_db()
    assert run.status == "successful"


def test_a_worker_that_lost_its_lease_writes_nothing_more(folder: Folder, marks: Path) -> None:
    flag = marks.with_name("go")
    run = started(
        folder,
        marks,
        f"""
import pathlib
@action
async def slow():
    mark("slow")
    while not pathlib.Path({str(flag)!r}).exists():
        await asyncio.sleep(0.02)
    return "late"

@playbook(trigger="webhook", conditions={{"title": "never"}})
async def it(alert):
    return await slow()
""",
    )
    worker = execute_elsewhere(run.pk, folder)
    until(lambda: lines(marks) == ["slow"])
    lapse(run.pk)  # it lives, but was silent for too long
    engine.execute(run.pk)
    flag.touch()
    assert worker.wait(30) == 0
    run.refresh_from_db()
    assert (run.status, run.steps.get().status, run.steps.get().result) == ("needs_decision", "unknown_outcome", None)


COUNTS = """
@action
async def a(number):
    mark(f"a{number}")
    return number

@action(idempotent=True)
async def stop():
    mark("stop")
    await asyncio.sleep(60)

@playbook(trigger="webhook", conditions={"title": "never"})
async def it(alert):
    await a(1)
    await a(2)
    await stop()
"""


def stopped(folder: Folder, marks: Path) -> Any:
    """A run killed after ``a(1)`` and ``a(2)``, while ``stop`` was in flight."""
    run = started(folder, marks, COUNTS)
    kill_in_flight(run.pk, folder, lambda: lines(marks) == ["a1", "a2", "stop"])
    return run


def test_changed_arguments_wait_for_a_decision(folder: Folder, marks: Path) -> None:
    run = stopped(folder, marks)
    file = folder.path / "one.py"
    file.write_text(
        file.read_text().replace("await a(2)", "await a(99)").replace("asyncio.sleep(60)", "asyncio.sleep(0)")
    )
    reload()
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, lines(marks)) == ("needs_decision", ["a1", "a2", "stop"])
    assert "other arguments" in run.error
    decide(SYSTEM, run, run.steps.get(key="#2"), "done")
    work()
    run.refresh_from_db()
    assert (run.status, lines(marks)) == ("successful", ["a1", "a2", "stop", "stop"]), run.error


def test_a_new_call_before_recorded_ones_waits_and_goes_on_when_told(folder: Folder, marks: Path) -> None:
    run = stopped(folder, marks)
    file = folder.path / "one.py"
    changed = (
        file.read_text().replace("    await a(2)\n", "    await b()\n    await a(2)\n").replace("sleep(60)", "sleep(0)")
    )
    file.write_text(changed.replace("@playbook", '@action\nasync def b():\n    mark("b")\n\n@playbook'))
    reload()
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, lines(marks)) == ("needs_decision", ["a1", "a2", "stop"])
    assert "The code has changed" in run.error
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, lines(marks)) == ("successful", ["a1", "a2", "stop", "b", "stop"])


def test_recorded_calls_that_are_not_made_again_wait_and_go_on_when_told(folder: Folder, marks: Path) -> None:
    run = stopped(folder, marks)
    file = folder.path / "one.py"
    file.write_text(file.read_text().replace("    await a(2)\n    await stop()\n", "    pass\n"))
    reload()
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, "were not made again" in run.error) == ("needs_decision", True)
    assert run.steps.get(key="#2").stale
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, lines(marks)) == ("successful", ["a1", "a2", "stop"])


def test_the_run_sees_the_alert_as_it_was_at_the_start(folder: Folder, marks: Path) -> None:
    run = started(
        folder,
        marks,
        """
@action(idempotent=True)
async def stop():
    mark("stop")
    await asyncio.sleep(0 if len(open(MARKS).read().split()) > 1 else 60)

@playbook(trigger="webhook", conditions={"title": "never"})
async def it(alert):
    if alert["status"] == "new":
        await update_current_alert(status="in_progress", severity="high")
    await stop()
    return [alert["status"], alert["severity"]]
""".replace("MARKS", repr(str(marks))),
    )
    kill_in_flight(run.pk, folder, lambda: lines(marks) == ["stop"])
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.result) == ("successful", ["new", "medium"]), run.error
    assert run.alert.timeline.filter(kind="changed").count() == 2


def test_a_run_that_always_takes_its_worker_down_ends_up_with_a_person(folder: Folder, marks: Path) -> None:
    run = started(
        folder,
        marks,
        """
@playbook(trigger="webhook", conditions={"title": "never"})
async def it(alert):
    __import__("os")._exit(9)
""",
    )
    for _ in range(5):
        assert execute_elsewhere(run.pk, folder).wait(30) == 9
        lapse(run.pk)
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, "5 times" in run.error) == ("needs_decision", True)
