"""Custom fields of incidents in the API and in filters: ``cf.key=value`` (casework.md 6)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actions import custom_fields
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_incident

pytestmark = pytest.mark.django_db


def make_field(name: str, kind: str = "text", **more: Any) -> None:
    custom_fields.create(Actor.system(), fields={"name": name, "kind": kind, **more})


@pytest.fixture
def cases(analyst: User) -> None:
    make_field("Region", "choice", choices=["EMEA", "APAC"])
    make_field("Units", "multi_choice", choices=["Retail", "Lab"])
    make_field("Loss", "number")
    make_field("Paid", "boolean")
    make_field("Began", "datetime")
    make_field("Note")
    make_field("Contains")  # the name of a look-up of Django: a key all the same
    one = {"region": "EMEA", "units": ["Retail", "Lab"], "loss": 100, "paid": True, "began": "2026-03-12T17:00:00Z"}
    make_incident("One", custom_fields={**one, "note": "Call of Mr. O'Neil 100%"})
    two = {"region": "APAC", "units": ["Lab"], "loss": 9.5, "paid": False, "began": "2026-04-01T08:00:00+02:00"}
    make_incident("Two", custom_fields={**two, "contains": "x"})
    make_incident("Three")


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"cf.region": "EMEA"}, {"One"}),
        ({"cf.region": "EMEA,APAC"}, {"One", "Two"}),
        ({"cf.region": "none"}, {"Three"}),
        ({"cf.region": "any"}, {"One", "Two"}),
        ({"cf.region": "emea"}, set()),
        ({"cf.units": "Lab"}, {"One", "Two"}),
        ({"cf.units": "Retail"}, {"One"}),
        ({"cf.loss": "100"}, {"One"}),
        ({"cf.loss": "9.5"}, {"Two"}),
        ({"cf.loss": ">=10"}, {"One"}),
        ({"cf.loss": "<10"}, {"Two"}),
        ({"cf.paid": "yes"}, {"One"}),
        ({"cf.paid": "false"}, {"Two"}),
        ({"cf.began": "2026-03-12T17:00:00Z"}, {"One"}),
        ({"cf.began": ">=2026-03-20"}, {"Two"}),
        ({"cf.began": "<2026-03-20"}, {"One"}),
        ({"cf.note": "Call*"}, {"One"}),
        ({"cf.note": "*o'neil*"}, {"One"}),
        ({"cf.note": "*100%*"}, {"One"}),
        ({"cf.note": "*%zzz*"}, set()),
        ({"cf.note": "<5"}, set()),
        ({"cf.contains": "x"}, {"Two"}),
        ({"cf.contains": ">5"}, set()),
        ({"cf.region": "EMEA", "cf.loss": "<50"}, set()),
    ],
)  # fmt: skip
def test_filters_of_the_api(cases: None, analyst: User, query: dict[str, str], titles: set[str]) -> None:
    answer = Api(analyst).get("/incidents/", **query)
    assert answer.status_code == 200, answer.content
    assert {row["title"] for row in answer.json()["results"]} == titles


@pytest.mark.parametrize(
    "query",
    [{"cf.nothing": "x"}, {"cf.": "x"}, {"cf.*": "x"}, {"cf.Region": "x"}, {"cf.loss": ">abc"}, {"cf.a.b": "x"},
     {"cf.region'--": "x"}, {"cg.region": "x"}, {"cf.region": "\x00"}],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_refused(cases: None, analyst: User, query: dict[str, str]) -> None:
    problem_of(Api(analyst).get("/incidents/", **query), 400)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("cf.region=EMEA", {"One"}),
        ("q=cf.loss:%3E%3D10", {"One"}),
        ("q=-cf.region:EMEA", {"Two", "Three"}),
        ("q=cf.note:%22Call of Mr. O'Neil 100%25%22", {"One"}),
        ("cf.region=none", {"Three"}),
        ("cf.loss=%3E%3D10", {"One"}),
    ],
)
def test_filters_of_the_page_with_chips(cases: None, as_analyst: Client, query: str, titles: set[str]) -> None:
    text = as_analyst.get(f"/incidents/?{query}").content.decode()
    assert {name for name in ("One", "Two", "Three") if f">{name}</a>" in text} == titles
    assert 'class="chip' in text


@pytest.mark.parametrize("choice", ["none", "Any", ">= 3", "<1", "5*", "*x*", "yes", "a, b"])
def test_a_choice_is_meant_whatever_it_is_called(analyst: User, as_analyst: Client, choice: str) -> None:
    make_field("Impact", "choice", choices=[choice, "other"])
    make_field("Areas", "multi_choice", choices=[choice, "other"])
    make_incident("One", custom_fields={"impact": choice, "areas": ["other", choice]})
    make_incident("Two", custom_fields={"impact": "other", "areas": ["other"]})
    make_incident("Three")
    for key in ("cf.impact", "cf.areas"):
        found = Api(analyst).get("/incidents/", **{key: f'"{choice}"'}).json()["results"]
        assert [row["title"] for row in found] == ["One"]
        text = as_analyst.get("/incidents/", {"q": f'{key}:"{choice}"'}).content.decode()
        assert [name for name in ("One", "Two", "Three") if f">{name}</a>" in text] == ["One"]


def test_a_page_says_what_it_does_not_know(cases: None, as_analyst: Client) -> None:
    text = as_analyst.get("/incidents/?cf.nothing=%3Cscript%3E").content.decode()
    assert "There is no custom field nothing." in text and "<script>%" not in text


def test_the_api_reads_and_writes_values(cases: None, analyst: User, viewer: User) -> None:
    api, incident = Api(analyst), Incident.objects.get(title="Three")
    path = f"/incidents/{incident.pk}/"
    read = api.get(path)
    assert read.json()["custom_fields"] == {}
    changes = {"custom_fields": {"region": "APAC", "loss": 1.0}}
    written = api.patch(path, changes, {"If-Match": read["ETag"]})
    assert written.json()["custom_fields"] == {"region": "APAC", "loss": 1}
    problem_of(api.patch(path, {"custom_fields": {"region": "EMEA"}}, {"If-Match": read["ETag"]}), 412)
    kept = api.patch(path, {"custom_fields": {"loss": None}, "title": "Third"}).json()
    assert (kept["custom_fields"], kept["title"]) == ({"region": "APAC"}, "Third")
    assert api.get("/incidents/", **{"cf.region": "APAC"}).json()["results"][0]["custom_fields"] == {"region": "APAC"}
    problem_of(Api(viewer).patch(path, {"custom_fields": {"region": "EMEA"}}), 403)


@pytest.mark.parametrize(
    "values",
    [{"nothing": "x"}, {"region": "MARS"}, {"region": ["EMEA"]}, {"units": "Lab"}, {"units": [["Lab"]]}, {"loss": "7"},
     {"loss": True}, {"loss": 1e300}, {"paid": "yes"}, {"began": 5}, {"note": {"a": 1}}, {"note": 5}, {"": "x"},
     [], "x", 7],
)  # fmt: skip
def test_a_value_that_cannot_be_changes_nothing(cases: None, analyst: User, values: Any) -> None:
    incident = Incident.objects.get(title="Three")
    body = problem_of(
        Api(analyst).patch(f"/incidents/{incident.pk}/", {"title": "Changed", "custom_fields": values}), 400
    )
    assert body["errors"][0]["field"].startswith("custom_fields")
    fresh = Incident.objects.get(pk=incident.pk)
    assert (fresh.title, fresh.custom_fields, fresh.version) == ("Three", {}, incident.version)
