"""Undoing a bulk action: the former values come back, where nobody has changed them since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases import tasks
from cases.actions import alerts, bulk_work
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, BulkBatch, BulkJob, TimelineEntry
from soar.accounts.models import User
from soar.models import QueuedTask
from tests.api import Api, problem_of
from tests.bulk import asked, chains_hold, done, work
from tests.factories import make_alert


def undone(user: User, job: BulkJob) -> BulkJob:
    """The job undone, by the API and a worker."""
    answer = Api(user).post(f"/jobs/{job.pk}/undo/", {})
    assert answer.status_code == 202, answer.content
    work()
    return BulkJob.objects.get(pk=answer.json()["job"])


STATE = ("status", "determination", "findings", "owner_id", "team_id", "severity", "tags", "resolve_reason",
         "resolved_at", "acknowledged_at", "resolved_by_playbook")  # fmt: skip


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("assign", {"owner": "priya", "team": "Blue"}),
        ("claim", {}),
        ("status", {"status": "in_progress"}),
        ("resolve", {"determination": "benign", "reason": "Drill"}),
        ("severity", {"severity": "critical"}),
        ("tag", {"tags": ["new"]}),
    ],
)
def test_what_was_before_comes_back(analyst: User, responder: User, action: str, fields: dict[str, Any]) -> None:
    make_alert("One", tags=["old"], owner=responder)
    make_alert("Two", severity=Severity.LOW, determination=Determination.SUSPICIOUS, findings="noteworthy")
    before = list(Alert.objects.order_by("pk").values(*STATE))
    job = done(analyst, action, {"status": "open"}, **fields)
    assert list(Alert.objects.order_by("pk").values(*STATE)) != before
    assert Api(analyst).get(f"/jobs/{job.pk}/").json()["undo_until"]
    back = undone(analyst, job)
    assert (back.status, back.done, back.undo_of_id) == ("successful", job.changed, job.pk)
    assert list(Alert.objects.order_by("pk").values(*STATE)) == before
    told = TimelineEntry.objects.filter(text__startswith="Undone")
    assert told.values("alert").distinct().count() == job.changed
    chains_hold()


def test_reopening_can_be_undone(analyst: User) -> None:
    made = make_alert()
    alerts.resolve(Actor.of(analyst), made.pk, determination="malicious", reason="Known")
    before = list(Alert.objects.values(*STATE))
    job = done(analyst, "reopen", {"status": "resolved"})
    assert Alert.objects.get().status == AlertStatus.NEW
    QueuedTask.objects.all().delete()
    undone(analyst, job)
    assert list(Alert.objects.values(*STATE)) == before
    assert not QueuedTask.objects.filter(task="playbooks.tasks.consider").exists()


def test_what_somebody_changed_since_stays(analyst: User, responder: User) -> None:
    changed, back_and_forth, other = (make_alert(f"A {n}") for n in range(3))
    job = done(analyst, "severity", {"status": "open"}, severity="high")
    who = Actor.of(responder)
    alerts.set_severity(who, changed.pk, "low")
    alerts.set_severity(who, back_and_forth.pk, "critical")
    alerts.set_severity(who, back_and_forth.pk, "high")
    alerts.add_tags(who, other.pk, ["seen"])
    back = undone(analyst, job)
    assert (back.status, back.done, back.refused_count) == ("partially_successful", 1, 2)
    assert {one["message"] for one in back.refused} == {"severity was changed since; it stays as it is."}
    assert [a.severity for a in Alert.objects.order_by("pk")] == [Severity.LOW, Severity.HIGH, Severity.MEDIUM]
    assert Alert.objects.get(pk=other.pk).tags == ["seen"]
    chains_hold()


def test_once_and_not_of_an_undo(analyst: User) -> None:
    make_alert()
    job = done(analyst, "claim", {"status": "open"})
    back = undone(analyst, job)
    for pk in (job.pk, back.pk):
        problem_of(Api(analyst).post(f"/jobs/{pk}/undo/", {}), 409)
        assert Api(analyst).get(f"/jobs/{pk}/").json()["undo_until"] is None


def test_not_while_it_goes_on_and_not_a_day_later(analyst: User) -> None:
    make_alert()
    job = asked(analyst, "claim", {"status": "open"})
    assert "goes on" in problem_of(Api(analyst).post(f"/jobs/{job}/undo/", {}), 409)["detail"]
    work()
    BulkJob.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    assert "24 hours" in problem_of(Api(analyst).post(f"/jobs/{job}/undo/", {}), 409)["detail"]
    tasks.tidy_bulk_jobs()
    assert not BulkBatch.objects.exists()
    assert Alert.objects.get().owner == analyst


def test_the_done_part_of_a_cancelled_job(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_work, "SIZE", 1)
    for n in range(3):
        make_alert(f"A {n}")
    job = asked(analyst, "claim", {"status": "open"})
    bulk_work._collect(job)
    bulk_work.step(job)
    Api(analyst).post(f"/jobs/{job}/cancel/", {})
    assert Alert.objects.filter(owner=analyst).count() == 1
    assert undone(analyst, BulkJob.objects.get(pk=job)).done == 1
    assert not Alert.objects.filter(owner=analyst).exists()


def test_a_former_owner_who_left(analyst: User, responder: User) -> None:
    make_alert(owner=responder)
    job = done(analyst, "assign", {"status": "open"}, owner="mara")
    User.objects.filter(pk=responder.pk).update(is_active=False)
    back = undone(analyst, job)
    assert (back.status, back.refused[0]["message"]) == ("unsuccessful", "Its former owner is no longer active.")
    assert Alert.objects.get().owner == analyst


def test_links_cannot_be_undone(analyst: User) -> None:
    make_alert()
    job = done(analyst, "incident", {"status": "open"}, title="X")
    assert "nothing here" in problem_of(Api(analyst).post(f"/jobs/{job.pk}/undo/", {}), 409)["detail"]
