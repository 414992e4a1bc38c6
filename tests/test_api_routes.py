"""``/api/v1/connector-routes/``: which connector a response goes to (connectors.md 2)."""

from __future__ import annotations

from typing import Any

import pytest

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions
from soar.connectors.models import ConnectorAccount, Route
from tests.api import Api, problem_of, wrong_fields

pytestmark = pytest.mark.django_db
PATH = "/connector-routes/"


def responder_account(name: str = "V1") -> ConnectorAccount:
    return actions.create_account(None, "visionone", name, {"url": f"https://{name}.example"}, {"token": "t" * 20})


def test_add_read_bring_forward_and_remove(admin: User) -> None:
    responder_account()
    api = Api(admin)
    first = api.post(PATH, {"connector": "v1", "capability": "isolate_endpoint", "asset_group": "Servers"})
    assert first.status_code == 201
    assert first.json() == {
        "id": first.json()["id"], "number": 1, "connector": "V1", "connector_id": ConnectorAccount.objects.get().pk,
        "capability": "isolate_endpoint", "asset_group": "Servers", "tag": "", "domain": "",
    }  # fmt: skip
    second = api.post(PATH, {"connector": "V1", "domain": "corp.example"}).json()
    assert second["number"] == 2
    raised = api.post(f"{PATH}{second['id']}/raise/", {})
    assert (raised.status_code, raised.json()["number"]) == (200, 1)
    assert api.post(f"{PATH}{second['id']}/raise/", {}).json()["number"] == 1
    assert [row["id"] for row in api.get(PATH).json()["results"]] == [second["id"], first.json()["id"]]
    assert api.get(first["Location"].removeprefix("/api/v1")).json()["number"] == 2
    assert api.delete(f"{PATH}{second['id']}/").status_code == 204
    problem_of(api.delete(f"{PATH}{second['id']}/"), 404)
    problem_of(api.post(f"{PATH}{second['id']}/raise/", {}), 404)
    verbs = list(AuditEntry.objects.filter(verb__startswith="route.").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["route.added", "route.added", "route.raised", "route.removed"]


def test_the_same_key_makes_one(admin: User) -> None:
    responder_account()
    api, key = Api(admin), {"Idempotency-Key": "one"}
    made = [api.post(PATH, {"connector": "V1"}, headers=key).json()["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert Route.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "connector"),
        ({"connector": 5}, "connector"),
        ({"connector": "nobody"}, "connector"),
        ({"connector": "Chat"}, "connector"),
        ({"connector": "V1", "capability": "fly"}, "capability"),
        ({"connector": "V1", "capability": "revoke_cloud_access"}, "connector"),
        ({"connector": "V1", "tag": "x" * 101}, "tag"),
        ({"connector": "V1", "order": 1}, "order"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(admin: User, body: dict[str, Any], field: str) -> None:
    responder_account()
    actions.create_account(None, "slack", "Chat", {"url": "https://hooks.slack.example/x"}, {})
    answer = Api(admin).post(PATH, body)
    problem_of(answer, 400)
    assert wrong_fields(answer) == {field}
    assert not Route.objects.exists()


def test_only_for_those_who_manage_connectors(admin: User, responder: User, viewer: User) -> None:
    responder_account()
    made = Api(admin).post(PATH, {"connector": "V1"}).json()["id"]
    for api in (Api(responder), Api(viewer), Api(admin, scopes=("view_cases",))):
        problem_of(api.get(PATH), 403)
        problem_of(api.post(PATH, {"connector": "V1"}), 403)
        problem_of(api.get(f"{PATH}{made}/"), 403)
        problem_of(api.delete(f"{PATH}{made}/"), 403)
        problem_of(api.post(f"{PATH}{made}/raise/", {}), 403)
    problem_of(Api(None).get(PATH), 401)
    problem_of(Api(admin).get(f"{PATH}nonsense/"), 404)
    assert Route.objects.count() == 1
