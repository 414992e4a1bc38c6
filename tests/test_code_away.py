"""Code that a worker cannot load: what an alert starts is decided by rows alone, and is run by whoever has the code.

Nothing is left out silently: what nobody can load for a while fails with the reason (python-playbooks.md 2, 5)."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cases.actors import Actor
from cases.models import TimelineEntry
from playbooks import catalog, claims, engine, triggers
from playbooks.actions import disable, enable
from playbooks.models import LoadError, Playbook, Run, ScheduleSlot
from playbooks.schedules import start_due
from playbooks.sweeper import sweep
from soar.accounts.models import User
from soar.models import QueuedTask
from tests.factories import make_alert
from tests.fixtures import client_of
from tests.playbook_files import Folder, _environment, folder, lapse, named, only_run, reload, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
ONE = "@playbook(order=1)\nasync def one(alert):\n    return 1\n"
TWO = "@playbook(order=2)\nasync def two(alert):\n    return 2\n"
BROKEN = "import there_is_no_such_module\n"
LATE = timedelta(minutes=6)


def considered_elsewhere(folder: Folder, *entries: int) -> None:
    """A worker that begins in this moment looks at these timeline entries."""
    code = (
        "import django; django.setup()\nfrom pathlib import Path\nfrom django.conf import settings\n"
        f"settings.PLAYBOOK_DIRS = [Path({str(folder.path)!r})]\n"
        f"from playbooks import tasks\ntasks.consider(*{entries!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1], check=True)


def a_new_process() -> None:
    """As if this process had begun in this moment."""
    catalog.forget()


def half_a_minute_later() -> None:
    """It is time to look again for what could not be loaded."""
    catalog.current().loaded_at -= catalog.AGAIN_AFTER + 1


def ring_again() -> None:
    """What nobody came for is rung for again."""
    Run.objects.update(rung_at=timezone.now() - LATE)
    sweep()
    work()


def too_late() -> None:
    """As if the runs had waited for so long, and this process had looked for their code all the time."""
    waited_long()
    catalog.current()
    for playbook in catalog._lacking:
        catalog._lacking[playbook] -= LATE.total_seconds()


def waited_long() -> None:
    """As if the runs had waited for so long; or as if the database's clock had been set."""
    Run.objects.update(queued_at=timezone.now() - LATE)
    Run.objects.exclude(lease_until=None).update(lease_until=timezone.now() - LATE)


@pytest.mark.parametrize("alerts", [1, 3])
def test_a_worker_that_meets_a_half_written_file_leaves_its_runs_to_others(folder: Folder, alerts: int) -> None:
    folder.load(ONE)
    entries = [make_alert().timeline.get().pk for _ in range(alerts)]
    QueuedTask.objects.all().delete()
    folder.write(ONE + "x = (\n")
    considered_elsewhere(folder, *entries)
    assert list(Run.objects.values_list("status", flat=True)) == ["queued"] * alerts
    folder.write(ONE)
    work()
    assert list(Run.objects.values_list("status", flat=True)) == ["successful"] * alerts


def test_who_has_the_code_runs_it_while_another_has_it_not(folder: Folder, tmp_path: Path) -> None:
    """Another host has no such file. What it starts is run here, and the rows tell of no trouble for long."""
    folder.load(ONE)
    make_alert()
    (entry,) = TimelineEntry.objects.values_list("pk", flat=True)
    QueuedTask.objects.all().delete()
    other = tmp_path / "other host"
    other.mkdir()
    considered_elsewhere(Folder(other), entry)
    assert "not in the files" in named("one").load_error
    work()
    assert only_run().status == "successful"
    half_a_minute_later()
    catalog.current()
    assert named("one").hindrance == ""


def test_a_folder_that_is_not_there_stops_nothing(folder: Folder, settings: Any, tmp_path: Path) -> None:
    """A host whose share is not mounted: it takes no playbook out of the portal."""
    folder.load(ONE)
    moved = folder.path.rename(tmp_path / "elsewhere")
    a_new_process()
    make_alert()
    work()
    assert "does not exist" in named("one").load_error and not named("one").off
    assert only_run().status == "queued"
    moved.rename(folder.path)
    half_a_minute_later()
    ring_again()
    assert (only_run().status, named("one").load_error) == ("successful", "")
    assert not LoadError.objects.exists()


def test_a_file_that_a_process_does_not_find_is_gone_only_when_a_person_says_so(folder: Folder) -> None:
    folder.load(ONE)
    (folder.path / "one.py").unlink()
    a_new_process()
    make_alert()
    work()
    assert "not in the files that were found" in named("one").load_error
    assert only_run().status == "queued"
    reload()
    assert named("one").hindrance == "It is no longer in the files."
    make_alert()
    ring_again()
    run = only_run()
    assert (run.status, run.error) == ("cancelled", "It is no longer in the files.")


def test_what_nobody_can_load_fails_with_the_reason_and_the_next_has_its_turn(folder: Folder) -> None:
    folder.load(ONE)
    folder.load(TWO, "two.py")
    folder.load(BROKEN)
    alert = make_alert()
    work()
    ring_again()
    assert [run.status for run in Run.objects.order_by("position")] == ["queued", "queued"]
    too_late()
    ring_again()
    first, second = Run.objects.order_by("position")
    assert (first.status, second.status) == ("unsuccessful", "successful")
    assert first.error.startswith("No worker could load its code for 5 minutes. ModuleNotFoundError: No module named")
    told = alert.timeline.filter(kind="run.finished").order_by("id")[0]
    assert told.text == first.error and told.data["playbook"] == "one"


def test_a_file_that_is_away_for_a_moment_fails_nothing_that_waited_long(folder: Folder) -> None:
    folder.load(ONE)
    make_alert()
    QueuedTask.objects.all().delete()
    triggers.consider([TimelineEntry.objects.get().pk, TimelineEntry.objects.get().pk])
    folder.write(BROKEN)
    a_new_process()
    waited_long()
    ring_again()
    assert only_run().status == "queued"
    folder.write(ONE)
    half_a_minute_later()
    ring_again()
    assert only_run().status == "successful"


def test_a_backlog_is_no_want_of_code(folder: Folder) -> None:
    """Who has the code may only be busy with what came before."""
    folder.load(ONE.replace("order=1", "order=1, conditions={'tags': ['first']}"))
    folder.load(TWO, "two.py")
    folder.load(BROKEN)
    ids = [make_alert(tags=tags).timeline.get().pk for tags in ([], [], ["first"])]
    QueuedTask.objects.all().delete()
    triggers.consider(ids)
    QueuedTask.objects.all().delete()
    late = Run.objects.get(playbook__name="one")
    too_late()
    assert claims.claim(late.pk) is None
    assert Run.objects.get(pk=late.pk).status == "queued"
    engine.drain()
    assert claims.claim(late.pk) is not None  # the next one of its sequence
    assert Run.objects.get(pk=late.pk).status == "unsuccessful"


def test_what_waits_for_its_code_holds_up_nothing_else(folder: Folder) -> None:
    folder.load(ONE.replace("order=1", "order=1, conditions={'tags': ['first']}"))
    folder.load(TWO, "two.py")
    folder.load(BROKEN)
    make_alert(tags=["first"])
    for _ in range(3):
        make_alert()
    work()
    assert sorted(Run.objects.values_list("playbook__name", "status")) == [
        ("one", "queued"), ("two", "queued"), *[("two", "successful")] * 3,
    ]  # fmt: skip
    assert claims.claim_next() is None
    engine.drain()
    assert Run.objects.get(playbook__name="one").status == "queued"


def test_a_run_that_had_begun_is_left_to_who_has_the_code_and_then_to_a_person(folder: Folder) -> None:
    folder.load(ONE)
    make_alert()
    QueuedTask.objects.all().delete()
    triggers.consider([TimelineEntry.objects.get().pk])  # and its worker dies
    folder.load(BROKEN)
    lapse(only_run().pk)
    ring_again()
    assert only_run().status == "in_progress"
    too_late()
    ring_again()
    assert only_run().status == "needs_decision"
    assert "No worker could load its code" in only_run().error


def test_a_schedule_keeps_its_time_without_the_code(folder: Folder) -> None:
    folder.load("@playbook(trigger='schedule', cron='* * * * *')\nasync def nightly(nothing):\n    return 1\n")
    Playbook.objects.update(modified_at=timezone.now() - timedelta(hours=1))
    (folder.path / "one.py").unlink()
    a_new_process()
    assert start_due() == 1
    assert ScheduleSlot.objects.count() == 1
    assert only_run().status == "queued"


def test_the_pages_tell_and_a_playbook_that_cannot_be_loaded_can_be_switched_off(folder: Folder, author: User) -> None:
    folder.load(ONE)
    folder.load(BROKEN)
    row, client = named("one"), client_of(author)
    for place in ("/playbooks/", f"/playbooks/{row.pk}/"):
        html = client.get(place).content.decode()
        assert "waits for a worker that can load it" in html
        assert f"/playbooks/{row.pk}/disable/" in html
    client.post(f"/playbooks/{row.pk}/disable/")
    assert named("one").off == "It is disabled."
    make_alert()
    work()
    assert not Run.objects.exists()
    html = client.get(f"/playbooks/{row.pk}/").content.decode()
    assert "It starts nothing until its file can be loaded again." in html
    folder.load(ONE)
    enable(SYSTEM, "one")
    assert named("one").hindrance == ""


def test_the_page_of_operations_counts_those_that_are_switched_on(folder: Folder, admin: User) -> None:
    folder.load(ONE)
    client, told = client_of(admin), "of 1 playbook that is switched on cannot be loaded"
    assert told not in client.get("/settings/operations/").content.decode()
    folder.load(BROKEN)
    assert told in client.get("/settings/operations/").content.decode()
    disable(SYSTEM, "one")
    assert told not in client.get("/settings/operations/").content.decode()
