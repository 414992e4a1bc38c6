"""A verb on everything that matches a filter: who, what, up to where, and what stops it (casework.md 2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases import tasks
from cases.actions import alerts, bulk_jobs, bulk_work
from cases.actors import Actor
from cases.models import Alert, BulkBatch, BulkJob, TimelineEntry
from soar.accounts.models import Team, User
from soar.models import QueuedTask
from tests.api import Api, problem_of
from tests.bulk import asked, chains_hold, done, work
from tests.factories import make_alert, make_incident, make_source, make_user

HIGH = {"severity": "medium", "status": "open"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two."""
    monkeypatch.setattr(bulk_work, "SIZE", 2)


def owners() -> dict[str, str | None]:
    return dict(Alert.objects.order_by("pk").values_list("title", "owner__username"))


def test_alerts_that_come_later_are_not_touched(analyst: User, small: None) -> None:
    for n in range(5):
        make_alert(f"Early {n}")
    job = asked(analyst, "claim", HIGH)
    make_alert("Late")
    work()
    row = BulkJob.objects.get(pk=job)
    assert (row.status, row.total, row.done, row.position) == ("successful", 5, 5, 5)
    assert owners() == {**{f"Early {n}": "mara" for n in range(5)}, "Late": None}
    chains_hold()


def test_what_the_person_does_not_see_is_not_touched(analyst: User, red: Team) -> None:
    make_alert("Mine")
    make_alert("Theirs", source=make_source(team=red))
    job = done(analyst, "severity", {"status": "open"}, severity="low")
    assert (job.total, job.done, job.refused) == (1, 1, [])
    assert dict(Alert.objects.values_list("title", "severity")) == {"Mine": 1, "Theirs": 2}


def test_rights_are_those_of_the_moment_of_the_work(analyst: User, red: Team, small: None) -> None:
    made = [make_alert(f"A {n}") for n in range(3)]
    job = asked(analyst, "claim", HIGH)
    Alert.objects.filter(pk=made[0].pk).update(team=red)
    work()
    row = BulkJob.objects.get(pk=job)
    assert (row.status, row.done, row.total) == ("successful", 2, 2)
    assert Alert.objects.get(pk=made[0].pk).owner is None
    second = asked(analyst, "severity", {"status": "open"}, severity="high")
    analyst.groups.clear()
    work()
    assert BulkJob.objects.get(pk=second).done == 0
    assert set(Alert.objects.values_list("severity", flat=True)) == {2}


def test_an_alert_that_somebody_changed_meanwhile_is_left_out(analyst: User, responder: User, small: None) -> None:
    made = [make_alert(f"A {n}") for n in range(4)]
    job = asked(analyst, "resolve", {"status": "open", "owner": "none"}, determination="benign")
    bulk_work._collect(job)
    assert bulk_work.step(job)
    alerts.claim(Actor.of(responder), made[0].pk)
    work()
    row = BulkJob.objects.get(pk=job)
    assert (row.status, row.total, row.done, row.skipped, row.position) == ("successful", 4, 3, 1, 4)
    first = Alert.objects.get(pk=made[0].pk)
    assert (first.owner, first.resolved_at) == (responder, None)
    chains_hold()


def test_a_refusal_stops_no_other_and_is_listed(analyst: User) -> None:
    made = [make_alert(f"A {n}") for n in range(3)]
    alerts.resolve(Actor.of(analyst), made[1].pk, determination="malicious")
    job = done(analyst, "claim", {"status": "any"})
    assert (job.status, job.done, job.refused_count) == ("partially_successful", 2, 1)
    assert job.refused == [{"number": made[1].number, "message": "The alert is resolved. Reopen it first."}]
    assert TimelineEntry.objects.filter(alert=made[1], kind="alert.claimed").count() == 0
    chains_hold()


def test_a_restricted_incident_keeps_its_alerts(analyst: User, admin: User) -> None:
    made = make_alert("Secret")
    incident = make_incident("Case", made)
    type(incident).objects.update(restricted=True)
    Alert.objects.update(restricted=True)
    make_alert("Open")
    job = done(analyst, "severity", {"status": "open"}, severity="high")
    assert (job.total, job.done) == (1, 1)
    assert Alert.objects.get(title="Secret").severity == 2


def test_a_killed_worker_is_followed_by_one_that_goes_on(analyst: User, small: None) -> None:
    for n in range(5):
        make_alert(f"A {n}")
    job = asked(analyst, "claim", HIGH)
    bulk_work._collect(job)
    assert bulk_work.step(job)
    half = Api(analyst).get(f"/jobs/{job}/").json()
    assert (half["status"], half["position"], half["done"], half["finished_at"]) == ("in_progress", 2, 2, None)
    work()
    tasks.work_off(job)
    row = BulkJob.objects.get(pk=job)
    assert (row.status, row.done, row.position) == ("successful", 5, 5)
    assert TimelineEntry.objects.filter(kind="alert.claimed").count() == 5
    assert set(Alert.objects.values_list("version", flat=True)) == {2}
    chains_hold()


def test_a_cancelled_job_goes_no_further(analyst: User, small: None) -> None:
    for n in range(5):
        make_alert(f"A {n}")
    job = asked(analyst, "claim", HIGH)
    bulk_work._collect(job)
    assert bulk_work.step(job)
    body = Api(analyst).post(f"/jobs/{job}/cancel/", {}).json()
    assert (body["status"], body["position"], body["done"]) == ("cancelled", 2, 2)
    work()
    assert Alert.objects.filter(owner=None).count() == 3
    problem_of(Api(analyst).post(f"/jobs/{job}/cancel/", {}), 409)


def test_nobody_cancels_or_undoes_the_job_of_another(analyst: User, responder: User, viewer: User) -> None:
    make_alert()
    job = asked(analyst, "claim", HIGH)
    for user in (responder, viewer):
        for verb in ("cancel", "undo"):
            assert Api(user).post(f"/jobs/{job}/{verb}/", {}).status_code in (403, 404)
    problem_of(Api(None).post(f"/jobs/{job}/cancel/", {}), 401)
    assert BulkJob.objects.get().finished_at is None


def test_one_more_than_the_limit_is_refused(analyst: User, settings: Any) -> None:
    settings.BULK_AT_MOST = 3
    for n in range(4):
        make_alert(f"A {n}")
    problem = problem_of(Api(analyst).post("/alerts/bulk/", {"filter": {"status": "open"}, "action": "claim"}), 400)
    assert "there are more" in problem["errors"][0]["message"]
    assert not BulkJob.objects.exists()
    settings.BULK_AT_MOST = 4
    assert done(analyst, "claim", {"status": "open"}).done == 4


def test_times_of_the_filter_are_those_of_the_question(analyst: User) -> None:
    make_alert("Old", age=timedelta(hours=23))
    job = asked(analyst, "claim", {"received": "24h", "status": "open"})
    BulkJob.objects.update(created_at=timezone.now() - timedelta(hours=2))
    Alert.objects.update(received_at=timezone.now() - timedelta(hours=25))
    work()
    assert BulkJob.objects.get(pk=job).done == 1


def test_me_is_who_asked(analyst: User, responder: User) -> None:
    make_alert("Mine", owner=analyst)
    make_alert("Theirs", owner=responder)
    done(analyst, "tag", {"owner": "me"}, tags=["x"])
    assert Alert.objects.get(tags=["x"]).title == "Mine"


def test_two_jobs_at_the_same_alerts_make_no_double_entries(analyst: User, small: None) -> None:
    for n in range(4):
        make_alert(f"A {n}")
    jobs = [asked(analyst, "severity", {"status": "open"}, severity="high") for _ in range(2)]
    for job in jobs:
        bulk_work._collect(job)
    while [bulk_work.step(job) for job in jobs].count(True):
        pass
    work()
    assert [BulkJob.objects.get(pk=job).done for job in jobs] == [4, 4]
    assert TimelineEntry.objects.filter(kind="changed").count() == 4
    chains_hold()


def test_a_broken_alert_does_not_stop_its_batch(analyst: User) -> None:
    """The database refuses one row: the statement that writes the whole batch fails."""
    good, bad = make_alert("Good"), make_alert("Bad")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE cases_alert ADD CONSTRAINT boom CHECK (id <> {bad.pk} OR severity <> 4)")
    job = done(analyst, "severity", {"status": "open"}, severity="critical")
    assert (job.status, job.done, job.refused_count) == ("partially_successful", 1, 1)
    assert job.refused[0]["number"] == bad.number
    assert "in the log" in job.refused[0]["message"]
    assert Alert.objects.get(pk=good.pk).severity == 4
    chains_hold()


def test_readers_are_rung_for_every_entry(analyst: User) -> None:
    for n in range(3):
        make_alert(f"A {n}")
    QueuedTask.objects.all().delete()
    done(analyst, "severity", {"status": "open"}, severity="high")
    entries = set(TimelineEntry.objects.filter(kind="changed").values_list("pk", flat=True))
    for task in ("cases.tasks.consider_pushes", "cases.tasks.servicenow_consider"):
        rung = [pk for row in QueuedTask.objects.filter(task=task) for pk in row.args]
        assert sorted(rung) == sorted(entries)


def test_a_filter_into_one_incident(analyst: User) -> None:
    for n in range(3):
        make_alert(f"A {n}")
    job = done(analyst, "incident", {"status": "open"}, title="All of them")
    assert (job.status, job.done) == ("successful", 3)
    assert job.incident.startswith("INC-")


def test_many_alerts_take_few_queries(analyst: User, django_assert_max_num_queries: Any) -> None:
    for n in range(30):
        make_alert(f"A {n}")
    job = asked(analyst, "assign", {"status": "open"}, owner="mara")
    with django_assert_max_num_queries(45):
        tasks.work_off(job)
    assert Alert.objects.filter(owner=analyst).count() == 30


def test_a_job_whose_worker_never_came_through_ends_and_says_where(analyst: User, small: None) -> None:
    made = [make_alert() for _ in range(5)]
    job = asked(analyst, "claim", {"status": "open"})
    bulk_work._collect(job)
    assert bulk_work.step(job)
    tasks.end_given_up()
    path = f"/jobs/{job}/"
    assert Api(analyst).get(path).json()["finished_at"] is None
    QueuedTask.objects.filter(task="cases.tasks.work_off").update(failed_at=timezone.now())
    tasks.end_given_up()
    body = Api(analyst).get(path).json()
    assert (body["status"], body["done"], body["position"]) == ("partially_successful", 2, 2)
    assert [one["number"] for one in body["refused"]] == [made[2].number]
    assert body["finished_at"]
    tasks.end_given_up()
    assert len(Api(analyst).get(path).json()["refused"]) == 1


def test_a_person_without_the_permission_starts_nothing(viewer: User) -> None:
    make_alert()
    problem_of(Api(viewer).post("/alerts/bulk/", {"filter": {"status": "open"}, "action": "claim"}), 403)
    assert not BulkJob.objects.exists()
    assert not BulkBatch.objects.exists()


def test_an_owner_who_may_not_work_is_refused_alert_by_alert(analyst: User, viewer: User) -> None:
    make_alert()
    job = done(analyst, "assign", {"status": "open"}, owner="jonas")
    assert (job.status, job.done) == ("unsuccessful", 0)
    assert "may not work on cases" in job.refused[0]["message"]
    assert make_user("later", "Analyst")
    assert bulk_jobs.no_undo(job) == "There is nothing here that can be undone."
