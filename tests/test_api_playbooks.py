"""``/api/v1/playbooks/`` and ``/runs/``: reading, enabling, running by hand, cancelling, retrying, deciding."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.choices import Severity
from cases.models import Alert
from playbooks.models import Playbook, Run, Step
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source
from tests.playbook_files import Folder, folder, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)

CODE = """
@action
async def look(value):
    return {"seen": value}

@playbook(trigger="manual", name="Look up", description="Looks")
async def look_up(subject):
    return await look(1)

@playbook(trigger="manual", name="Break")
async def break_down(subject):
    raise ValueError("broken on purpose")
"""


@pytest.fixture
def alert(blue: Team, folder: Folder) -> Alert:
    """An alert of team Blue, and two playbooks."""
    folder.load(CODE)
    return make_alert("Beacon", source=make_source(team=blue))


def test_a_playbook_is_run_on_an_alert_and_its_run_is_read(analyst: User, stranger: User, alert: Alert) -> None:
    api = Api(analyst)
    answer = api.post(f"/alerts/{alert.number}/run/", {"playbook": "look up"})
    assert answer.status_code == 201, answer.content
    run = answer.json()
    assert (run["status"], run["alert"], run["started_by"], run["steps"]) == ("queued", alert.number, "mara", [])
    work()
    done = api.get(f"/runs/{run['id']}/").json()
    assert (done["status"], done["result"]) == ("successful", {"seen": 1})
    assert [(step["name"], step["status"]) for step in done["steps"]] == [("look", "successful")]
    assert api.get(f"/alerts/{alert.pk}/").json()["runs"] == [
        {"id": run["id"], "playbook": "Look up", "status": "successful"}
    ]
    problem_of(Api(stranger).get(f"/runs/{run['id']}/"), 404)
    assert Api(stranger).get("/runs/").json()["results"] == []


def test_running_needs_the_right_and_a_playbook_that_can(
    analyst: User, viewer: User, stranger: User, alert: Alert
) -> None:
    path, body = f"/alerts/{alert.pk}/run/", {"playbook": "Look up"}
    problem_of(Api(None).post(path, body), 401)
    problem_of(Api(stranger).post(path, body), 404)
    problem_of(Api(viewer).post(path, body), 403)
    problem_of(Api(analyst).get(path), 405)
    api = Api(analyst)
    problem_of(api.post(path, {"playbook": "Nothing"}), 404)
    wrongs: list[Any] = [{}, {"playbook": None}, {"playbook": []}, {"playbook": ""}, {"playbook": "x", "dry_run": 1}]
    for wrong in wrongs:
        problem_of(api.post(path, wrong), 400)
    Playbook.objects.update(enabled=False)
    problem_of(api.post(path, body), 409)
    assert not Run.objects.exists()


def test_the_same_key_starts_one_run(analyst: User, alert: Alert) -> None:
    api, incident = Api(analyst), make_incident()
    key = {"Idempotency-Key": "run-1"}
    runs = [api.post(f"/incidents/{incident.number}/run/", {"playbook": "Look up"}, key).json() for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0]["incident"] == incident.number
    assert Run.objects.count() == 1


def test_runs_are_filtered(analyst: User, alert: Alert) -> None:
    api, incident = Api(analyst), make_incident()
    look = api.post(f"/alerts/{alert.pk}/run/", {"playbook": "Look up"}).json()
    broken = api.post(f"/incidents/{incident.pk}/run/", {"playbook": "Break"}).json()
    work()

    def ids(**params: Any) -> list[int]:
        return [row["id"] for row in api.get("/runs/", **params).json()["results"]]

    assert ids() == [broken["id"], look["id"]]
    assert ids(alert=alert.number) == ids(status="successful") == ids(playbook="look up") == [look["id"]]
    assert ids(incident=incident.pk) == ids(status="unsuccessful,cancelled") == [broken["id"]]
    assert ids(playbook=look["playbook"]["id"]) == [look["id"]]
    for params in ({"alert": "x"}, {"status": "gone"}, {"playbok": "1"}, {"alert": "9" * 30}):
        problem_of(api.get("/runs/", **params), 400)


def test_thirty_runs_cost_as_many_queries_as_two(analyst: User, alert: Alert) -> None:
    api, counts = Api(analyst), []
    for more in (2, 28):
        for _ in range(more):
            api.post(f"/alerts/{alert.pk}/run/", {"playbook": "Look up"})
        with CaptureQueriesContext(connection) as captured:
            answer = api.get("/runs/")
        counts.append(len(captured))
    assert len(answer.json()["results"]) == 30
    assert counts[0] == counts[1] <= 8, counts


def test_cancel_and_retry(analyst: User, viewer: User, alert: Alert) -> None:
    api = Api(analyst)
    run = api.post(f"/alerts/{alert.pk}/run/", {"playbook": "Break"}).json()
    path = f"/runs/{run['id']}"
    for verb in ("cancel", "retry"):
        problem_of(Api(viewer).post(f"{path}/{verb}/"), 403)
        problem_of(Api(None).post(f"{path}/{verb}/"), 401)
        problem_of(api.get(f"{path}/{verb}/"), 405)
    problem_of(api.post(f"{path}/retry/"), 409)
    assert api.post(f"{path}/cancel/").json()["status"] == "cancelled"
    problem_of(api.post(f"{path}/cancel/"), 409)
    assert api.post(f"{path}/retry/").json()["status"] == "queued"
    work()
    failed = api.get(f"{path}/").json()
    assert failed["status"] == "unsuccessful"
    assert "broken on purpose" in failed["error"]
    for name in ("0", "x", "9" * 30):
        problem_of(api.post(f"/runs/{name}/cancel/"), 404)


def test_a_person_decides_on_a_call_of_unknown_outcome(analyst: User, viewer: User, alert: Alert) -> None:
    api = Api(analyst)
    run = api.post(f"/alerts/{alert.pk}/run/", {"playbook": "Look up"}).json()
    work()
    Run.objects.update(status="needs_decision", finished_at=None)
    Step.objects.update(status="unknown_outcome", result=None)
    step = Step.objects.get()
    path = f"/runs/{run['id']}/tasks/{step.pk}/decide/"
    problem_of(Api(viewer).post(path, {"outcome": "done"}), 403)
    for wrong in ({}, {"outcome": "maybe"}, {"outcome": "done", "comment": 5}):
        problem_of(api.post(path, wrong), 400)
    problem_of(api.post(f"/runs/{run['id']}/tasks/{step.pk + 1}/decide/", {"outcome": "done"}), 404)
    decided = api.post(path, {"outcome": "done", "comment": "Seen in the console"}).json()
    assert decided["status"] == "queued"
    assert decided["steps"][0]["decision"]["outcome"] == "done"
    problem_of(api.post(path, {"outcome": "done"}), 409)


def test_playbooks_are_read_enabled_and_disabled(analyst: User, author: User, nobody: User, alert: Alert) -> None:
    api, reader = Api(author), Api(analyst)
    rows = reader.get("/playbooks/").json()["results"]
    assert {row["name"] for row in rows} == {"Look up", "Break"}
    one = reader.get("/playbooks/look up/").json()
    assert any(row.items() <= one.items() for row in rows)
    assert reader.get(f"/playbooks/{one['id']}/").json() == one
    path = f"/playbooks/{one['id']}"
    problem_of(reader.post(f"{path}/disable/"), 403)
    problem_of(Api(nobody).get("/playbooks/"), 403)
    problem_of(Api(None).get("/playbooks/"), 401)
    for _ in range(2):
        off = api.post(f"{path}/disable/").json()
        assert (off["enabled"], off["state"], off["modified_by"]) == (False, "It is disabled.", "tomas")
    assert api.post(f"{path}/enable/").json()["state"] == ""
    problem_of(api.post("/playbooks/nothing/enable/"), 404)
    problem_of(api.get(f"{path}/enable/"), 405)


def test_versions_show_their_text_to_authors(analyst: User, author: User, alert: Alert) -> None:
    path = f"/playbooks/{Playbook.objects.get(name='Look up').pk}/versions/"
    versions = Api(author).get(path).json()["results"]
    if versions:
        assert versions[0]["number"] == len(versions)
        assert "look_up" in versions[0]["source"]
    assert all(row["source"] is None for row in Api(analyst).get(path).json()["results"])
    Api(analyst).post(f"/alerts/{alert.pk}/run/", {"playbook": "Look up"})
    work()
    assert "look_up" in Api(author).get(path).json()["results"][0]["source"]


def test_reload_reads_the_folders_again(analyst: User, author: User, alert: Alert, folder: Folder) -> None:
    folder.write("@playbook(trigger='manual', name='New')\nasync def new(subject): pass\n", "two.py")
    folder.write("this is no Python", "three.py")
    problem_of(Api(analyst).post("/playbooks/reload/"), 403)
    body = Api(author).post("/playbooks/reload/").json()
    assert body["playbooks"] == ["Break", "Look up", "New"]
    assert [error["path"].rpartition("/")[2] for error in body["errors"]] == ["three.py"]
    assert "New" in {row["name"] for row in Api(analyst).get("/playbooks/").json()["results"]}


RESOLVES = """
@playbook(trigger="manual", name="Close it")
async def close_it(subject):
    await update_current_alert(severity="critical")
"""


def test_a_run_has_no_more_than_the_scopes_of_the_token_that_began_it(
    analyst: User, alert: Alert, folder: Folder
) -> None:
    folder.load(RESOLVES)
    api = Api(analyst, scopes=("view_cases", "run_playbooks"))
    problem_of(api.patch(f"/alerts/{alert.number}/", {"severity": "critical"}), 403)
    made = api.post(f"/alerts/{alert.number}/run/", {"playbook": "Close it"}).json()
    work()
    alert.refresh_from_db()
    done = api.get(f"/runs/{made['id']}/").json()
    assert (done["status"], alert.severity) == ("unsuccessful", Severity.MEDIUM)
    assert "permission" in done["error"]
    Api(analyst, scopes=("view_cases", "run_playbooks", "work_cases")).post(
        f"/alerts/{alert.number}/run/", {"playbook": "Close it"}
    )
    work()
    alert.refresh_from_db()
    assert alert.severity == Severity.CRITICAL
