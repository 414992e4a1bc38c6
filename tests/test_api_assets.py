"""``/api/v1/assets/``: list, create, read, change, remove, import."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.actions import assets
from cases.actors import Actor
from cases.choices import Criticality
from cases.models import AlertAsset, Asset
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_asset, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(analyst: User) -> Api:
    return Api(analyst)


def body(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content[:500]
    return json.loads(answer.content) if answer.content else None


def test_create_and_read(api: Api) -> None:
    given = {"name": "FIN-1", "type": "Laptop", "system": "Windows 11", "addresses": ["10.0.0.1"],
             "groups": ["Finance"], "criticality": "high", "tags": ["vip"]}  # fmt: skip
    answer = api.post("/assets/", given)
    made = body(answer, 201)
    assert answer["Location"] == f"/api/v1/assets/{made['id']}/"
    assert made["url"].endswith(f"/assets/{made['id']}/")
    assert {name: made[name] for name in given} == {**given, "type": "laptop"}
    assert (made["listed"], made["version"]) == (True, 1)
    again = api.get(f"/assets/{made['id']}/")
    assert body(again) == {**made, "sightings": {"alerts": [], "incidents": []}}
    assert api.get(f"/assets/{made['id']}/", headers={"If-None-Match": again["ETag"]}).status_code == 304


def test_repeating_a_call_with_its_key_makes_one(api: Api) -> None:
    for _ in range(2):
        body(api.post("/assets/", {"name": "once"}, headers={"Idempotency-Key": "k1"}), 201)
    assert problem_of(api.post("/assets/", {"name": "ONCE"}), 400)["errors"][0]["field"] == "name"
    assert Asset.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a", "criticality": 3}, "criticality"),
        ({"name": "a", "criticality": "huge"}, "criticality"),
        ({"name": "a", "addresses": "10.0.0.1"}, "addresses"),
        ({"name": "a", "addresses": ["x"]}, "addresses"),
        ({"name": "a", "groups": ["a,b"]}, "groups"),
        ({"name": "a", "listed": False}, "listed"),
        ({"name": "8.8.8.8"}, "name"),
    ],
)
def test_create_refused(api: Api, given: dict[str, Any], field: str) -> None:
    problem = problem_of(api.post("/assets/", given), 400)
    assert problem["errors"][0]["field"].startswith(field)
    assert not Asset.objects.exists()


def test_change_under_a_condition(api: Api, analyst: User) -> None:
    one = make_asset("ws-1")
    tag = api.get(f"/assets/{one.pk}/")["ETag"]
    changed = body(api.patch(f"/assets/{one.pk}/", {"tags": ["a"], "criticality": "low"}, headers={"If-Match": tag}))
    assert (changed["tags"], changed["criticality"], changed["version"]) == (["a"], "low", 2)
    problem_of(api.patch(f"/assets/{one.pk}/", {"tags": ["b"]}, headers={"If-Match": tag}), 412)
    problem_of(api.patch(f"/assets/{one.pk}/", {"name": "other"}), 400)
    problem_of(api.patch(f"/assets/{one.pk}/", {"tags": ["ok"], "addresses": ["bad"]}), 400)
    assert Asset.objects.get().tags == ["a"]


def test_who_may(viewer: User, analyst: User, admin: User) -> None:
    one = make_asset("ws-1")
    for api in (Api(viewer), Api(analyst, scopes=("view_cases",))):
        problem_of(api.post("/assets/", {"name": "x"}), 403)
        problem_of(api.patch(f"/assets/{one.pk}/", {"tags": ["x"]}), 403)
    problem_of(Api(analyst).delete(f"/assets/{one.pk}/"), 403)
    problem_of(Api(analyst).post("/assets/import/", {"csv": "name\nx\n"}), 403)
    problem_of(Api(None).get("/assets/"), 401)
    problem_of(Api(admin).delete(f"/assets/{one.pk}/", headers={"If-Match": '"9"'}), 412)
    assert Api(admin).delete(f"/assets/{one.pk}/").status_code == 204
    problem_of(Api(admin).get(f"/assets/{one.pk}/"), 404)


def test_what_is_hidden_is_not_there(red: Team, blue: Team, analyst: User, stranger: User) -> None:
    hidden, shared = make_asset("red-1", listed=False), make_asset("both-1")
    for asset in (hidden, shared):
        AlertAsset.objects.create(alert=make_alert(source=make_source(team=red)), asset=asset)
    problem_of(Api(analyst).get(f"/assets/{hidden.pk}/"), 404)
    problem_of(Api(analyst).patch(f"/assets/{hidden.pk}/", {"tags": ["x"]}), 404)
    assert [row["name"] for row in body(Api(analyst).get("/assets/"))["results"]] == ["both-1"]
    assert body(Api(analyst).get(f"/assets/{shared.pk}/"))["sightings"]["alerts"] == []
    assert len(body(Api(stranger).get(f"/assets/{shared.pk}/"))["sightings"]["alerts"]) == 1


def test_list(api: Api) -> None:
    for n, level in enumerate((Criticality.LOW, Criticality.CRITICAL, Criticality.UNKNOWN)):
        make_asset(f"ws-{n}", criticality=level, addresses=[f"10.0.{n}.1"], groups=["G"] if n else [])
    pages: list[str] = []
    address: str | None = "/assets/?ordering=name&page_size=2"
    while address:
        page = body(api.get(address.replace("http://testserver/api/v1", "")))
        pages += [row["name"] for row in page["results"]]
        address = page["next"]
    assert pages == ["ws-0", "ws-1", "ws-2"]
    for query, found in (
        ({"ordering": "-criticality"}, ["ws-1", "ws-0", "ws-2"]),
        ({"group": "g", "ordering": "id"}, ["ws-1", "ws-2"]),
        ({"address": "10.0.1.0/24"}, ["ws-1"]),
        ({"criticality": "low,critical", "ordering": "id"}, ["ws-0", "ws-1"]),
        ({"q": "ws-2"}, ["ws-2"]),
    ):
        assert [row["name"] for row in body(api.get("/assets/", **query))["results"]] == found
    for wrong in (
        {"criticality": "huge"},
        {"ordering": "system"},
        {"colour": "red"},
        {"cursor": "x"},
        {"address": "x"},
    ):
        problem_of(api.get("/assets/", **wrong), 400)


def test_import(admin: User) -> None:
    api = Api(admin)
    make_asset("ws-1", system="Windows 10")
    text = "\ufeffname;os\nws-1;Windows 11\nws-2;Linux\n"
    dry = body(api.post("/assets/import/", {"csv": text, "dry_run": True}))
    assert (dry["created"], dry["changed"], dry["problems"]) == (1, 1, [])
    assert dry["changes"] == [{"name": "ws-1", "changes": {"system": ["Windows 10", "Windows 11"]}}]
    assert Asset.objects.count() == 1
    done = body(api.post("/assets/import/", {"csv": text}))
    assert (done["created"], done["changed"], done["dry_run"]) == (1, 1, False)
    assert Asset.objects.get(key="ws-1").system == "Windows 11"


def test_import_of_wrong_lines(admin: User) -> None:
    api = Api(admin)
    text = "name,ip\nok,10.0.0.1\nws-1,10.0.0.999\n=x,\n"
    dry = body(api.post("/assets/import/", {"csv": text, "dry_run": True}))
    assert [(one["line"], one["column"]) for one in dry["problems"]] == [(3, "addresses"), (4, "name")]
    problem = problem_of(api.post("/assets/import/", {"csv": text}), 400)
    assert problem["detail"].startswith("Line 3:")
    assert len(problem["problems"]) == 2
    problem_of(api.post("/assets/import/", {"csv": ""}), 400)
    problem_of(api.post("/assets/import/", {"csv": "owner\nme\n", "dry_run": True}), 400)
    problem_of(api.post("/assets/import/", {"csv": 7}), 400)
    assert not Asset.objects.exists()


def test_an_alert_tells_what_is_known_of_its_assets(api: Api, analyst: User) -> None:
    asset = {"name": "FIN-1", "type": "", "system": "Windows 11", "addresses": []}
    process = {"type": "process", "name": "fin-1", "command_line": "x"}
    alert = make_alert(hostname="FIN-1", entities=[asset, process])
    one = make_asset("fin-1", groups=["Finance"], tags=["vip"], criticality=Criticality.HIGH)
    AlertAsset.objects.create(alert=alert, asset=one)
    known = {"id": one.pk, "criticality": "high", "groups": ["Finance"], "tags": ["vip"]}
    assert body(api.get(f"/alerts/{alert.pk}/"))["assets"] == [{**asset, **known}, process]
    rows = body(api.get("/alerts/", expand="assets"))["results"]
    assert rows[0]["assets"] == [{**asset, **known}, process]
    by_hand = body(api.post("/alerts/", {"title": "Seen", "hostname": "fin-1"}), 201)
    assert by_hand["assets"][0]["criticality"] == "high"
    assets.update(Actor.of(analyst), one.pk, changes={"criticality": "low"})
    assert body(api.get(f"/alerts/{alert.pk}/"))["assets"][0]["criticality"] == "low"
