"""``If-Match`` on people, teams, roles, tokens and samples: whoever read what is no longer so changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from cases.models import AlertSource, SourceToken
from soar.accounts.models import ApiToken, Role, Team, User
from tests.api import Api, problem_of
from tests.factories import make_source, make_user
from tests.test_ingest import token_of

pytestmark = pytest.mark.django_db
STALE = {"If-Match": '"000000000000-000000000000"'}


@pytest.fixture
def api(admin: User) -> Api:
    return Api(admin)


def match(answer: Any) -> dict[str, str]:
    return {"If-Match": answer["ETag"]}


def test_roles_of_a_person_are_not_overwritten_unseen(api: Api, viewer: User) -> None:
    path = f"/users/{viewer.pk}/"
    read = api.get(path)
    assert api.get(path, headers={"If-None-Match": read["ETag"]}).status_code == 304
    first = api.patch(path, {"roles": ["Viewer", "Analyst"]}, match(read))
    assert (first.status_code, sorted(first.json()["roles"])) == (200, ["Analyst", "Viewer"])
    problem_of(api.patch(path, {"roles": ["Viewer"]}, match(read)), 412)
    assert sorted(api.get(path).json()["roles"]) == ["Analyst", "Viewer"]
    assert api.patch(path, {"roles": ["Viewer"]}, match(first)).json()["roles"] == ["Viewer"]
    assert api.patch(path, {"roles": ["Analyst"]}).status_code == 200
    problem_of(api.patch("/users/999999/", {"roles": []}, STALE), 404)


def test_signing_in_makes_the_etag_of_a_person_no_older(api: Api, viewer: User) -> None:
    read = api.get(f"/users/{viewer.pk}/")
    User.objects.filter(pk=viewer.pk).update(last_login="2026-01-01T00:00:00Z")
    assert api.patch(f"/users/{viewer.pk}/", {"first_name": "Jon"}, match(read)).status_code == 200


def test_a_team_is_changed_and_removed_as_it_was_read(api: Api, viewer: User) -> None:
    made = api.post("/teams/", {"name": "Green"})
    path = f"/teams/{made.json()['id']}/"
    changed = api.patch(path, {"members": [viewer.username]}, match(made))
    assert changed.json()["members"] == [viewer.username]
    problem_of(api.patch(path, {"members": []}, match(made)), 412)
    # A person's own page changes who is in it as well.
    api.patch(f"/users/{viewer.pk}/", {"teams": []})
    problem_of(api.patch(path, {"name": "Lime"}, match(changed)), 412)
    problem_of(api.delete(path, match(changed)), 412)
    assert Team.objects.filter(name="Green").exists()
    assert api.delete(path, match(api.get(path))).status_code == 204
    problem_of(api.delete(path, STALE), 404)


def test_a_role_is_changed_and_removed_as_it_was_read(api: Api) -> None:
    made = api.post("/roles/", {"name": "Guest", "permissions": ["view_cases"]})
    path = f"/roles/{made.json()['id']}/"
    assert api.get(path)["ETag"] == made["ETag"]
    changed = api.patch(path, {"permissions": []}, match(made))
    assert changed.status_code == 200
    problem_of(api.patch(path, {"permissions": ["view_cases"]}, match(made)), 412)
    problem_of(api.patch(path, {"second_factor": True}, match(made)), 412)
    problem_of(api.delete(path, match(made)), 412)
    assert not Role.objects.get(group__name="Guest").second_factor
    assert api.delete(path, match(changed)).status_code == 204


def test_an_own_token_is_revoked_as_it_was_read(analyst: User) -> None:
    api = Api(analyst)
    made = api.post("/tokens/", {"name": "script", "scopes": ["view_cases"]})
    path = f"/tokens/{made.json()['id']}/"
    problem_of(api.delete(path, STALE), 412)
    assert ApiToken.objects.get(name="script").revoked_at is None
    assert api.get("/me/", headers={"Authorization": f"Bearer {made.json()['token']}"}).status_code == 200
    assert api.delete(path, match(made)).status_code == 204  # its use has made it no other
    problem_of(api.delete(path, match(made)), 412)
    assert api.delete(path).status_code == 204


def test_a_programs_token_is_revoked_as_it_was_read(api: Api) -> None:
    robot = make_user("robot", "Viewer")
    User.objects.filter(pk=robot.pk).update(is_service=True)
    made = api.post(f"/users/{robot.pk}/tokens/", {"name": "script"})
    path = f"/users/{robot.pk}/tokens/{made.json()['id']}/"
    problem_of(api.delete(path, STALE), 412)
    assert ApiToken.objects.get(name="script").revoked_at is None
    assert api.delete(path, match(made)).status_code == 204
    problem_of(api.delete(f"/users/{robot.pk}/tokens/999999/", STALE), 404)


def test_parts_of_a_source_are_removed_as_they_were_read(api: Api) -> None:
    source, other = make_source("Sensor"), make_source("Other")
    token_of(source)
    token = SourceToken.objects.get(source=source)
    path = f"/sources/{source.slug}/tokens/{token.pk}/"
    problem_of(api.delete(path, STALE), 412)
    token.refresh_from_db()
    assert token.revoked_at is None
    read = api.get(path)
    assert read.json() == api.get(f"/sources/{source.slug}/tokens/").json()["results"][0]
    assert api.get(path, headers={"If-None-Match": read["ETag"]}).status_code == 304
    # Whoever rotates gives it an end: another has read it as it was.
    assert api.post(f"/sources/{source.slug}/tokens/", {"overlap_hours": 1}).status_code == 201
    problem_of(api.delete(path, match(read)), 412)
    token.refresh_from_db()
    assert token.revoked_at is None
    assert api.delete(path, match(api.get(path))).status_code == 204
    problem_of(api.delete(path, match(read)), 412)
    assert api.delete(path, {"If-Match": "*"}).status_code == 204
    for method in (api.get, api.delete):
        problem_of(method(f"/sources/{source.slug}/tokens/999999/", headers=STALE), 404)
        problem_of(method(f"/sources/{other.slug}/tokens/{token.pk}/", headers=STALE), 404)
    made = api.post(f"/sources/{source.slug}/samples/", {"name": "One", "payload": '{"title": "One"}'})
    sample = f"/sources/{source.slug}/samples/{made.json()['id']}/"
    problem_of(api.delete(sample, STALE), 412)
    assert api.delete(sample, match(made)).status_code == 204
    problem_of(api.delete(sample, match(made)), 404)


def test_a_stale_tag_does_not_tell_of_a_hidden_source(analyst: User, red: Team) -> None:
    hidden = AlertSource.objects.create(name="Hidden", slug="hidden", kind="generic", team=red)
    token_of(hidden)
    path = f"/sources/hidden/tokens/{SourceToken.objects.get(source=hidden).pk}/"
    for method in (Api(analyst).get, Api(analyst).delete):
        there, none = method(path, headers=STALE), method("/sources/none/tokens/1/", headers=STALE)
        assert there.status_code == none.status_code in (403, 404)
