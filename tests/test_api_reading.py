"""What every list takes: sparse fields, cursors, nothing that is not known (ingest-and-api.md 14, rulings 25)."""

from __future__ import annotations

import pytest

from soar.accounts.models import User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def test_unknown_parameters_are_refused_everywhere(analyst: User) -> None:
    alert, incident, api = make_alert(), make_incident(), Api(analyst)
    for path in ("/alerts/", f"/alerts/{alert.pk}/", f"/incidents/{incident.pk}/", "/me/", "/stats/", "/views/"):
        assert wrong_fields(api.get(path, statsu="new")) == {"statsu"}
        assert wrong_fields(api.get(path, format="xml")) == {"format"}
    assert wrong_fields(api.post(f"/alerts/{alert.pk}/claim/?force=1")) == {"force"}
    assert wrong_fields(api.delete("/tokens/1/?all=1")) == {"all"}
    alert.refresh_from_db()
    assert alert.owner is None


def test_only_the_fields_that_were_asked_for(analyst: User) -> None:
    alert, api = make_alert(observables=(("ip", "203.0.113.7"),)), Api(analyst)
    body = api.get("/alerts/", fields="number,title").json()
    assert body["results"] == [{"number": alert.number, "title": alert.title}] and body["next"] is None
    assert set(api.get(f"/alerts/{alert.pk}/", fields="id").json()) == {"id"}
    row = api.get("/alerts/", fields="id,observables").json()["results"][0]
    assert [one["value"] for one in row["observables"]] == ["203.0.113.7"]
    assert set(api.get("/me/", fields="username").json()) == {"username"}
    assert set(api.get("/incidents/suggestions/", fields="key").json()) == {"next", "previous", "results"}


@pytest.mark.parametrize("path", ["/alerts/", "/incidents/", "/me/", "/stats/", "/blocklist/", "/runs/"])
def test_a_field_that_there_is_not_is_refused_also_in_an_empty_list(analyst: User, path: str) -> None:
    assert wrong_fields(Api(analyst).get(path, fields="id,colour")) == {"fields"}


def test_the_next_page_keeps_the_fields(analyst: User) -> None:
    for number in range(3):
        make_alert(f"A{number}")
    api = Api(analyst)
    first = api.get("/alerts/", fields="title", page_size=2).json()
    second = api.get(first["next"]).json()
    assert second["results"] == [{"title": "A0"}] and second["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page_size": "201"}, "page_size"),
        ({"page_size": "0"}, "page_size"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"ordering": "title"}, "ordering"),
        ({"updated_since": "lately"}, "filter"),
        ({"expand": "raw"}, "expand"),
    ],
)
def test_what_cannot_be_is_400(analyst: User, query: dict[str, str], field: str) -> None:
    assert wrong_fields(Api(analyst).get("/alerts/", **query)) == {field}


def test_every_answer_tells_the_rate(analyst: User) -> None:
    api = Api(analyst)
    for answer in (api.get("/me/"), api.get("/alerts/999999/"), api.post("/alerts/", {}), api.call("PUT", "/alerts/")):
        assert int(answer["RateLimit-Limit"]) > 0
        assert int(answer["RateLimit-Remaining"]) >= 0 and answer["RateLimit-Reset"].isdecimal()


def test_errors_of_the_frame_are_problems_too(analyst: User) -> None:
    api = Api(analyst)
    problem_of(api.get("/nothing/"), 404)
    problem_of(api.get("/api/nothing"), 404)
    problem_of(api.call("PUT", "/alerts/", {}), 405)
    problem_of(api.get("/alerts/", headers={"Accept": "text/csv"}), 406)
    problem_of(api.client.post("/api/v1/alerts/", "a=b", content_type="text/plain", headers=api.headers), 415)
    problem_of(api.post("/alerts/", b'"' + b"x" * (10 * 1024 * 1024) + b'"'), 413)
