"""``POST /api/v1/alerts/bulk/`` and ``/jobs/``: one verb on many alerts, done by a worker, with progress."""

from __future__ import annotations

from typing import Any

import pytest

from cases import tasks
from cases.actions import alerts
from cases.actors import Actor
from cases.models import Alert, BulkJob, Incident
from soar.accounts.models import Team, User
from soar.models import QueuedTask
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source


def _work() -> None:
    """What the worker does with what is queued."""
    for row in QueuedTask.objects.filter(task="cases.tasks.work_off").order_by("pk"):
        tasks.work_off(*row.args)
        row.delete()


def test_a_job_is_accepted_done_and_its_progress_read(analyst: User) -> None:
    made = [make_alert() for _ in range(5)]
    api = Api(analyst)
    answer = api.post("/alerts/bulk/", {"ids": [a.number for a in made], "action": "assign", "owner": "mara"})
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"job", "url"}
    path = f"/jobs/{body['job']}/"
    assert body["url"].endswith(path)
    waiting = api.get(path).json()
    assert (waiting["status"], waiting["total"], waiting["position"]) == ("queued", 5, 0)
    _work()
    done = api.get(path).json()
    assert (done["status"], done["done"], done["position"], done["refused"]) == ("successful", 5, 5, [])
    assert done["finished_at"]
    assert set(Alert.objects.values_list("owner__username", flat=True)) == {"mara"}


def test_what_is_refused_stops_no_other(analyst: User, red: Team) -> None:
    mine, resolved, theirs = make_alert(), make_alert(), make_alert(source=make_source(team=red))
    alerts.resolve(Actor.of(analyst), resolved.pk, determination="benign")
    api = Api(analyst)
    job = api.post("/alerts/bulk/", {"ids": [resolved.pk, theirs.pk, mine.pk], "action": "claim"}).json()["job"]
    _work()
    body = api.get(f"/jobs/{job}/").json()
    assert (body["status"], body["done"]) == ("partially_successful", 1)
    assert {one["number"]: one["message"] for one in body["refused"]} == {
        resolved.number: "The alert is resolved. Reopen it first.",
        theirs.number: f"There is no alert {theirs.pk}.",
    }


def test_a_filter_takes_what_matches_now(analyst: User) -> None:
    for n in range(3):
        make_alert("Scanner" if n else "Beacon")
    api = Api(analyst)
    body = {"filter": {"q": "scanner", "status": "open"}, "action": "resolve", "determination": "benign"}
    job = api.post("/alerts/bulk/", body).json()["job"]
    make_alert("Scanner, later")
    _work()
    assert api.get(f"/jobs/{job}/").json()["done"] == 2
    assert sorted(Alert.objects.filter(status=2).values_list("title", flat=True)) == ["Scanner", "Scanner"]


def test_an_incident_from_many_alerts_is_all_or_nothing(analyst: User) -> None:
    made = [make_alert() for _ in range(3)]
    api = Api(analyst)
    ids = [a.pk for a in made]
    first = api.post("/alerts/bulk/", {"ids": ids, "action": "incident", "title": "Wave"}).json()["job"]
    second = api.post("/alerts/bulk/", {"ids": ids, "action": "incident", "title": "Again"}).json()["job"]
    _work()
    incident = Incident.objects.get()
    assert api.get(f"/jobs/{first}/").json()["incident"] == incident.number
    refused = api.get(f"/jobs/{second}/").json()
    assert (refused["status"], refused["done"], len(refused["refused"])) == ("unsuccessful", 0, 3)
    assert incident.alert_count == 3


def test_a_job_has_the_rights_of_the_moment_it_works(analyst: User) -> None:
    made = make_alert()
    api = Api(analyst)
    job = api.post("/alerts/bulk/", {"ids": [made.pk], "action": "claim"}).json()["job"]
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    _work()
    assert BulkJob.objects.get(pk=job).status == "unsuccessful"
    assert Alert.objects.get().owner is None


def test_who_may_and_whose_it_is(analyst: User, viewer: User, admin: User) -> None:
    made = make_alert()
    body = {"ids": [made.pk], "action": "claim"}
    problem_of(Api(None).post("/alerts/bulk/", body), 401)
    problem_of(Api(viewer).post("/alerts/bulk/", body), 403)
    problem_of(Api(analyst, scopes=("view_cases",)).post("/alerts/bulk/", body), 403)
    problem_of(Api(analyst).get("/alerts/bulk/"), 405)
    job = Api(analyst).post("/alerts/bulk/", body).json()["job"]
    problem_of(Api(admin).get(f"/jobs/{job}/"), 404)
    problem_of(Api(None).get(f"/jobs/{job}/"), 401)
    problem_of(Api(analyst).get(f"/jobs/{'9' * 30}/"), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "claim"}, "ids"),
        ({"ids": [], "action": "claim"}, "ids"),
        ({"ids": [1], "filter": {"q": "abc"}, "action": "claim"}, "ids"),
        ({"ids": ["x"], "action": "claim"}, "ids"),
        ({"ids": [1]}, "action"),
        ({"ids": [1], "action": "delete"}, "action"),
        ({"ids": list(range(10_001)), "action": "claim"}, "ids"),
        ({"ids": list(range(1001)), "action": "link", "incident": "INC-1"}, "ids"),
        ({"filter": {}, "action": "claim"}, "filter"),
        ({"filter": {"severity": "huge"}, "action": "claim"}, "filter"),
        ({"filter": {"sevrity": "high"}, "action": "claim"}, "filter"),
        ({"filter": {"status": "resolved"}, "action": "reopen"}, "ids"),
        ({"ids": [1], "action": "tag", "tags": "x"}, "tags"),
        ({"ids": [1], "action": "claim", "reasn": "x"}, "reasn"),
        ({"ids": [1], "action": "resolve"}, "determination"),
        ({"ids": [1], "action": "assign"}, "owner"),
        ({"filter": {"q": "received:never"}, "action": "claim"}, "filter"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_is_refused_at_once(analyst: User, body: dict[str, Any], field: str) -> None:
    make_alert()
    assert problem_of(Api(analyst).post("/alerts/bulk/", body), 400)["errors"][0]["field"] == field
    assert not BulkJob.objects.exists()


def test_the_same_key_makes_one_job(analyst: User) -> None:
    made, api = make_alert(), Api(analyst)
    answers = [
        api.post("/alerts/bulk/", {"ids": [made.pk], "action": "claim"}, {"Idempotency-Key": "b"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert BulkJob.objects.count() == 1
