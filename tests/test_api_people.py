"""``/api/v1/``: users, teams, me, tokens, sources, observables, and the schema."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import AlertSource
from soar.accounts.actions import people
from soar.accounts.models import ApiToken, AuditEntry, Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source


def test_people_and_teams_are_for_those_who_see_cases(viewer: User, nobody: User, red: Team) -> None:
    api = Api(viewer)
    assert api.get("/users/").json()["results"][0] == {"id": viewer.pk, "username": "jonas", "name": "Jonas Adeyemi"}
    assert [row["username"] for row in api.get("/users/", q="JO").json()["results"]] == ["jonas"]
    assert {row["name"] for row in api.get("/teams/").json()["results"]} == {"Blue", "Red"}
    for path in ("/users/", "/teams/"):
        problem_of(Api(nobody).get(path), 403)
        problem_of(Api(None).get(path), 401)
        problem_of(api.post(path, {}), 403)
        problem_of(api.delete(path), 405)


def test_disabled_people_are_not_listed(viewer: User, analyst: User) -> None:
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert [row["username"] for row in Api(viewer).get("/users/").json()["results"]] == ["jonas"]


def test_me_says_what_this_token_may(analyst: User) -> None:
    body = Api(analyst, scopes=("view_cases", "export")).get("/me/").json()
    assert (body["username"], body["roles"], body["teams"]) == ("mara", ["Analyst"], ["Blue"])
    assert body["permissions"] == ["view_cases"]
    assert body["token"]["name"] == "test"
    assert set(Api(analyst).get("/me/").json()["permissions"]) == {"view_cases", "work_cases", "run_playbooks"}


def test_a_token_is_made_shown_once_used_and_revoked(analyst: User) -> None:
    api = Api(analyst)
    made = api.post("/tokens/", {"name": "script", "scopes": ["view_cases"], "days": 30})
    assert made.status_code == 201
    token = made.json()["token"]
    listed = api.get("/tokens/").json()["results"]
    assert {row["name"] for row in listed} == {"script", "test"}
    assert token not in json.dumps(listed)
    mine = {"Authorization": f"Bearer {token}"}
    assert api.get("/me/", headers=mine).json()["token"]["scopes"] == ["view_cases"]
    assert api.delete(f"/tokens/{made.json()['id']}/").status_code == 204
    assert api.delete(f"/tokens/{made.json()['id']}/").status_code == 204
    problem_of(api.get("/me/", headers=mine), 401)
    assert list(AuditEntry.objects.filter(verb="token.revoked").values_list("target", flat=True)) == ["mara: script"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x", "scopes": ["root"]}, {"name": "x", "days": 0}, {"name": "x", "days": "9"},
     {"name": "x", "scopes": "view_cases"}, {"name": "x", "user": "admin"}],
)  # fmt: skip
def test_a_token_that_cannot_be_is_refused(analyst: User, body: object) -> None:
    problem_of(Api(analyst).post("/tokens/", body), 400)
    assert ApiToken.objects.count() == 1


def test_a_token_makes_no_stronger_and_no_longer_one(analyst: User) -> None:
    api = Api(analyst, scopes=("view_cases",))
    problem_of(api.post("/tokens/", {"name": "more"}), 403)
    problem_of(api.post("/tokens/", {"name": "more", "scopes": ["view_cases", "work_cases"]}), 403)
    ApiToken.objects.update(expires_at="2099-01-01T00:00:00Z")
    made = api.post("/tokens/", {"name": "less", "scopes": ["view_cases"]}).json()
    assert made["expires_at"] == "2099-01-01T00:00:00Z"
    refused = problem_of(api.post("/tokens/", {"name": "x", "scopes": ["view_cases"]}, {"Idempotency-Key": "k"}), 400)
    assert "secret" in refused["detail"]


def test_a_token_revokes_itself_and_no_stronger_one(analyst: User) -> None:
    reader = Api(analyst, scopes=("view_cases",))
    own = reader.get("/me/").json()["token"]["id"]
    everything = Api(analyst).get("/me/").json()["token"]["id"]
    worker = Api(analyst, scopes=("view_cases", "work_cases")).get("/me/").json()["token"]["id"]
    for stronger in (everything, worker):
        problem_of(reader.delete(f"/tokens/{stronger}/"), 403)
    assert Api(analyst, scopes=("view_cases", "work_cases")).delete(f"/tokens/{worker}/").status_code == 204
    assert reader.delete(f"/tokens/{own}/").status_code == 204
    problem_of(reader.get("/me/"), 401)


def test_nobody_sees_or_revokes_the_tokens_of_others(analyst: User, admin: User) -> None:
    api, mine = Api(admin), Api(analyst)
    token = analyst.api_tokens.get()
    assert token.pk not in {row["id"] for row in api.get("/tokens/").json()["results"]}
    problem_of(api.delete(f"/tokens/{token.pk}/"), 404)
    problem_of(api.delete(f"/tokens/{'9' * 30}/"), 404)
    assert mine.get("/me/").status_code == 200


def test_sources_are_for_admins_and_keep_their_secrets(admin: User, analyst: User) -> None:
    source = make_source("Sensor", hmac_secret="hush hush")
    api = Api(admin)
    body = api.get(f"/sources/{source.slug}/").json()
    assert body["signed"] is True
    assert body in api.get("/sources/").json()["results"]
    assert "hush" not in json.dumps(body)
    for path in ("/sources/", f"/sources/{source.slug}/"):
        problem_of(Api(analyst).get(path), 403)
        problem_of(Api(None).get(path), 401)
    problem_of(Api(analyst).post("/sources/", {"name": "Mine", "kind": "generic"}), 403)
    problem_of(api.post(f"/sources/{source.slug}/", {}), 405)
    problem_of(api.get("/sources/none/"), 404)
    assert AlertSource.objects.count() == 1


def test_observables_are_seen_through_what_has_them(analyst: User, stranger: User, blue: Team, red: Team) -> None:
    mine = make_alert("Mine", source=make_source(team=blue), observables=(("ip", "203.0.113.7"),))
    make_alert("Theirs", source=make_source(team=red), observables=(("ip", "203.0.113.7"), ("domain", "b.example.com")))
    incident = make_incident("Case", mine)
    api = Api(analyst)
    rows = api.get("/observables/").json()["results"]
    assert [row["value"] for row in rows] == ["203.0.113.7"]
    detail = api.get(f"/observables/{rows[0]['id']}/").json()
    assert [row["title"] for row in detail["sightings"]["alerts"]] == ["Mine"]
    assert [row["number"] for row in detail["sightings"]["incidents"]] == [incident.number]
    other = Api(stranger).get("/observables/", value="B[.]example[.]com").json()["results"]
    assert [row["type"] for row in other] == ["domain"]
    problem_of(api.get(f"/observables/{other[0]['id']}/"), 404)
    problem_of(api.get(f"/observables/{'9' * 25}/"), 404)
    problem_of(api.get("/observables/x/"), 404)
    problem_of(api.get("/observables/", type="planet"), 400)
    problem_of(Api(None).get("/observables/"), 401)
    problem_of(api.post("/observables/", {}), 405)


def test_the_schema_needs_a_login_and_names_every_call_of_the_contract(analyst: User) -> None:
    problem_of(Api(None).get("/api/schema/"), 401)
    answer = Api(analyst).get("/api/schema/")
    schema = json.loads(answer.content)
    assert schema["openapi"].startswith("3.1")
    verbs = {
        "alerts": "claim assign resolve reopen comment escalate link unlink",
        "incidents": "assign comment status link unlink owners observables",
    }
    for subject, names in verbs.items():
        for name in names.split():
            assert "post" in schema["paths"][f"/api/v1/{subject}/{{id}}/{name}/"], name
    assert schema["paths"]["/api/v1/ingest/{slug}/"]["post"]["responses"].keys() >= {"200", "201", "207", "429"}
    row = schema["components"]["schemas"]["Alert"]["properties"]
    make_alert()
    alert = Api(analyst).get("/alerts/").json()["results"][0]
    assert Api(analyst).get(f"/alerts/{alert['id']}/").json().keys() == row.keys()


def test_answers_are_as_the_schema_says(analyst: User) -> None:
    from jsonschema import Draft202012Validator

    incident = make_incident("Case", make_alert(observables=(("ip", "203.0.113.7"),)))
    for _ in range(2):
        make_alert(observables=(("ip", "203.0.113.9"),))
    api = Api(analyst)
    schema = json.loads(api.get("/api/schema/").content)
    alert = incident.alerts.get()
    observable = alert.observable_links.get().observable_id
    for template, path in {
        "/api/v1/alerts/": "/alerts/",
        "/api/v1/alerts/{id}/": f"/alerts/{alert.pk}/",
        "/api/v1/alerts/{id}/timeline/": f"/alerts/{alert.pk}/timeline/",
        "/api/v1/incidents/": "/incidents/",
        "/api/v1/incidents/{id}/": f"/incidents/{incident.pk}/",
        "/api/v1/incidents/{id}/timeline/": f"/incidents/{incident.pk}/timeline/",
        "/api/v1/incidents/{id}/alerts/": f"/incidents/{incident.pk}/alerts/",
        "/api/v1/incidents/{id}/observables/": f"/incidents/{incident.pk}/observables/",
        "/api/v1/incidents/suggestions/": "/incidents/suggestions/",
        "/api/v1/observables/": "/observables/",
        "/api/v1/observables/{id}/": f"/observables/{observable}/",
        "/api/v1/users/": "/users/",
        "/api/v1/teams/": "/teams/",
        "/api/v1/tokens/": "/tokens/",
        "/api/v1/me/": "/me/",
    }.items():
        shape = schema["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = api.get(path)
        assert answer.status_code == 200, path
        validator = Draft202012Validator({**shape, "components": schema["components"]})
        errors = [f"{path}: {error.json_path} {error.message[:200]}" for error in validator.iter_errors(answer.json())]
        assert not errors, errors


def test_a_scoped_token_does_not_take_over_its_own_account(admin: User) -> None:
    own, api = f"/users/{admin.pk}", Api(admin, scopes=("manage_people",))
    other = ApiToken.objects.create(user=admin, name="whole", prefix="soar_x", digest=b"x" * 32)
    answers = (
        api.post(f"{own}/password/", {}),
        api.patch(f"{own}/", {"email": "taken@example.com"}),
        api.delete(f"{own}/tokens/{other.pk}/"),
    )
    for answer in answers:
        assert "holds more than this token" in problem_of(answer, 403)["detail"]
    admin.refresh_from_db()
    assert admin.email == "" and ApiToken.objects.get(pk=other.pk).revoked_at is None
    assert Api(admin).patch(f"{own}/", {"email": "own@example.com"}).status_code == 200


def test_an_expiring_token_makes_none_that_outlives_it(admin: User) -> None:
    robot, _ = people.create(admin, "robot", roles=["Viewer"], service=True)
    api = Api(admin)
    end = timezone.now() + timedelta(days=2)
    ApiToken.objects.filter(user=admin).update(expires_at=end)
    for given in ({}, {"days": 30}):
        made = api.post(f"/users/{robot.pk}/tokens/", {"name": "ci", **given})
        assert ApiToken.objects.get(pk=made.json()["id"]).expires_at == end
    sooner = api.post(f"/users/{robot.pk}/tokens/", {"name": "ci", "days": 1})
    ends = ApiToken.objects.get(pk=sooner.json()["id"]).expires_at
    assert ends is not None and ends < end
