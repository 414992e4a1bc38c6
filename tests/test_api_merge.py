"""Merge, split, undo and links by the API."""

from __future__ import annotations

from typing import Any

import pytest

from cases.models import Incident, IncidentMove
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def pair(**fields: object) -> tuple[Incident, Incident]:
    """Two incidents with an alert each."""
    return make_incident("Stays", make_alert(), **fields), make_incident("Goes", make_alert(), **fields)


def fields(problem: dict[str, Any]) -> list[str]:
    """What the problem is about."""
    return [one["field"] for one in problem["errors"]]


def test_preview_merge_and_undo(analyst: User) -> None:
    api, (stays, goes) = Api(analyst), pair()
    body = {"incidents": [goes.number]}
    told = api.post(f"/incidents/{stays.pk}/merge/preview/", body).json()
    assert told["possible"] is True
    assert {one["part"]: one["moves"] for one in told["incidents"][0]["parts"]} == {"alerts": 1}
    merged = api.post(f"/incidents/{stays.pk}/merge/", body)
    assert merged.status_code == 200
    assert (merged.json()["alert_count"], merged.json()["merged_at"]) == (2, None)
    husk = api.get(f"/incidents/{goes.pk}/").json()
    assert husk["status"] == "closed" and husk["merged_at"]
    late = problem_of(api.post(f"/incidents/{goes.pk}/comment/", {"text": "Late"}), 409)
    assert late["incident"] == stays.number and late["url"].endswith(f"/incidents/{stays.number}/")
    (row,) = api.get(f"/incidents/{stays.pk}/moves/").json()["results"]
    assert (row["kind"], row["source"], row["target"]) == ("merge", goes.number, stays.number)
    one = api.get(f"/incidents/{goes.pk}/moves/{row['id']}/").json()
    assert (one["would_leave"], one["refusal"]) == ([], None)
    done = api.post(f"/incidents/{stays.pk}/moves/{row['id']}/undo/")
    assert done.status_code == 200 and done.json()["undone_by"] == "Mara Lindqvist"
    problem_of(api.post(f"/incidents/{stays.pk}/moves/{row['id']}/undo/"), 409)
    assert api.get(f"/incidents/{goes.pk}/").json()["merged_at"] is None


@pytest.mark.parametrize(
    "body", [{}, {"incidents": []}, {"incidents": "INC-7"}, {"incidents": [None]}, {"incidents": [1], "x": 1}]
)
def test_bodies_that_are_none(analyst: User, body: dict[str, object]) -> None:
    stays, _goes = pair()
    for verb in ("merge/", "merge/preview/"):
        problem_of(Api(analyst).post(f"/incidents/{stays.pk}/{verb}", body), 400)


def test_one_that_is_not_there_and_itself(analyst: User) -> None:
    api, (stays, _goes) = Api(analyst), pair()
    problem_of(api.post(f"/incidents/{stays.pk}/merge/", {"incidents": [999_999]}), 404)
    itself = problem_of(api.post(f"/incidents/{stays.pk}/merge/", {"incidents": [stays.pk]}), 400)
    assert fields(itself) == ["incidents"]


def test_condition_and_key(analyst: User) -> None:
    api, (stays, goes) = Api(analyst), pair()
    tag = api.get(f"/incidents/{stays.pk}/")["ETag"]
    api.patch(f"/incidents/{stays.pk}/", {"title": "Another"})
    body = {"incidents": [goes.pk]}
    problem_of(api.post(f"/incidents/{stays.pk}/merge/", body, {"If-Match": tag}), 412)
    for _time in range(2):
        answer = api.post(f"/incidents/{stays.pk}/merge/", body, {"Idempotency-Key": "once"})
        assert answer.status_code == 200
    assert IncidentMove.objects.count() == 1


def test_who_may(viewer: User, stranger: User, analyst: User, blue: Team) -> None:
    stays, goes = pair(team=blue)
    for verb in ("merge/", "merge/preview/"):
        body = {"incidents": [goes.pk]}
        problem_of(Api(viewer).post(f"/incidents/{stays.pk}/{verb}", body), 403)
        problem_of(Api(stranger).post(f"/incidents/{stays.pk}/{verb}", body), 404)
        problem_of(Api(analyst, ("view_cases",)).post(f"/incidents/{stays.pk}/{verb}", body), 403)
    assert Api(viewer).get(f"/incidents/{stays.pk}/moves/").status_code == 200
    problem_of(Api(stranger).get(f"/incidents/{stays.pk}/moves/"), 404)


def test_split(analyst: User) -> None:
    api = Api(analyst)
    rows = [make_alert("One"), make_alert("Two")]
    whole = make_incident("Whole", *rows)
    body = {"alerts": [rows[1].number], "title": "Half"}
    told = api.post(f"/incidents/{whole.pk}/split/preview/", body).json()
    assert (told["title"], told["alerts"], told["possible"]) == ("Half", [rows[1].number], True)
    made = api.post(f"/incidents/{whole.pk}/split/", body)
    assert made.status_code == 201 and made.json()["title"] == "Half"
    assert api.get(f"/incidents/{whole.pk}/").json()["alert_count"] == 1
    assert fields(problem_of(api.post(f"/incidents/{whole.pk}/split/", body), 400)) == ["alerts"]
    wrong = {"alerts": [rows[1].pk], "tasks": ["x"]}
    assert fields(problem_of(api.post(f"/incidents/{whole.pk}/split/", wrong), 400))[0].startswith("tasks")


def test_links(analyst: User) -> None:
    api, (here, there) = Api(analyst), pair()
    made = api.post(f"/incidents/{here.pk}/related/", {"incident": there.number, "relation": "child_of"})
    assert made.status_code == 201 and made.json()["incident"]["number"] == there.number
    (row,) = api.get(f"/incidents/{there.pk}/related/").json()["results"]
    assert (row["relation"], row["incident"]["number"]) == ("parent_of", here.number)
    problem_of(api.post(f"/incidents/{there.pk}/related/", {"incident": here.pk, "relation": "child_of"}), 409)
    problem_of(api.post(f"/incidents/{there.pk}/related/", {"incident": here.pk, "relation": "twin"}), 400)
    assert api.delete(f"/incidents/{there.pk}/related/{row['id']}/").status_code == 204
    problem_of(api.delete(f"/incidents/{there.pk}/related/{row['id']}/"), 404)
