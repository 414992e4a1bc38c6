"""Grants and who sees what over the API, for all four kinds; the commands of the contract (access.md 3, 5)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import Incident
from playbooks.models import Playbook
from soar.accounts.models import Team, User
from soar.connectors import actions as connectors
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident, make_source, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(red: Team) -> Incident:
    """An incident of team Red."""
    return make_incident("Red business", make_alert("Red one", team=red), team=red)


@pytest.fixture(params=["incident", "source", "playbook", "connector"])
def path(request: pytest.FixtureRequest, case: Incident, red: Team) -> str:
    """The address of a thing of each kind."""
    if request.param == "incident":
        return f"/incidents/{case.number}/"
    if request.param == "source":
        return f"/sources/{make_source('Of Red', team=red).slug}/"
    if request.param == "playbook":
        return f"/playbooks/{Playbook.objects.create(name='Contain', trigger='manual').pk}/"
    made = connectors.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    return f"/connectors/{made.pk}/"


def test_what_is_not_seen_is_not_there(analyst: User, nobody: User, path: str) -> None:
    for tail in ("grants/", "access/"):  # without any role there is nothing anywhere, which tells nothing of this
        assert Api(nobody).get(path + tail).status_code in (403, 404)
    if path.startswith("/playbooks"):  # seen by all who read cases
        return
    api = Api(analyst)
    for tail in ("grants/", "access/"):
        problem_of(api.get(path + tail), 404)
    problem_of(api.post(f"{path}grants/", {"user": "nobody", "level": "manage"}), 404)
    problem_of(api.delete(f"{path}grants/user-{analyst.pk}/"), 404)
    assert Api(None).get(f"{path}grants/").status_code == 401


def test_what_is_no_grant_is_refused_beside_its_field(admin: User, viewer: User, path: str) -> None:
    api = Api(admin)
    for body, field in (
        ({}, "level"),
        ({"level": "manage"}, "user"),
        ({"user": "jonas", "group": "Blue", "level": "manage"}, "user"),
        ({"user": "who", "level": "manage"}, "user"),
        ({"group": "who", "level": "manage"}, "group"),
        ({"user": "jonas", "level": "rule"}, "level"),
        ({"user": "jonas", "level": "manage", "expires_at": "soon"}, "expires_at"),
        ({"user": "jonas", "level": "manage", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"user": 7, "level": "manage"}, "user"),
        ({"user": "jonas", "level": "manage", "colour": "red"}, "colour"),
    ):
        assert set(wrong_fields(api.post(f"{path}grants/", body))) == {field}, body
    assert api.get(f"{path}grants/").json()["results"] == []


def test_a_grant_is_made_read_changed_and_taken_away(admin: User, viewer: User, blue: Team, path: str) -> None:
    api = Api(admin)
    until = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    made = api.post(f"{path}grants/", {"user": "jonas", "level": "manage", "expires_at": until.isoformat()})
    assert made.status_code == 201
    grant = made.json()
    assert (grant["id"], grant["user"], grant["group"], grant["level"]) == (
        f"user-{viewer.pk}",
        "jonas",
        None,
        "manage",
    )
    assert (grant["expires_at"], grant["granted_by"]) == (until.isoformat().replace("+00:00", "Z"), "Ada Admin")
    one = f"{path}grants/{grant['id']}/"
    assert api.get(one).json() == grant
    assert api.post(f"{path}grants/", {"group": "Blue", "level": "manage"}).status_code == 201
    again = api.post(f"{path}grants/", {"group": "Blue", "level": "manage"})
    assert (again.status_code, again.json()["group"]) == (200, "Blue")
    assert [row["name"] for row in api.get(f"{path}grants/").json()["results"]] == ["Jonas Adeyemi", "Blue"]
    problem_of(api.patch(one, {"level": "manage"}, headers={"If-Match": '"0-0"'}), 412)
    changed = api.patch(one, {"expires_at": None}, headers={"If-Match": api.get(one)["ETag"]})
    assert (changed.status_code, changed.json()["expires_at"]) == (200, None)
    assert api.delete(one).status_code == 204
    for gone in (api.delete(one), api.get(one), api.patch(one, {"level": "manage"})):
        problem_of(gone, 404)


def test_the_same_key_grants_once(admin: User, viewer: User, path: str) -> None:
    api, key = Api(admin), {"Idempotency-Key": "one"}
    codes = [
        api.post(f"{path}grants/", {"user": "jonas", "level": "manage"}, headers=key).status_code for _ in range(2)
    ]
    assert codes == [201, 201]


def test_who_sees_it_and_why(admin: User, analyst: User, viewer: User, blue: Team, case: Incident) -> None:
    api = Api(admin)
    api.post(f"/incidents/{case.pk}/grants/", {"group": "Blue", "level": "comment", "reason": "Counsel"})
    api.post(f"/incidents/{case.pk}/grants/", {"user": "jonas", "level": "edit"})
    answer = api.get(f"/incidents/{case.pk}/access/").json()
    assert (answer["total"], answer["restricted"], answer["may_manage"]) == (3, False, True)
    by_user = {row["user"]: row for row in answer["results"]}
    assert next(iter(by_user)) == "jonas"
    assert by_user["jonas"]["level"] == "edit"
    assert [(one["type"], one["level"]) for one in by_user["jonas"]["why"]] == [("grant", "edit"), ("grant", "comment")]
    assert by_user["mara"]["why"][0]["text"] == "Blue"
    assert by_user["admin"]["why"][0]["type"] == "role"
    assert by_user["admin"]["level"] == "manage"
    assert [row["user"] for row in api.get(f"/incidents/{case.pk}/access/", q="lind").json()["results"]] == ["mara"]
    first = api.get(f"/incidents/{case.pk}/access/", page_size=2).json()
    assert len(first["results"]) == 2 and first["previous"] is None
    rest = api.get(first["next"].removeprefix("http://testserver")).json()
    assert len(rest["results"]) == 1 and rest["next"] is None
    for wrong in ("0", "x", "-1", "9" * 30):
        problem_of(api.get(f"/incidents/{case.pk}/access/", cursor=wrong), 400)


def test_an_incident_is_restricted_and_its_glass_is_broken(admin: User, stranger: User, case: Incident) -> None:
    api, other = Api(admin), Api(make_user("otto", "Admin"))
    assert Api(stranger).patch(f"/incidents/{case.pk}/", {"restricted": True}).status_code == 403
    problem_of(other.post(f"/incidents/{case.pk}/break-glass/", {"reason": "Look"}), 400)
    answer = api.patch(f"/incidents/{case.pk}/", {"restricted": True, "reason": "Legal asked"})
    assert (answer.status_code, answer.json()["restricted"]) == (200, True)
    for caller in (other, Api(stranger)):
        problem_of(caller.get(f"/incidents/{case.pk}/"), 404)
        problem_of(caller.get(f"/incidents/{case.pk}/access/"), 404)
    problem_of(api.delete(f"/incidents/{case.pk}/grants/user-{admin.pk}/"), 409)
    seen = api.get(f"/incidents/{case.pk}/access/").json()
    assert [row["user"] for row in seen["results"]] == ["admin"]
    assert {row["text"]: row["people"] for row in seen["held_back"]} == {"Team Red": 1, "Sees all teams": 2}
    problem_of(Api(stranger).post(f"/incidents/{case.pk}/break-glass/", {"reason": "Look"}), 403)
    assert set(wrong_fields(other.post(f"/incidents/{case.pk}/break-glass/", {"reason": " "}))) == {"reason"}
    assert other.post(f"/incidents/{case.pk}/break-glass/", {"reason": "Owner is ill"}).status_code == 200
    assert other.get(f"/incidents/{case.pk}/").status_code == 200
    assert api.patch(f"/incidents/{case.pk}/", {"restricted": False}).json()["restricted"] is False


def test_grants_are_copied(admin: User, viewer: User, case: Incident) -> None:
    other = make_incident("Another")
    api = Api(admin)
    api.post(f"/incidents/{other.pk}/grants/", {"user": "jonas", "level": "edit"})
    answer = api.post(f"/incidents/{case.pk}/grants/copy/", {"source": other.number})
    assert [row["user"] for row in answer.json()["results"]] == ["jonas"]
    assert set(wrong_fields(api.post(f"/incidents/{case.pk}/grants/copy/", {"source": case.number}))) == {"source"}


def said(*args: str) -> Any:
    out = StringIO()
    call_command(*args, stdout=out)
    return json.loads(out.getvalue())


def test_the_commands(admin: User, viewer: User, blue: Team, case: Incident) -> None:
    assert said("restrict", case.number) == {
        "incident": case.number,
        "restricted": True,
        "grants": {"admin": "manage"},
    }
    assert said("grant", case.number, "jonas", "comment") == {
        "incident": case.number,
        "id": f"user-{viewer.pk}",
        "user": "jonas",
        "level": "comment",
        "expires_at": None,
    }
    assert said("grant", case.number, "Blue", "view", "--group", "--days", "3")["group"] == "Blue"
    assert Api(viewer).get(f"/incidents/{case.number}/").status_code == 200
    for wrong in (
        ("restrict", "INC-99999"),
        ("restrict", "nonsense"),
        ("grant", case.number, "who", "view"),
        ("grant", case.number, "jonas", "own"),
        ("grant", "INC-99999", "jonas", "view"),
        ("grant", case.number, "jonas", "view", "--days", "0"),
    ):
        with pytest.raises(CommandError):
            call_command(*wrong, stdout=StringIO())
    assert said("restrict", case.number, "--off")["restricted"] is False
