"""A parameter or a key that stands twice: whoever reads the first value would be told otherwise than who reads the last
one (ASVS 15.3.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cases.api.known import SEVERAL
from cases.api.reference import document
from soar.accounts.models import User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db
SAID = "Stands more than once; it takes one value."


def parameters() -> Iterator[tuple[str, str, str, bool]]:
    """Method, path, name of each query parameter of each call, and whether it may stand more than once."""
    for path, methods in document()["paths"].items():
        filled = re.sub(r"{[^}]*}", "1", path.removeprefix("/api/v1"))
        for method, call in methods.items():
            for one in call.get("parameters", ()) if isinstance(call, dict) else ():
                if one.get("in") == "query":
                    yield method, filled, one["name"].replace("cf.*", "cf.cost"), SEVERAL in one


def test_no_parameter_stands_twice_where_one_value_is_meant(admin: User, settings: Any) -> None:
    settings.TOKEN_RATE = 100_000  # it asks some hundred times, as fast as it can
    api, asked = Api(admin), list(parameters())
    assert len(asked) > 100 and {several for *_call, several in asked} == {True, False}
    for method, path, name, several in asked:
        query = f"{path}?{name}=1&{name}=2"
        answer: Any = getattr(api, method)(query)
        if answer.status_code == 400 and not several:
            errors = {error["field"]: error["message"] for error in problem_of(answer, 400)["errors"]}
            assert errors[name] == SAID, query
        else:
            assert several, (query, answer.status_code)
            assert SAID not in answer.content.decode(), query


@pytest.mark.parametrize("path", ["/api/v1/alerts/", "/api/v1/incidents/", "/api/v1/assets/", "/api/v1/stats/"])
def test_the_schema_says_what_each_filter_takes(path: str) -> None:
    named = document()["paths"][path]["get"]["parameters"]
    assert not [one["name"] for one in named if not one.get("description") and "enum" not in one["schema"]]


def test_of_a_filter_that_may_all_values_count(analyst: User) -> None:
    numbers = [make_alert(f"A{level}", severity=level).number for level in (1, 2, 3)]
    rows = Api(analyst).get("/alerts/?severity=low&severity=high&fields=number&fields=id").json()["results"]
    assert [one["number"] for one in rows] == [numbers[2], numbers[0]]
    assert set(rows[0]) == {"number", "id"}


def test_two_queries_are_refused_and_not_one_of_them_dropped(analyst: User) -> None:
    make_alert("Beacon")
    assert wrong_fields(Api(analyst).get("/alerts/?q=Beacon&q=other")) == {"q"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"owner": "mara", "owner": "priya"}',
        b'{"owner": "mara", "\\u006fwner": "priya"}',
        b'{"owner": "mara", "x": [{"a": 1, "a": 1}]}',
    ],
)
def test_a_key_that_stands_twice_is_refused(analyst: User, body: bytes) -> None:
    alert = make_alert()
    problem = problem_of(Api(analyst).post(f"/alerts/{alert.pk}/assign/", body), 400)
    assert "stands twice in one object" in problem["detail"]
    alert.refresh_from_db()
    assert alert.owner is None


def test_what_is_asked_by_the_address_is_not_taken_from_the_body(analyst: User) -> None:
    """Nor the other way round: a form, a query and a cookie of one name are three things."""
    alert, incident, api = make_alert(), make_incident(), Api(analyst)
    assert wrong_fields(api.post(f"/alerts/{alert.pk}/assign/?owner=mara", {"owner": None})) == {"owner"}
    answer = api.post(f"/incidents/{incident.pk}/comment/", {"text": "One", "incident": incident.pk + 1})
    assert answer.status_code == 400 or answer.json()["id"] == incident.pk
