"""``/api/v1/sources/{slug}/pull/``: how a source is read from its product (connectors.md 4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from cases.models import AlertPull, AlertSource
from soar.accounts.models import AuditEntry, User
from soar.connectors import actions
from soar.models import QueuedTask
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(db: None) -> AlertSource:
    for name in ("V1", "V2"):
        actions.create_account(None, "visionone", name, {"url": f"https://{name}.example"}, {"token": "t" * 20})
    return make_source("Vision One", kind="visionone")


def path(source: AlertSource, rest: str = "") -> str:
    return f"/sources/{source.slug}/pull/{rest}"


def test_set_read_change_and_remove(admin: User, source: AlertSource) -> None:
    api = Api(admin)
    problem_of(api.get(path(source)), 404)
    made = api.call("PUT", path(source), {"connector": "v1", "every_seconds": 120, "look_back_hours": 48})
    assert made.status_code == 200
    body = made.json()
    wanted = {"connector": "V1", "enabled": True, "every_seconds": 120, "look_back_hours": 48, "read_until": None}
    assert body.items() >= wanted.items()
    AlertPull.objects.update(read_until=timezone.now(), last_error="It was away.", failures=3)
    assert api.call("PUT", path(source), {"connector": "V1", "enabled": False}).json()["read_until"] is not None
    moved = api.call("PUT", path(source), {"connector": "V2"}).json()
    assert (moved["connector"], moved["read_until"], moved["failures"], moved["last_error"]) == ("V2", None, 0, "")
    assert api.get(path(source)).json() == moved
    for _ in range(2):
        assert api.delete(path(source)).status_code == 204
    problem_of(api.get(path(source)), 404)
    verbs = list(AuditEntry.objects.filter(verb__startswith="source.pull").values_list("verb", flat=True))
    assert sorted(verbs) == ["source.pull_removed", *["source.pull_set"] * 3]


def test_read_now(admin: User, source: AlertSource) -> None:
    api = Api(admin)
    problem_of(api.post(path(source, "now/"), {}), 400)
    api.call("PUT", path(source), {"connector": "V1"})
    assert api.post(path(source, "now/"), {}).status_code == 202
    assert QueuedTask.objects.filter(task="cases.tasks.pull").count() == 1
    problem_of(api.post(path(source, "now/"), {"hurry": True}), 400)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "connector"),
        ({"connector": "nobody"}, "account"),
        ({"connector": "V1", "every_seconds": 9}, "every_seconds"),
        ({"connector": "V1", "every_seconds": "60"}, "every_seconds"),
        ({"connector": "V1", "every_seconds": 10**30}, "every_seconds"),
        ({"connector": "V1", "look_back_hours": -1}, "look_back_hours"),
        ({"connector": "V1", "enabled": "yes"}, "enabled"),
        ({"connector": "V1", "since": "now"}, "since"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    admin: User, source: AlertSource, body: dict[str, Any], field: str
) -> None:
    answer = Api(admin).call("PUT", path(source), body)
    problem_of(answer, 400)
    assert wrong_fields(answer) == {"connector" if field == "account" else field}
    assert not AlertPull.objects.exists()


def test_a_kind_that_is_only_sent_is_not_read(admin: User) -> None:
    problem_of(Api(admin).call("PUT", path(make_source("Sent")), {"connector": "V1"}), 400)


def test_only_for_those_who_manage_sources(admin: User, analyst: User, source: AlertSource) -> None:
    for api in (Api(analyst), Api(admin, scopes=("view_cases",))):
        problem_of(api.get(path(source)), 403)
        problem_of(api.call("PUT", path(source), {"connector": "V1"}), 403)
        problem_of(api.delete(path(source)), 403)
        problem_of(api.post(path(source, "now/"), {}), 403)
    problem_of(Api(None).get(path(source)), 401)
    problem_of(Api(admin).get("/sources/nowhere/pull/"), 404)
    assert not AlertPull.objects.exists()
