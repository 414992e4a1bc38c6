"""The panel of facets: each value with an honest number, for the reader and the rest of the filter."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from cases import facets
from cases.filters import AlertFilter
from cases.models import Alert, AlertSource
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_source
from tests.fixtures import client_of


def counted(user: User, **params: str) -> dict[str, dict[str, str]]:
    """The numbers by field and word."""
    chosen = AlertFilter.parse(params, default_open=True)
    found = facets.facets(user, chosen, Alert.objects.visible_to(user))
    return {name: {value.word: str(value.number) for value in values} for name, values in found.items()}


@pytest.fixture
def some(analyst: User, blue: Team, red: Team) -> None:
    """Three open alerts of Blue, one resolved, one of Red."""
    mail = make_source("Mail", team=blue)
    make_alert("A", source=mail, severity=3, owner=analyst, tags=["vip", "eu"], hostname="LT-1", techniques=["T1059"])
    make_alert("B", source=mail, severity=3, tags=["vip"], hostname="LT-1", detection_model="Rule, with a comma")
    make_alert("C", source=mail, severity=1, status=1, determination=2, hostname="LT-2")
    make_alert("Done", source=mail, status=2, determination=1, tags=["old"], hostname="LT-9")
    make_alert("Theirs", source=make_source(team=red), tags=["secret"], hostname="RED-1")


def test_all_fields_for_the_reader(some: None, analyst: User, stranger: User) -> None:
    found = counted(analyst)
    assert found["status"] == {"new": "2", "in_progress": "1"}
    assert found["severity"] == {"high": "2", "low": "1"}
    assert found["determination"] == {"unknown": "2", "suspicious": "1"}
    assert found["owner"] == {"none": "2", "mara": "1"}
    assert list(found["source"].values()) == ["3"]
    assert found["tag"] == {"vip": "2", "eu": "1"}
    assert found["host"] == {"LT-1": "2", "LT-2": "1"}
    assert found["technique"] == {"T1059": "1"}
    assert counted(stranger)["tag"] == {"secret": "1"}


def test_every_field_chosen_at_once(some: None, analyst: User) -> None:
    Alert.objects.filter(title="A").update(detection_model="Rule 7")
    source = AlertSource.objects.get(name="Mail").slug
    given = {
        "status": "new", "severity": "high", "determination": "unknown", "owner": "mara", "source": source,
        "model": "Rule 7", "tag": "vip", "host": "LT-1", "technique": "T1059",
    }  # fmt: skip
    assert given.keys() == facets.COLUMNS.keys()
    found = counted(analyst, **given)
    assert {name: found[name].get(word) for name, word in given.items()} == dict.fromkeys(given, "1")
    assert client_of(analyst).get("/alerts/", given).status_code == 200


def test_a_field_ignores_its_own_choice_and_no_other(some: None, analyst: User) -> None:
    found = counted(analyst, severity="high", tag="eu")
    assert found["severity"] == {"high": "1"}
    assert found["tag"] == {"vip": "2", "eu": "1"}
    assert found["host"] == {"LT-1": "1"}


def test_behind_the_bound_numbers_say_that_there_are_more(
    some: None, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "ROWS", 2)
    assert counted(analyst)["severity"]["low"] == "1+"


def test_resolved_alone_counts_nothing_and_says_so(some: None, analyst: User, as_analyst: Client) -> None:
    found = counted(analyst, status="resolved")
    assert found["host"] == {}
    assert found["status"] == {"new": "2", "in_progress": "1"}
    page = as_analyst.get("/alerts/?q=status:resolved&facets=1").content.decode()
    assert "facets count open work" in page


def test_the_panel_is_in_the_address_and_its_links_choose(some: None, as_analyst: Client, viewer: User) -> None:
    closed = as_analyst.get("/alerts/?severity=high").content.decode()
    assert 'href="/alerts/?severity=high&amp;facets=1"' in closed
    assert 'id="facet-host-0"' not in closed
    page = as_analyst.get("/alerts/?severity=high&facets=1").content.decode()
    links = dict(re.findall(r'<a id="(facet-[a-z]+-\d)" href="([^"]*)"', page))
    assert links["facet-host-0"] == "/alerts/?severity=high&amp;host=LT-1&amp;facets=1"
    assert 'id="facet-severity-0" href="/alerts/?facets=1" aria-current="true"' in page
    assert "Rule, with a comma" in page
    assert links["facet-model-0"].startswith("/alerts/?severity=high&amp;model=%22Rule")
    chosen = as_analyst.get(unescape(links["facet-model-0"])).content.decode()
    assert 'id="facet-model-0"' in chosen and 'aria-current="true"' in chosen.partition('id="facet-model-0"')[2][:300]
    assert "facet-host-0" in client_of(viewer).get("/alerts/?facets=1").content.decode()


def test_a_filter_that_cannot_be_read_counts_nothing(some: None, as_analyst: Client) -> None:
    answer = as_analyst.get("/alerts/?severity=huge&facets=1")
    assert answer.status_code == 200
    assert 'id="facet-host-0"' not in answer.content.decode()


def test_it_takes_few_queries(some: None, analyst: User, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(9):
        counted(analyst, severity="high", tag="eu")
