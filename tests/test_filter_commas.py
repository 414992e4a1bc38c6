"""Values of filters with commas and quotation marks in them: a team may be called “Blue, night”."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client

from cases import query_text
from cases.filters import AlertFilter
from cases.incident_filters import IncidentFilter
from cases.models import Alert, Incident
from cases.suppression_prefill import from_query
from soar.accounts.models import User
from tests.api import Api
from tests.factories import make_alert, make_incident, make_team, make_user
from tests.fixtures import client_of

NAMES = ("Blue, night", 'The "A" team', 'a,"b",c', ",", "Plain")


@pytest.mark.parametrize("values", [[name] for name in NAMES] + [list(NAMES), ["a", "b"]])
def test_what_is_written_is_read_again(values: list[str]) -> None:
    assert query_text.values_of(query_text.written(values)) == values


def test_plain_lists_are_read_as_before() -> None:
    assert query_text.values_of("new,in_progress,,") == ["new", "in_progress"]
    assert query_text.values_of('"never closed') == ["never closed"]


@pytest.mark.parametrize(
    ("text", "number", "rest"),
    [
        ("foobar foo", 1, "foobar"),
        ("-severity:high severity:high", 1, "-severity:high"),
        ("foo foo", 0, "foo"),
        ('a "b c" d', 1, "a d"),
    ],
)
def test_a_chip_takes_out_its_own_word(text: str, number: int, rest: str) -> None:
    token = query_text.parse(text, frozenset({"severity"}))[number]
    assert query_text.without(text, token) == rest


@pytest.fixture
def reader(db: None) -> User:
    """Sees all teams."""
    return make_user("reader", "Admin")


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in NAMES if name != ","])
def test_a_filter_by_team_finds_that_team_alone(reader: User, name: str) -> None:
    team, other = make_team(name), make_team("Blue")
    alert, incident = make_alert("Ours", team=team), make_incident("Ours", team=team)
    make_alert("Theirs", team=other), make_incident("Theirs", team=other)
    address = urlencode({"team": query_text.written([name])})
    wanted = AlertFilter.parse(QueryDict(address))
    assert list(wanted.apply(Alert.objects.all(), reader)) == [alert] and not wanted.errors
    again = AlertFilter.parse(QueryDict(wanted.query_string()))
    assert again.params == wanted.params == {"team": [name]}
    chosen = IncidentFilter.parse(QueryDict(address))
    assert list(chosen.apply(Incident.objects.all(), reader)) == [incident]
    assert from_query(QueryDict(address)).get("team", [name]) == [name]
    listed = Api(reader).get("/incidents/", team=query_text.written([name])).json()
    assert [one["number"] for one in listed["results"]] == [incident.number]


@pytest.mark.django_db
def test_quotation_marks_in_the_query_box_hold_a_value_together(reader: User) -> None:
    team = make_team("Blue, night")
    alert = make_alert("Ours", team=team)
    make_alert("Theirs", team=make_team("Blue"))
    for text in ('team:"Blue, night"', 'team:"blue, NIGHT" ours'):
        wanted = AlertFilter.parse({"q": text})
        assert list(wanted.apply(Alert.objects.all(), reader)) == [alert] and not wanted.errors, text
    assert AlertFilter.parse({"q": "status:new,in_progress"}).tokens[0].values == ["new", "in_progress"]


@pytest.mark.django_db
def test_the_lists_offer_what_they_find(reader: User) -> None:
    team = make_team("Blue, night")
    incident = make_incident("Ours", team=team)
    make_alert("Of a host", hostname="a,b", team=team)
    browser = client_of(reader)
    page = browser.get("/incidents/").content.decode()
    assert '<option value="&quot;Blue, night&quot;">Blue, night</option>' in page
    page = browser.get("/incidents/", {"team": '"Blue, night"'}).content.decode()
    assert incident.number in page and '<option value="&quot;Blue, night&quot;" selected>' in page
    page = browser.get("/alerts/", {"facets": "1"}).content.decode()
    assert "host=%22a,b%22" in page


@pytest.mark.django_db
def test_the_figures_of_a_hand_over_lead_to_the_team(reader: User, client: Client) -> None:
    team = make_team("Blue, night")
    page = client_of(reader).get("/hand-over/", {"team": team.pk}).content.decode()
    assert "team=%22Blue%2C%20night%22" in page
