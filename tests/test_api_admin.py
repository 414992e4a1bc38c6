"""``/api/v1/``: people, teams, roles and tokens for those who manage them, the audit log, retention, legal holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.models import Incident, LegalHold, RetentionRule
from soar.accounts import audit
from soar.accounts.models import ApiToken, AuditEntry, Role, Team, User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident, make_user
from tests.test_retention import old_alert

pytestmark = pytest.mark.django_db


def test_they_are_for_those_who_manage_people(analyst: User, viewer: User, red: Team) -> None:
    role = Role.objects.get(group__name="Viewer")
    for api, status in ((Api(analyst), 403), (Api(None), 401)):
        for method, path in (
            ("POST", "/users/"), ("GET", f"/users/{viewer.pk}/"), ("PATCH", f"/users/{viewer.pk}/"),
            ("POST", f"/users/{viewer.pk}/deactivate/"), ("POST", f"/users/{viewer.pk}/activate/"),
            ("POST", f"/users/{viewer.pk}/password/"), ("POST", f"/users/{viewer.pk}/hand-over/"),
            ("GET", f"/users/{viewer.pk}/tokens/"), ("POST", f"/users/{viewer.pk}/tokens/"),
            ("DELETE", f"/users/{viewer.pk}/tokens/1/"), ("POST", "/teams/"), ("PATCH", f"/teams/{red.pk}/"),
            ("DELETE", f"/teams/{red.pk}/"), ("GET", f"/teams/{red.pk}/"), ("GET", "/roles/"), ("POST", "/roles/"),
            ("PATCH", f"/roles/{role.pk}/"), ("DELETE", f"/roles/{role.pk}/"), ("GET", "/audit/"),
            ("GET", "/audit/1/"), ("GET", "/retention-rules/"), ("POST", "/retention-rules/"),
            ("GET", "/retention-rules/1/"), ("DELETE", "/retention-rules/1/"), ("POST", "/retention-rules/1/preview/"),
        ):  # fmt: skip
            problem_of(api.call(method, path, {} if method in ("POST", "PATCH") else None), status)
    assert Team.objects.filter(pk=red.pk).exists()


def test_what_is_not_there_is_404(admin: User) -> None:
    api = Api(admin)
    for path in ("/users/999999/", "/users/x/", "/teams/999999/", "/roles/999999/", "/audit/999999999/",
                 "/retention-rules/999999/", "/incidents/999999/hold/"):  # fmt: skip
        problem_of(api.get(path), 404)
    for path in ("/users/999999/deactivate/", "/users/999999/password/", "/users/999999/hand-over/"):
        problem_of(api.post(path, {"to": "admin"} if "hand" in path else {}), 404)


def test_somebody_is_made_changed_and_deactivated(admin: User, blue: Team) -> None:
    api = Api(admin)
    made = api.post("/users/", {"username": "kei", "first_name": "Kei", "roles": ["Analyst"], "teams": ["Blue"]})
    assert made.status_code == 201
    body = made.json()
    assert (body["roles"], body["teams"], body["active"], body["service"]) == (["Analyst"], ["Blue"], True, False)
    user = User.objects.get(username="kei")
    assert user.check_password(body["password"])
    changed = api.patch(f"/users/{user.pk}/", {"email": "kei@example.com", "roles": ["Viewer"]}).json()
    assert (changed["email"], changed["roles"], changed["teams"]) == ("kei@example.com", ["Viewer"], ["Blue"])
    assert "password" not in changed
    for _ in range(2):
        assert api.post(f"/users/{user.pk}/deactivate/", {}).json()["active"] is False
    assert AuditEntry.objects.filter(verb="user.deactivated").count() == 1
    assert api.post(f"/users/{user.pk}/activate/", {}).json()["active"] is True
    assert user.check_password(body["password"])
    new = api.post(f"/users/{user.pk}/password/", {})
    assert new.status_code == 201
    user.refresh_from_db()
    assert user.check_password(new.json()["password"])


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "username"), ({"username": "two words"}, "username"), ({"username": "x", "email": "no"}, "email"),
     ({"username": "x", "roles": ["King"]}, "roles"), ({"username": "x", "roles": "Admin"}, "roles"),
     ({"username": "x", "is_superuser": True}, "is_superuser"), ({"username": 7}, "username"),
     ({"username": "x", "service": True, "roles": ["Admin"]}, "roles")],
)  # fmt: skip
def test_somebody_who_cannot_be_is_refused(admin: User, body: dict[str, Any], field: str) -> None:
    assert field in wrong_fields(Api(admin).post("/users/", body))


def test_a_token_with_scopes_raises_nobody(admin: User, viewer: User) -> None:
    api = Api(admin, scopes=("manage_people", "view_cases"))
    problem_of(api.patch(f"/users/{viewer.pk}/", {"roles": ["Admin"]}), 403)
    problem_of(api.patch(f"/users/{viewer.pk}/", {"roles": ["Responder"]}), 403)
    problem_of(api.post("/roles/", {"name": "More", "permissions": ["respond"]}), 403)
    problem_of(api.post(f"/users/{make_user('second', 'Admin').pk}/password/", {}), 403)


def test_the_last_admin_stays(admin: User) -> None:
    api = Api(admin)
    problem_of(api.post(f"/users/{admin.pk}/deactivate/", {}), 409)
    assert problem_of(api.patch(f"/users/{admin.pk}/", {"roles": []}), 409)["code"] == "last_admin"


def test_a_program_gets_tokens(admin: User, analyst: User) -> None:
    api = Api(admin)
    robot = api.post("/users/", {"username": "ci", "service": True, "roles": ["Viewer"]}).json()
    assert robot["password"] == "" and robot["service"] is True
    made = api.post(f"/users/{robot['id']}/tokens/", {"name": "nightly", "scopes": ["view_cases"], "days": 30})
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert api.get("/me/", headers=bearer).json()["username"] == "ci"
    listed = api.get(f"/users/{robot['id']}/tokens/").json()["results"]
    assert [row["name"] for row in listed] == ["nightly"] and "token" not in listed[0]
    problem_of(api.post(f"/users/{analyst.pk}/tokens/", {"name": "mine"}), 409)
    problem_of(api.delete(f"/users/{analyst.pk}/tokens/{made.json()['id']}/"), 404)
    assert api.delete(f"/users/{robot['id']}/tokens/{made.json()['id']}/").status_code == 204
    problem_of(api.get("/me/", headers=bearer), 401)
    problem_of(api.post("/users/", {"username": "x"}, {"Idempotency-Key": "k"}), 400)
    assert ApiToken.objects.exclude(revoked_at=None).count() == 1


def test_what_somebody_owns_is_told_and_handed_over(admin: User, analyst: User, responder: User) -> None:
    make_alert(owner=analyst)
    api = Api(admin)
    owns = api.get(f"/users/{analyst.pk}/").json()["owns"]
    assert owns == [{"name": "alerts", "count": 1, "more": False, "movable": True}]
    assert api.post(f"/users/{analyst.pk}/hand-over/", {"to": "priya"}).json()["given"]["alerts"] == 1
    assert wrong_fields(api.post(f"/users/{analyst.pk}/hand-over/", {"to": "nobody"})) == {"to"}


def test_teams(admin: User, analyst: User, blue: Team, red: Team) -> None:
    api = Api(admin)
    made = api.post("/teams/", {"name": "Green"})
    assert made.status_code == 201
    path = f"/teams/{made.json()['id']}/"
    assert api.patch(path, {"name": "Lime", "members": ["mara"]}).json()["members"] == ["mara"]
    problem_of(api.post("/teams/", {"name": "lime"}), 409)
    alert = make_alert(team=Team.objects.get(name="Lime"))
    assert api.get(path).json()["owns"][0]["count"] == 1
    problem_of(api.delete(path), 409)
    problem_of(api.delete(f"{path}?move_to=Nowhere"), 400)
    assert api.delete(f"{path}?move_to=Red").status_code == 204
    alert.refresh_from_db()
    assert alert.team == red


def test_roles(admin: User) -> None:
    api = Api(admin)
    assert [row["name"] for row in api.get("/roles/").json()["results"]][:2] == ["Viewer", "Analyst"]
    made = api.post("/roles/", {"name": "Exports", "permissions": ["export", "view_cases"]})
    assert made.status_code == 201
    path = f"/roles/{made.json()['id']}/"
    assert api.patch(path, {"permissions": ["export"]}).json()["permissions"] == ["export"]
    assert wrong_fields(api.patch(path, {"permissions": ["fly"]})) == {"permissions"}
    fixed = Role.objects.get(group__name="Viewer").pk
    problem_of(api.patch(f"/roles/{fixed}/", {"permissions": []}), 409)
    problem_of(api.delete(f"/roles/{fixed}/"), 409)
    assert api.delete(path).status_code == 204
    problem_of(api.get(path), 404)


def test_the_audit_log_has_the_filters_of_the_page(admin: User) -> None:
    api = Api(make_user("olga", "Auditor"))
    audit.record(admin, "playbook.published", "Contain theft", version=3)
    rows = api.get("/audit/", verb="playbook", who="admin").json()["results"]
    assert [(row["verb"], row["object"], row["data"]) for row in rows] == [
        ("playbook.published", "Contain theft", {"version": 3})
    ]
    assert api.get(f"/audit/{rows[0]['id']}/").json() == rows[0]
    assert wrong_fields(api.get("/audit/", since="soon")) == {"since"}
    assert wrong_fields(api.get("/audit/", colour="red")) == {"colour"}
    first = api.get("/audit/", ordering="id", page_size="1").json()
    assert first["next"] and api.get(first["next"]).json()["results"][0]["id"] > first["results"][0]["id"]
    problem_of(api.post("/audit/", {}), 405)


def test_rules_of_retention(admin: User) -> None:
    api = Api(admin)
    old_alert()
    made = api.post("/retention-rules/", {"what": "alerts", "days": 30, "severities": ["medium"]})
    assert made.status_code == 201 and made.json()["enabled"] is False
    path = f"/retention-rules/{made.json()['id']}/"
    assert api.post(f"{path}preview/", {}).json() == {"count": 1, "more": False, "held": 0}
    seen = made["ETag"]
    assert api.get(path)["ETag"] == seen
    assert api.patch(path, {"days": 999, "enabled": True}, {"If-Match": seen}).json()["enabled"] is True
    problem_of(api.patch(path, {"days": 1}, {"If-Match": seen}), 412)
    problem_of(api.delete(path, {"If-Match": seen}), 412)
    assert api.post(f"{path}preview/", {}).json()["count"] == 0
    assert wrong_fields(api.post("/retention-rules/", {"what": "audit", "days": 3})) == {"days"}
    assert [row["days"] for row in api.get("/retention-rules/").json()["results"]] == [999]
    assert api.delete(path).status_code == 204
    assert not RetentionRule.objects.exists()


def test_legal_holds(admin: User, analyst: User, stranger: User, blue: Team) -> None:
    incident = make_incident("Case", team=blue)
    path = f"/incidents/{incident.number}/hold/"
    problem_of(Api(stranger).get(path), 404)
    problem_of(Api(stranger).post(path, {"reason": "x"}), 404)
    problem_of(Api(analyst).post(path, {"reason": "x"}), 403)
    api = Api(admin)
    assert wrong_fields(api.post(path, {})) == {"reason"}
    made = api.post(path, {"reason": "Court order"})
    assert made.status_code == 201 and made.json()["lifted_at"] is None
    problem_of(api.post(path, {"reason": "twice"}), 409)
    assert Api(analyst).get(path).json()["results"][0]["reason"] == "Court order"
    assert api.post(f"{path}lift/", {"reason": "Over"}).json()["lift_reason"] == "Over"
    problem_of(api.post(f"{path}lift/", {"reason": "Over"}), 409)
    assert LegalHold.objects.count() == 1 and Incident.objects.count() == 1


def test_answers_are_as_the_schema_says(admin: User, analyst: User, blue: Team) -> None:
    from jsonschema import Draft202012Validator

    api = Api(admin)
    schema = json.loads(api.get("/api/schema/").content)
    incident = make_incident("Case")
    api.post(f"/incidents/{incident.pk}/hold/", {"reason": "Court order"})
    rule = api.post("/retention-rules/", {"what": "alerts", "days": 30}).json()["id"]
    make_alert(owner=analyst, team=blue)
    role = Role.objects.get(group__name="Viewer").pk
    entry = AuditEntry.objects.latest("pk").pk
    for template, path in {
        "/api/v1/users/{id}/": f"/users/{analyst.pk}/",
        "/api/v1/users/{id}/tokens/": f"/users/{admin.pk}/tokens/",
        "/api/v1/teams/{id}/": f"/teams/{blue.pk}/",
        "/api/v1/roles/": "/roles/",
        "/api/v1/roles/{id}/": f"/roles/{role}/",
        "/api/v1/audit/": "/audit/",
        "/api/v1/audit/{id}/": f"/audit/{entry}/",
        "/api/v1/retention-rules/": "/retention-rules/",
        "/api/v1/retention-rules/{id}/": f"/retention-rules/{rule}/",
        "/api/v1/incidents/{id}/hold/": f"/incidents/{incident.pk}/hold/",
    }.items():
        shape = schema["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = api.get(path)
        assert answer.status_code == 200, path
        validator = Draft202012Validator({**shape, "components": schema["components"]})
        errors = [f"{path}: {error.json_path} {error.message[:200]}" for error in validator.iter_errors(answer.json())]
        assert not errors, errors
