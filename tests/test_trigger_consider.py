"""What starts by itself, in which order, how often, and what does not (spec 1, 3, 8; rulings 7, 8)."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, TimelineEntry
from playbooks import catalog, engine, tasks
from playbooks.actions import disable, enable
from playbooks.models import Playbook, Run, Sequence
from soar.accounts.models import AuditEntry
from soar.models import QueuedTask
from tests.factories import make_alert, make_incident, make_user
from tests.playbook_files import Folder, folder, named, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()

THREE = """
@playbook(order=20)
async def beta(alert):
    return "beta"

@playbook(order=20, on_failure=ON_FAILURE)
async def Alpha(alert):
    BODY

@playbook(order=10)
async def first(alert):
    return "first"

@playbook(order=30, conditions={"severity": "low"})
async def other(alert):
    pass
"""


def three(folder: Folder, on_failure: str = "'continue'", body: str = "return 'Alpha'") -> None:
    folder.load(THREE.replace("ON_FAILURE", on_failure).replace("BODY", body))


def outcome() -> list[tuple[str, int, str]]:
    return [(run.playbook.name, run.position, run.status) for run in Run.objects.order_by("position")]


def test_all_that_match_run_by_order_then_by_name_as_one_sequence(folder: Folder) -> None:
    three(folder)
    alert = make_alert()
    work()
    assert outcome() == [("first", 1, "successful"), ("Alpha", 2, "successful"), ("beta", 3, "successful")]
    assert Sequence.objects.get().total == 3
    runs: list[Any] = list(Run.objects.order_by("position"))
    assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(runs))
    kinds = [entry.kind for entry in alert.timeline.order_by("id")]
    assert kinds == ["alert.opened"] + ["run.started", "run.finished"] * 3
    assert {run.cause for run in runs} == {alert.cause}


def test_a_failure_goes_on_by_default(folder: Folder) -> None:
    three(folder, body="raise ValueError('x')")
    make_alert()
    work()
    assert outcome() == [("first", 1, "successful"), ("Alpha", 2, "unsuccessful"), ("beta", 3, "successful")]


def test_a_failure_stops_the_rest_where_it_says_so(folder: Folder) -> None:
    three(folder, "'stop'", "raise ValueError('x')")
    make_alert()
    work()
    assert outcome() == [("first", 1, "successful"), ("Alpha", 2, "unsuccessful"), ("beta", 3, "cancelled")]
    assert "Alpha" in Run.objects.get(position=3).error


def test_a_run_that_needs_a_decision_holds_the_sequence(folder: Folder) -> None:
    three(folder, body="await act()")
    folder.load(
        (folder.path / "one.py")
        .read_text()
        .replace(
            "@playbook(order=20)",
            "@action(timeout=0.01)\nasync def act():\n    await asyncio.sleep(9)\n\n@playbook(order=20)",
            1,
        )
    )
    make_alert()
    work()
    assert outcome() == [("first", 1, "successful"), ("Alpha", 2, "needs_decision"), ("beta", 3, "queued")]


def test_one_entry_delivered_sixteen_times_at_once_is_one_sequence(folder: Folder) -> None:
    three(folder)
    alert = make_alert()
    entry = alert.timeline.get()
    QueuedTask.objects.all().delete()

    def deliver(_number: int) -> None:
        try:
            tasks.consider(entry.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(16)))
    work()
    assert Sequence.objects.count() == 1
    assert [status for _, _, status in outcome()] == ["successful"] * 3


MEETING = """
import threading
BOTH = threading.Barrier(2, timeout=20)

@playbook()
def meets(alert):
    BOTH.wait()
"""


def test_many_entries_in_one_delivery_are_shared_by_the_workers(folder: Folder) -> None:
    folder.load(MEETING)  # each run waits for another one: a single worker would never come to an end
    entries = [make_alert().timeline.get().pk for _ in range(4)]
    QueuedTask.objects.all().delete()
    tasks.consider(*entries)
    assert QueuedTask.objects.filter(task="playbooks.tasks.drain").count() >= 2

    def worker(_number: int) -> None:
        try:
            engine.drain(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(worker, range(2)))
    assert [run.status for run in Run.objects.all()] == ["successful"] * 4


def test_many_incidents_in_one_delivery_are_all_considered(folder: Folder) -> None:
    folder.load("""@playbook(trigger="incident")\nasync def watch(incident):\n    return incident["title"]\n""")
    entries = [make_incident(f"Case {number}").timeline.get().pk for number in range(3)]
    QueuedTask.objects.all().delete()
    tasks.consider(*entries)
    work()
    assert [(run.status, run.result) for run in Run.objects.order_by("incident")] == [
        ("successful", f"Case {number}") for number in range(3)
    ]


def test_what_waits_is_begun_in_the_order_of_the_entries(folder: Folder) -> None:
    three(folder)
    made = [make_alert() for _ in range(5)]
    QueuedTask.objects.all().delete()
    tasks.consider(*[alert.timeline.get().pk for alert in made])
    work()
    assert list(Run.objects.order_by("started_at").values_list("alert", "position")) == [
        (alert.pk, position) for alert in made for position in (1, 2, 3)
    ]


def test_what_a_short_patience_leaves_is_rung_for_again(folder: Folder) -> None:
    three(folder)
    entries = [make_alert().timeline.get().pk for _ in range(3)]
    QueuedTask.objects.all().delete()
    tasks.consider(*entries)
    QueuedTask.objects.all().delete()
    engine.drain(0)
    assert sorted(run.status for run in Run.objects.all()) == ["queued"] * 6 + ["successful"] * 3
    work()
    assert [run.status for run in Run.objects.all()] == ["successful"] * 9


def test_a_reopened_alert_starts_them_again_a_mere_change_does_not(folder: Folder) -> None:
    three(folder)
    alert = make_alert()
    work()
    alerts.set_severity(SYSTEM, alert.pk, "high")
    alerts.resolve(SYSTEM, alert.pk, determination="malicious")
    assert work() == 0
    alerts.reopen(SYSTEM, alert.pk)
    work()
    assert Sequence.objects.count() == 2


def test_an_incident_starts_incident_playbooks_with_its_json(folder: Folder) -> None:
    folder.load(
        """
@playbook(trigger="incident", conditions={"severity": "high"})
async def watch(incident):
    await add_current_alert_comment(f"Seen {incident['number']}")
    await add_observable("domain", "evil-login.com")
    return [incident["title"], incident["owners"], [alert["title"] for alert in incident["alerts"]]]
"""
    )
    make_user("mara", "Analyst")
    incident = make_incident("Case", make_alert("One", severity=Severity.HIGH), owners=["mara"])
    work()
    run = Run.objects.get()
    assert (run.incident, run.alert, run.result) == (incident, None, ["Case", ["mara"], ["One"]]), run.error
    assert incident.timeline.get(kind="comment").text == f"Seen {incident.number}"


def test_its_own_changes_never_trigger_a_playbook_again(folder: Folder) -> None:
    folder.load(
        """
@playbook()
async def loop(alert):
    await resolve_current_alert(determination="malicious")
    await update_current_alert(status="in_progress")
"""
    )
    alert = make_alert()
    assert work() <= 3
    assert alert.timeline.filter(kind="alert.reopened").count() == 1
    assert Run.objects.count() == 1


def test_a_chain_of_two_is_limited_and_says_so(folder: Folder) -> None:
    folder.load(
        """
@playbook(conditions={"tags": "ping"})
async def ping(alert):
    await update_current_alert(tags=["pong"])
    await resolve_current_alert(determination="malicious")
    await update_current_alert(status="new")

@playbook(conditions={"tags": "pong"})
async def pong(alert):
    await update_current_alert(tags=["ping"])
    await resolve_current_alert(determination="malicious")
    await update_current_alert(status="new")
"""
    )
    alert = make_alert(tags=["ping"])
    work()
    assert list(Run.objects.order_by("pk").values_list("depth", flat=True)) == [0, 1, 2, 3, 4, 5]
    skipped = alert.timeline.get(kind="run.skipped")
    assert "the chain ends here" in skipped.text
    last: Any = alert.timeline.filter(kind="alert.reopened").last()
    tasks.consider(last.pk)
    assert alert.timeline.filter(kind="run.skipped").count() == 1


def test_nothing_is_written_where_nothing_matches(folder: Folder, django_assert_num_queries: Any) -> None:
    folder.load("@playbook(conditions={'severity': 'low'})\nasync def it(alert):\n    pass\n")
    entry = make_alert().timeline.get()
    catalog.current()
    with django_assert_num_queries(1):
        tasks.consider(entry.pk)


def test_the_payload_is_read_only_when_a_condition_asks_for_it(folder: Folder, django_assert_num_queries: Any) -> None:
    folder.load("@playbook(conditions={'process.name': 'cmd.exe'})\nasync def it(alert):\n    pass\n")
    entry = make_alert(raw='{"process": {"name": "calc.exe"}}').timeline.get()
    catalog.current()
    with django_assert_num_queries(2):
        tasks.consider(entry.pk)


def test_disabling_disables(folder: Folder) -> None:
    three(folder)
    disable(SYSTEM, "first")
    make_alert()
    work()
    assert [name for name, _, _ in outcome()] == ["Alpha", "beta"]
    enable(SYSTEM, "first")
    make_alert()
    work()
    assert Run.objects.filter(playbook__name="first").count() == 1


def test_what_is_disabled_while_it_waits_does_not_start(folder: Folder) -> None:
    three(folder)
    entry = make_alert().timeline.get()
    other = make_alert().timeline.get()
    QueuedTask.objects.all().delete()
    tasks.consider(entry.pk, other.pk)
    disable(SYSTEM, "Alpha")
    work()
    assert set(Run.objects.filter(playbook__name="Alpha").values_list("status", flat=True)) == {"cancelled"}
    assert set(Run.objects.exclude(playbook__name="Alpha").values_list("status", flat=True)) == {"successful"}


def test_the_code_says_enabled_only_when_it_is_first_seen(folder: Folder) -> None:
    source = "@playbook(enabled=False)\nasync def it(alert):\n    return VALUE\n"
    folder.load(source.replace("VALUE", "1"))
    make_alert()
    work()
    assert not Run.objects.exists()
    enable(SYSTEM, "it")
    folder.load(source.replace("VALUE", "2"))
    make_alert()
    work()
    assert Run.objects.get().result == 2


def test_a_playbook_whose_publisher_is_gone_is_deactivated_until_enabled(folder: Folder) -> None:
    three(folder)
    author = make_user("tomas", "Admin", first_name="Tomas")
    Playbook.objects.filter(name="first").update(published_by=author)
    enable(SYSTEM, "beta")
    disable(SYSTEM, "other")  # everybody looks again
    make_alert()
    work()
    assert Run.objects.get(position=1).acting_user == author
    author.is_active = False
    author.save()
    make_alert()
    work()
    assert Run.objects.filter(playbook__name="first").count() == 1
    assert "Tomas" in named("first").deactivated_reason
    assert AuditEntry.objects.filter(verb="playbook.deactivated", target="first").count() == 1
    enable(Actor.of(make_user("ada", "Admin")), "first")
    first: Any = named("first")
    assert (first.deactivated_reason, first.published_by.username) == ("", "ada")
    make_alert()
    work()
    assert Run.objects.filter(playbook__name="first").count() == 2


def test_a_published_playbook_has_the_rights_of_its_publisher_and_no_more(folder: Folder) -> None:
    folder.load("@playbook()\nasync def it(alert):\n    await update_current_alert(severity='high')\n")
    Playbook.objects.update(published_by=make_user("tomas", "Playbook author"))
    disable(SYSTEM, "it")
    enable_row = named("it")
    Playbook.objects.filter(pk=enable_row.pk).update(enabled=True)
    folder.load("@playbook()\nasync def it(alert):\n    await update_current_alert(severity='high')\n")
    alert = make_alert()
    work()
    run = Run.objects.get()
    assert (run.status, "permission" in run.error) == ("unsuccessful", True), run.error
    assert Alert.objects.get(pk=alert.pk).severity == Severity.MEDIUM


def test_an_entry_of_another_kind_starts_nothing(folder: Folder) -> None:
    three(folder)
    alert = make_alert()
    work()
    Run.objects.all().delete()
    entry: Any = TimelineEntry.objects.filter(alert=alert, kind="run.finished").first()
    tasks.consider(entry.pk)
    assert not Run.objects.exists()
