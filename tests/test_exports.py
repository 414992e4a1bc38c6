"""Exporting an incident by the API: at once and as a job, refusals, what is written down, the file and its end."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.actions import export_work, exports, restriction
from cases.actors import Actor
from cases.errors import Conflict
from cases.evidence_store import NoRoom
from cases.models import ExportJob, ExportStatus, Incident, TimelineEntry
from cases.reporting import formats, store
from cases.reporting.formats import Format
from cases.reporting.options import Options
from soar.accounts.models import AuditEntry, Team, User
from soar.models import QueuedTask
from tests.api import Api, problem_of, wrong_fields
from tests.exporting import auditor, export, file_of, whole_incident, worked
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def slow_words(document: dict[str, Any], progress: Any) -> Any:
    """A format of the tests: two pieces, and what the tests do in between."""
    yield b"first "
    progress(40)
    Between.act(document)
    progress(60)
    yield document["incident"]["title"].encode()


class Between:
    """What happens while the slow format is made."""

    @staticmethod
    def act(document: dict[str, Any]) -> None:
        """Nothing, unless a test puts something here."""


@pytest.fixture(autouse=True)
def ground(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder for each test, and a slow format that needs no PDF."""
    settings.DATA_DIR = tmp_path
    slow = Format("slow", "Slow", "text/plain", "txt", "tests.test_exports.slow_words", slow=True)
    monkeypatch.setitem(formats.FORMATS, "slow", slow)


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue with something of everything."""
    return whole_incident(blue)


@pytest.fixture
def audra(db: None) -> User:
    """An auditor."""
    return auditor()


def kept_files() -> list[str]:
    """What lies in the folder of exports."""
    return sorted(path.name for path in store._folder().iterdir())


def test_a_quick_format_comes_at_once_as_a_download(audra: User, incident: Incident) -> None:
    answer = export(audra, incident, "md")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"].startswith(f'attachment; filename="INC-{incident.pk}_TLP-AMBER_')
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"
    assert b"Beaconing host" in answer.content


def test_each_export_is_on_the_timeline_and_in_the_audit_log_with_its_hash(audra: User, incident: Incident) -> None:
    digest = hashlib.sha256(export(audra, incident, "md").content).hexdigest()
    entry = TimelineEntry.objects.get(incident=incident, kind="incident.exported")
    assert (entry.actor_name, entry.data["format"], entry.data["sha256"]) == ("Audra Nyberg", "md", digest)
    row = AuditEntry.objects.get(verb="export.incident")
    assert (row.actor_id, row.target, row.data["sha256"]) == (audra.pk, incident.number, digest)


def test_who_may_not_export_gets_nothing(
    analyst: User, viewer: User, stranger: User, nobody: User, incident: Incident
) -> None:
    for user, status in ((analyst, 403), (viewer, 403), (stranger, 404), (nobody, 403), (None, 401)):
        problem_of(Api(user).get(f"/incidents/{incident.pk}/export/", format="md"), status)
        problem_of(Api(user).get(f"/incidents/{incident.pk}/export/", format="slow"), status)
    assert not ExportJob.objects.exists()
    assert not AuditEntry.objects.filter(verb="export.incident").exists()


def test_a_token_without_the_scope_exports_nothing(admin: User, incident: Incident) -> None:
    api = Api(admin, scopes=("view_cases", "view_all_teams"))
    problem_of(api.get(f"/incidents/{incident.pk}/export/", format="md"), 403)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "format"),
        ({"format": "docx"}, "format"),
        ({"format": "../pdf"}, "format"),
        ({"format": "html", "template": "none"}, "template"),
        ({"format": "md", "tlp": "purple"}, "tlp"),
        ({"format": "md", "tlp": "green"}, "tlp"),
        ({"format": "md", "notes": "perhaps"}, "notes"),
        ({"format": "md", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_name(
    audra: User, incident: Incident, params: dict[str, str], field: str
) -> None:
    assert field in wrong_fields(Api(audra).get(f"/incidents/{incident.pk}/export/", **params))


def test_a_slow_format_is_a_job_with_progress_whose_file_its_asker_gets(audra: User, incident: Incident) -> None:
    answer = export(audra, incident, "slow")
    assert answer.status_code == 202
    assert answer["Location"] == answer.json()["url"]
    api, path = Api(audra), f"/exports/{answer.json()['job']}/"
    waiting = api.get(path).json()
    assert (waiting["status"], waiting["progress"], waiting["file"]) == ("queued", 0, None)
    problem_of(api.get(f"{path}file/"), 409)
    export_work.work(answer.json()["job"])
    done = api.get(path).json()
    assert (done["status"], done["progress"]) == ("successful", 100)
    job = ExportJob.objects.get()
    content = file_of(audra, job)
    assert content == b"first Beaconing host"
    assert done["sha256"] == hashlib.sha256(content).hexdigest()
    assert done["size"] == len(content)
    assert AuditEntry.objects.filter(verb="export.download", target=incident.number).count() == 1
    assert api.get("/exports/").json()["results"] == [done]


def test_nobody_else_sees_a_job_or_its_file(audra: User, admin: User, incident: Incident) -> None:
    job = worked(audra, incident, "slow")
    for user in (admin, auditor("other")):
        for path in ("", "file/"):
            problem_of(Api(user).get(f"/exports/{job.pk}/{path}"), 404)
        problem_of(Api(user).post(f"/exports/{job.pk}/cancel/"), 404)
        assert Api(user).get("/exports/").json()["results"] == []


def test_rights_are_asked_again_at_the_download(audra: User, incident: Incident) -> None:
    job = worked(audra, incident, "slow")
    restriction.restrict(Actor.of(make_user("root", "Admin")), incident.pk, reason="quiet")
    problem_of(Api(audra).get(f"/exports/{job.pk}/file/"), 404)
    restriction.unrestrict(Actor.of(User.objects.get(username="root")), incident.pk, reason="over")
    audra.groups.clear()
    problem_of(Api(User.objects.get(pk=audra.pk)).get(f"/exports/{job.pk}/file/"), 403)


def test_rights_that_went_before_the_worker_came_end_the_job_without_a_file(audra: User, incident: Incident) -> None:
    pk = export(audra, incident, "slow").json()["job"]
    audra.groups.clear()
    export_work.work(pk)
    job = ExportJob.objects.get(pk=pk)
    assert (job.status, job.file) == (ExportStatus.UNSUCCESSFUL, "")
    assert "no incident" in job.message
    assert kept_files() == []


def test_asking_twice_while_it_goes_on_makes_one_job_and_other_options_another(audra: User, incident: Incident) -> None:
    first, again = (export(audra, incident, "slow").json()["job"] for _ in range(2))
    assert first == again
    assert export(audra, incident, "slow", notes="false").json()["job"] != first
    assert QueuedTask.objects.filter(task=exports.TASK).count() == 2


def test_more_than_five_at_a_time_are_refused(audra: User, incident: Incident) -> None:
    limits = ("clear", "green", "amber", "amber+strict", "red")
    Incident.objects.filter(pk=incident.pk).update(tlp="clear")
    for tlp in limits:
        assert export(audra, incident, "slow", tlp=tlp).status_code == 202
    assert "under way" in problem_of(export(audra, incident, "slow"), 409)["detail"]


def test_a_cancelled_job_leaves_no_file_and_no_entry(
    audra: User, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = export(audra, incident, "slow").json()["job"]
    monkeypatch.setattr(Between, "act", staticmethod(lambda _document: exports.cancel(audra, pk)))
    export_work.work(pk)
    job = ExportJob.objects.get(pk=pk)
    assert (job.status, job.file) == (ExportStatus.CANCELLED, "")
    assert kept_files() == []
    assert not TimelineEntry.objects.filter(kind="incident.exported").exists()
    problem_of(Api(audra).post(f"/exports/{pk}/cancel/"), 409)


def test_a_worker_that_died_is_followed_by_one_that_begins_anew(
    audra: User, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = export(audra, incident, "slow").json()["job"]

    def die(_document: Any) -> None:
        raise SystemExit  # a worker's process ends here; nothing of ours catches it

    monkeypatch.setattr(Between, "act", staticmethod(die))
    with pytest.raises(SystemExit):
        export_work.work(pk)
    assert ExportJob.objects.get(pk=pk).status == ExportStatus.IN_PROGRESS
    monkeypatch.setattr(Between, "act", staticmethod(lambda _document: None))
    export_work.work(pk)
    export_work.work(pk)  # the bell that rings once more does nothing
    assert ExportJob.objects.get(pk=pk).status == ExportStatus.SUCCESSFUL
    assert TimelineEntry.objects.filter(kind="incident.exported").count() == 1
    assert len(kept_files()) == 1


def test_of_two_workers_at_one_job_the_later_alone_writes(
    audra: User, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = export(audra, incident, "slow").json()["job"]

    def second(_document: Any) -> None:
        monkeypatch.setattr(Between, "act", staticmethod(lambda _document: None))
        export_work.work(pk)

    monkeypatch.setattr(Between, "act", staticmethod(second))
    export_work.work(pk)
    job = ExportJob.objects.get(pk=pk)
    assert (job.status, job.attempt) == (ExportStatus.SUCCESSFUL, 2)
    assert kept_files() == [job.file]
    assert TimelineEntry.objects.filter(kind="incident.exported").count() == 1


def test_what_the_queue_gave_up_ends_as_failed(audra: User, incident: Incident) -> None:
    pk = export(audra, incident, "slow").json()["job"]
    QueuedTask.objects.filter(task=exports.TASK).update(failed_at=timezone.now())
    assert export_work.end_given_up() == 1
    assert Api(audra).get(f"/exports/{pk}/").json()["status"] == "unsuccessful"
    assert export_work.end_given_up() == 0


def test_the_file_goes_after_a_day_and_what_crashes_have_left_too(audra: User, incident: Incident) -> None:
    job = worked(audra, incident, "slow")
    (store._folder() / ("0" * 32 + ".part")).write_bytes(b"half")
    assert export_work.tidy() == 0  # somebody may be writing it
    ExportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    problem_of(Api(audra).get(f"/exports/{job.pk}/file/"), 409)
    assert export_work.tidy() == 1
    assert Api(audra).get(f"/exports/{job.pk}/").json()["file"] is None
    assert store.sweep(set(), older=0) == 1
    assert kept_files() == []


def test_a_file_that_is_missing_or_cut_is_no_download(audra: User, incident: Incident) -> None:
    job = worked(audra, incident, "slow")
    store._path(job.file).write_bytes(b"short")
    problem_of(Api(audra).get(f"/exports/{job.pk}/file/"), 409)


def test_a_full_disk_ends_the_job_with_the_reason(
    audra: User, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_document: Any) -> None:
        raise NoRoom("The export cannot be stored: the server's disk is full or does not take it.")

    monkeypatch.setattr(Between, "act", staticmethod(full))
    job = worked(audra, incident, "slow")
    assert job.status == ExportStatus.UNSUCCESSFUL
    assert "disk is full" in job.message
    assert kept_files() == []


def test_what_can_be_chosen_is_listed(audra: User, analyst: User) -> None:
    told = Api(audra).get("/exports/choices/").json()
    assert {"pdf", "html", "md"} <= {one["name"] for one in told["formats"]}
    assert [one["slug"] for one in told["templates"]] == ["full", "executive", "authority"]
    problem_of(Api(analyst).get("/exports/choices/"), 403)


@pytest.mark.django_db(transaction=True)
def test_asked_for_at_the_same_moment_it_is_one_job(audra: User, incident: Incident) -> None:
    barrier, made = threading.Barrier(4), list[object]()

    def ask() -> None:
        try:
            barrier.wait()
            made.append(exports.start(User.objects.get(pk=audra.pk), incident.pk, "slow", Options()).pk)
        except Conflict as error:
            made.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert ExportJob.objects.count() == 1
