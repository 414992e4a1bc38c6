"""``/api/v1/suppression-rules/``: who may what, bad bodies, preview, end and release (ingest-and-api.md 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Alert, SuppressionRule
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source
from tests.test_suppression_ingest import item, make_rule, send

pytestmark = pytest.mark.django_db
BASE = "/suppression-rules/"


def new(**fields: Any) -> dict[str, Any]:
    """A body that makes a rule for alerts of no team."""
    until = (timezone.now() + timedelta(hours=3)).isoformat()
    return {"name": "Patch", "reason": "Patching", "expires_at": until,
            "conditions": {"host": ["SRV-01"], "severity": "high"}, **fields}  # fmt: skip


def test_who_may_what(analyst: User, viewer: User, nobody: User, stranger: User, admin: User, blue: Team) -> None:
    rule = make_rule(team=blue, all_teams=False)
    one = f"{BASE}{rule.pk}/"
    assert Api(viewer).get(one).json()["name"] == "Patch night"
    for api in (Api(viewer), Api(analyst, scopes=("view_cases",))):
        problem_of(api.post(BASE, new()), 403)
        problem_of(api.patch(one, {"name": "x"}), 403)
        problem_of(api.post(f"{one}end/", {}), 403)
        problem_of(api.post(f"{BASE}preview/", {"conditions": {"host": ["x"]}}), 403)
    for method, path in (("get", one), ("post", f"{one}end/"), ("post", f"{one}release/")):
        problem_of(getattr(Api(stranger), method)(path, *([{}] if method == "post" else [])), 404)
    problem_of(Api(stranger).patch(one, {"name": "x"}), 404)
    assert Api(stranger).get(BASE).json()["results"] == []
    problem_of(Api(nobody).get(BASE), 403)
    problem_of(Api(None).get(BASE), 401)
    problem_of(Api(analyst).post(BASE, new(all_teams=True)), 403)
    problem_of(Api(analyst).post(BASE, new(team="Red")), 403)
    assert Api(admin).post(BASE, new(all_teams=True)).status_code == 201
    rule.refresh_from_db()
    assert (rule.version, rule.ended_at) == (1, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conditions": {}}, "conditions"),
        ({"conditions": {"severity": "critical"}}, "conditions"),
        ({"conditions": {"ip": ["0.0.0.0/0"]}}, "ip"),
        ({"conditions": {"colour": ["x"]}}, "conditions"),
        ({"conditions": {"host": "x"}}, "conditions"),
        ({"conditions": {"host": ["x\u0000*"]}}, None),
        ({"conditions": None}, "conditions"),
        ({"reason": ""}, "reason"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"team": "No such"}, "team"),
        ({"held": 3}, "held"),
        ({"enabled": "yes"}, "enabled"),
    ],
)
def test_bad_bodies_are_refused_beside_the_field(admin: User, change: dict[str, Any], field: str | None) -> None:
    problem = problem_of(Api(admin).post(BASE, new(**change)), 400)
    if field:
        assert field in str(problem["errors"])
    assert not SuppressionRule.objects.exists()


def test_make_change_end_and_delete_one(analyst: User) -> None:
    api = Api(analyst)
    made = api.post(BASE, new())
    rule = made.json()
    assert made.status_code == 201 and rule["in_force"] and rule["trouble"] == "" and rule["created_by"] == "mara"
    assert rule["conditions"] == {"host": ["SRV-01"], "severity": "high"}
    one = f"{BASE}{rule['id']}/"
    problem_of(api.delete(one), 409)
    changed = api.patch(one, {"conditions": {"title": ["service"]}}, headers={"If-Match": made["ETag"]})
    assert changed.json()["version"] == 2
    problem_of(api.patch(one, {"name": "x"}, headers={"If-Match": made["ETag"]}), 412)
    source = make_source()
    held = send(source, item())[0]
    assert Alert.objects.get(pk=held.id or 0).suppression_id == rule["id"]
    assert api.get(f"/alerts/{held.id}/").json()["suppression"] == rule["id"]
    assert [row["id"] for row in api.get("/alerts/?suppressed=yes").json()["results"]] == [held.id]
    assert api.get("/alerts/?status=open").json()["results"] == []
    assert [row["id"] for row in api.get("/alerts/").json()["results"]] == [held.id]
    problem_of(api.post(f"{one}release/", {}), 409)
    ended = api.post(f"{one}end/", {}).json()
    assert ended["ended_by"] == "Mara Lindqvist" and not ended["in_force"] and ended["held"] == 1
    assert api.post(f"{one}end/", {}).json()["version"] == ended["version"]
    problem_of(api.patch(one, {"name": "x"}), 409)
    problem_of(api.delete(one), 409)
    assert api.post(f"{one}release/", {}).json()["releasing"]
    assert [row["id"] for row in api.get(f"{BASE}?state=over").json()["results"]] == [rule["id"]]
    Alert.objects.update(suppression=None)
    assert api.delete(one).status_code == 204
    problem_of(api.get(one), 404)


def test_preview(analyst: User, blue: Team, red: Team) -> None:
    mine = make_alert(source=make_source(team=blue), hostname="SRV-01", severity=4)
    make_alert(source=make_source(team=red), hostname="SRV-01")
    asked = {"conditions": {"host": ["srv-*"]}, "team": "Blue"}
    found = Api(analyst).post(f"{BASE}preview/", asked).json()
    assert found == {
        "days": 7, "percent": 100, "read": 1, "held": 1, "severe": 1, "malicious": 0, "complete": True, "cursor": None,
        "examples": [{"number": mine.number, "title": mine.title, "severity": "critical",
                      "received_at": found["examples"][0]["received_at"]}],
    }  # fmt: skip
    assert Api(analyst).post(f"{BASE}preview/", {**asked, "team": "Red"}).json()["read"] == 0
    refused: list[dict[str, Any]] = [
        {"conditions": {}},
        {**asked, "days": 8},
        {**asked, "cursor": "x"},
        {},
        {**asked, "cursor": "٣.1.1.1.1.1.1"},
    ]
    for bad in refused:
        problem_of(Api(analyst).post(f"{BASE}preview/", bad), 400)
