"""``/api/v1/incidents/{id}/tasks/`` and ``/api/v1/tasks/``: reading, adding, changing, verbs (casework.md 10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.actions import tasks
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.models import Incident, IncidentTask
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source

HOSTILE = "<script>alert(1)</script> '); DROP TABLE x; -- \u202egnp.exe"


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue with one open alert."""
    return make_incident("Case", make_alert("Beacon", source=make_source(team=blue)), team=blue)


def add(incident: Incident, title: str = "Isolate the host", **fields: Any) -> IncidentTask:
    """A task that Soar itself has added."""
    return tasks.add(Actor.system(), incident.pk, title=title, **fields)


def titles(incident: Incident) -> list[str]:
    """The checklist in its order; fails if the positions have a gap."""
    rows = list(IncidentTask.objects.filter(incident=incident))
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    return [row.title for row in rows]


CHANGES = [
    ("POST", "/incidents/{incident}/tasks/", {"title": "Another"}),
    ("PATCH", "/tasks/{task}/", {"title": "Other"}),
    ("POST", "/tasks/{task}/complete/", {}),
    ("POST", "/tasks/{task}/reopen/", {}),
    ("POST", "/tasks/{task}/assign/", {"assignee": "mara"}),
    ("DELETE", "/tasks/{task}/", None),
    ("POST", "/incidents/{incident}/template/", {"template": "Phishing"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_viewer_may_not_a_stranger_sees_nothing_nobody_is_asked_to_log_in(
    viewer: User, stranger: User, incident: Incident, method: str, path: str, body: Any
) -> None:
    path = path.format(incident=incident.number, task=add(incident).pk)
    before = incident.timeline.count()
    problem_of(Api(viewer).call(method, path, body), 403)
    problem_of(Api(stranger).call(method, path, body), 404)
    problem_of(Api(None).call(method, path, body), 401)
    assert incident.timeline.count() == before


@pytest.mark.parametrize("method", ["PUT", "TRACE"])
def test_other_methods_are_refused(analyst: User, incident: Incident, method: str) -> None:
    assert Api(analyst).call(method, f"/tasks/{add(incident).pk}/", {}).status_code == 405


@pytest.mark.parametrize("pk", ["0", "-1", "x", "9" * 30, "1'--"])
def test_a_task_that_is_none(analyst: User, pk: str) -> None:
    for method, verb in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "complete/")):
        problem_of(Api(analyst).call(method, f"/tasks/{pk}/{verb}", {}), 404)


def test_a_stranger_reads_nothing(analyst: User, viewer: User, stranger: User, incident: Incident) -> None:
    task = add(incident)
    for path in (f"/incidents/{incident.pk}/tasks/", f"/tasks/{task.pk}/"):
        assert Api(viewer).get(path).status_code == 200
        problem_of(Api(stranger).get(path), 404)
    assert Api(stranger).get("/tasks/").json()["results"] == []
    problem_of(Api(stranger).get("/tasks/", incident=incident.number), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": 5}, "title"),
        ({"title": "T", "required": "yes"}, "required"),
        ({"title": "T", "due_at": "tomorrow"}, "due_at"),
        ({"title": "T", "due_at": "0001-01-01T00:00:00Z"}, "due_at"),
        ({"title": "T", "assignee": "no-such"}, "assignee"),
        ({"title": "T", "assignee": "sam"}, "assignee"),
        ({"title": "T", "status": "done"}, "status"),
        ({"title": "T", "description": "x" * 10_001}, "description"),
    ],
)
def test_what_a_task_cannot_be(
    analyst: User, stranger: User, incident: Incident, body: dict[str, Any], field: str
) -> None:
    refused = problem_of(Api(analyst).post(f"/incidents/{incident.pk}/tasks/", body), 400)
    assert [error["field"] for error in refused["errors"]] == [field]
    assert titles(incident) == []


def test_somebody_who_does_not_see_the_incident_gets_no_task(analyst: User, stranger: User, incident: Incident) -> None:
    refused = problem_of(Api(analyst).post(f"/tasks/{add(incident).pk}/assign/", {"assignee": "sam"}), 400)
    assert refused["detail"] == f"Sam Stranger does not see {incident.number}, so cannot work on it."


def test_a_task_is_added_and_read(analyst: User, incident: Incident) -> None:
    api, path = Api(analyst), f"/incidents/{incident.number}/tasks/"
    due = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    body = {"title": " Isolate  the\nhost ", "description": "**Now**", "assignee": "mara", "required": True}
    made = api.post(path, {**body, "due_at": due.isoformat()})
    assert made.status_code == 201
    task = made.json()
    assert task.items() >= {
        "incident": incident.number, "title": "Isolate the host", "description": "**Now**", "status": "open",
        "required": True, "assignee": "mara", "due_at": "2030-01-02T03:04:00Z", "position": 1, "done_by": None,
        "done_at": None, "version": 1,
    }.items()  # fmt: skip
    assert api.get(f"/tasks/{task['id']}/").json() == task
    assert api.get(path).json()["results"] == [task]
    entry = incident.timeline.get(kind="task.added")
    assert entry.data["task"] == "Isolate the host"


def test_hostile_text_is_only_text(analyst: User, as_analyst: Any, incident: Incident) -> None:
    made = Api(analyst).post(f"/incidents/{incident.pk}/tasks/", {"title": HOSTILE, "description": HOSTILE})
    assert made.json()["title"] == HOSTILE.replace("\u202e", "[U+202E]")
    Api(analyst).patch(f"/tasks/{made.json()['id']}/", {"title": "<img src=x onerror=alert(2)>"})
    text = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_key_adds_once(analyst: User, incident: Incident) -> None:
    key = {"Idempotency-Key": "one"}
    path = f"/incidents/{incident.pk}/tasks/"
    first, second = (Api(analyst).post(path, {"title": "T"}, key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    third = Api(analyst)
    answers = [third.post(path, {"title": "Once"}, key).json()["id"] for _ in range(2)]
    assert answers[0] == answers[1]


def test_at_most_two_hundred(analyst: User, incident: Incident) -> None:
    now = incident.created_at
    IncidentTask.objects.bulk_create(
        IncidentTask(incident=incident, title=f"T{n}", position=n, created_at=now, updated_at=now)
        for n in range(1, 201)
    )
    refused = problem_of(Api(analyst).post(f"/incidents/{incident.pk}/tasks/", {"title": "One more"}), 400)
    assert "at most 200 tasks" in refused["detail"]


def test_the_first_who_completes_stays_the_one_who_did(analyst: User, responder: User, incident: Incident) -> None:
    task = add(incident)
    first = Api(analyst).post(f"/tasks/{task.pk}/complete/").json()
    assert (first["status"], first["done_by"]) == ("done", "Mara Lindqvist")
    assert Api(responder).post(f"/tasks/{task.pk}/complete/").json() == first
    assert incident.timeline.filter(kind="task.completed").count() == 1
    opened = Api(responder).post(f"/tasks/{task.pk}/reopen/").json()
    assert (opened["status"], opened["done_by"], opened["done_at"]) == ("open", None, None)


def test_the_assignee_of_a_shared_incident_ticks_with_the_level_comment(
    viewer: User, analyst: User, incident: Incident
) -> None:
    """A grant of *comment* lets them tick what is theirs and nothing else."""
    from django.contrib.auth.models import Permission

    from cases.models import IncidentUserPermission

    level = Permission.objects.get(codename="comment_incident")
    IncidentUserPermission.objects.create(user=viewer, permission=level, content_object=incident)
    mine, other = add(incident, "Mine", assignee=viewer), add(incident, "Other")
    api = Api(viewer)
    assert api.post(f"/tasks/{mine.pk}/complete/").status_code == 200
    problem_of(api.post(f"/tasks/{other.pk}/complete/"), 403)
    problem_of(api.patch(f"/tasks/{mine.pk}/", {"title": "Mine now"}), 403)


def test_a_change_is_all_or_nothing_and_written_down(analyst: User, incident: Incident) -> None:
    task, api = add(incident), Api(analyst)
    problem_of(api.patch(f"/tasks/{task.pk}/", {"title": "New", "assignee": "no-such"}), 400)
    problem_of(api.patch(f"/tasks/{task.pk}/", {"titel": "New"}), 400)
    task.refresh_from_db()
    assert (task.title, task.version) == ("Isolate the host", 1)
    changes = {"title": "New", "required": True, "assignee": "mara", "due_at": "2030-01-02T03:04:00Z"}
    assert api.patch(f"/tasks/{task.pk}/", changes).json()["version"] == 2
    assert api.patch(f"/tasks/{task.pk}/", changes).json()["version"] == 2
    assert incident.timeline.filter(kind="task.changed").count() == 3
    assert api.patch(f"/tasks/{task.pk}/", {"assignee": None, "due_at": None}).json()["assignee"] is None
    assert report_of_incident(incident).findings == []


def test_a_stale_change_is_refused(analyst: User, incident: Incident) -> None:
    task, api = add(incident), Api(analyst)
    etag = api.get(f"/tasks/{task.pk}/")["ETag"]
    api.patch(f"/tasks/{task.pk}/", {"title": "New"})
    for method, path, body in (
        ("PATCH", "", {"title": "Newer"}),
        ("DELETE", "", None),
        ("POST", "complete/", {}),
        ("POST", "assign/", {"assignee": "mara"}),
    ):
        problem_of(api.call(method, f"/tasks/{task.pk}/{path}", body, {"If-Match": etag}), 412)
    assert titles(incident) == ["New"]
    assert api.get(f"/tasks/{task.pk}/", {"If-None-Match": api.get(f"/tasks/{task.pk}/")["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("which", "position", "order"),
    [(0, 3, "BCA"), (2, 1, "CAB"), (1, 1, "BAC"), (0, 200, "BCA"), (1, 2, "ABC")],
)
def test_order(analyst: User, incident: Incident, which: int, position: int, order: str) -> None:
    rows = [add(incident, title) for title in "ABC"]
    assert Api(analyst).patch(f"/tasks/{rows[which].pk}/", {"position": position}).status_code == 200
    assert "".join(titles(incident)) == order
    listed = Api(analyst).get(f"/incidents/{incident.pk}/tasks/").json()["results"]
    assert "".join(row["title"] for row in listed) == order


def test_removing_closes_the_gap(analyst: User, incident: Incident) -> None:
    rows = [add(incident, title) for title in "ABC"]
    assert Api(analyst).delete(f"/tasks/{rows[1].pk}/").status_code == 204
    problem_of(Api(analyst).delete(f"/tasks/{rows[1].pk}/"), 404)
    assert titles(incident) == ["A", "C"]
    assert incident.timeline.get(kind="task.removed").data["task"] == "B"


def test_open_required_tasks_hold_the_incident_open(analyst: User, incident: Incident) -> None:
    first, second = add(incident, "Isolate it", required=True), add(incident, "Reset a.voss", required=True)
    add(incident, "Tell people")
    api, path = Api(analyst), f"/incidents/{incident.pk}/status/"
    body = {"status": "resolved", "determination": "malicious"}
    refused = problem_of(api.post(path, body), 409)
    assert refused["code"] == "open_tasks"
    assert refused["detail"] == (
        f"{incident.number} cannot be resolved or closed: 2 required tasks are still open: "
        "“Isolate it”, “Reset a.voss”."
    )
    problem_of(api.patch(f"/incidents/{incident.pk}/", body), 409)
    incident.refresh_from_db()
    assert (incident.status, incident.determination) == (IncidentStatus.OPEN, 0)
    assert incident.alerts.get().status == 0
    api.post(f"/tasks/{first.pk}/complete/")
    assert "1 required task is" in problem_of(api.post(path, body), 409)["detail"]
    api.patch(f"/tasks/{second.pk}/", {"required": False})
    assert api.post(path, body).json()["status"] == "resolved"


def test_an_ended_incident_keeps_its_checklist(analyst: User, incident: Incident) -> None:
    task, api = add(incident), Api(analyst)
    api.post(f"/incidents/{incident.pk}/status/", {"status": "closed", "determination": "benign"})
    for method, path, body in CHANGES:
        refused = problem_of(api.call(method, path.format(incident=incident.pk, task=task.pk), body), 409)
        assert refused["detail"] == f"{incident.number} is closed. Reopen it to change its tasks."
    api.post(f"/incidents/{incident.pk}/status/", {"status": "open"})
    assert api.post(f"/tasks/{task.pk}/complete/").status_code == 200


def test_the_list_of_all_is_filtered(analyst: User, responder: User, incident: Incident) -> None:
    now = datetime.now(tz=UTC)
    add(incident, "A", assignee=analyst, due_at=now - timedelta(hours=1), required=True)
    add(incident, "B", assignee=responder, due_at=now + timedelta(days=1))
    tasks.complete(Actor.system(), add(make_incident("Else"), "C").pk)
    api = Api(analyst)

    def found(**params: str) -> str:
        return "".join(row["title"] for row in api.get("/tasks/", ordering="id", **params).json()["results"])

    assert found() == "ABC"
    assert found(status="open") == found(incident=incident.number) == "AB"
    assert found(assignee="me") == found(required="true") == found(due_before=now.isoformat()) == "A"
    assert found(assignee="priya") == "B"
    assert found(assignee="none") == found(status="done") == "C"
    for params in ({"status": "x"}, {"required": "1"}, {"due_before": "soon"}, {"who": "me"}):
        problem_of(api.get("/tasks/", **params), 400)


def test_fifty_tasks_cost_as_many_queries_as_two(analyst: User, incident: Incident) -> None:
    api, counts = Api(analyst), []
    for more in (2, 48):
        for number in range(more):
            add(incident, f"T{number}", assignee=analyst)
        api.get("/tasks/")
        with CaptureQueriesContext(connection) as captured:
            assert len(api.get("/tasks/").json()["results"]) == (2 if more == 2 else 50)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8, counts
