"""Every field of the queue's filter: what it finds, what it leaves out, and what it says of a value it cannot read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cases import filters_fields
from cases.filters import AlertFilter
from cases.models import Alert
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
ALL = {"One", "Two"}


@pytest.fixture(autouse=True)
def two(analyst: User, blue: Team) -> None:
    """Two alerts that differ in every field; the second lacks what can be lacking."""
    source = make_source("Mail", team=blue)
    type(source).objects.filter(pk=source.pk).update(slug="mail")
    one = make_alert(
        "One", source=source, severity=3, status=1, determination=2, owner=analyst, detection_model="Odd Login",
        tags=["vip"], hostname="LT-1", username="mara.l", source_ip="10.0.0.9", techniques=["T1059"], tlp="red",
        observables=(("domain", "bad.example.com"), ("ip", "203.0.113.7")), age=timedelta(days=3),
    )  # fmt: skip
    make_incident("Case", one)
    make_alert("Two", severity=1, tlp="green")


def found(user: User, query: str) -> set[str]:
    chosen = AlertFilter.parse({"q": f"status:any {query}"})
    rows = chosen.apply(Alert.objects.visible_to(user), user)
    assert chosen.errors == []
    return set(rows.values_list("title", flat=True))


@pytest.mark.parametrize(
    "query",
    [
        "status:in_progress",
        "is:in_progress",
        "severity:high",
        "severity:>=medium",
        "severity:>low",
        "severity:high,critical",
        "determination:suspicious",
        "determination:>=benign",
        "owner:mara",
        "owner:me",
        "team:Blue",
        "team:blue",
        "source:mail",
        'model:"Odd Login"',
        'model:"odd login"',
        "model:Odd*",
        "tag:vip",
        "tag:VIP",
        "host:LT-1",
        "host:lt-1",
        "host:LT*",
        "user:mara.l",
        "user:MARA*",
        "ip:10.0.0.9",
        "observable:bad.example.com",
        "observable:bad[.]example[.]com",
        "observable:203.0.113.7",
        "technique:t1059",
        "tlp:red",
        "tlp:TLP:RED",
        "incident:any",
        "has_incident:yes",
        "-received:2d",
        "received:<2d",
        "until:2d",
        "-since:48h",
        "owner:mara,nobody.else",
        "-owner:none",
        "-team:none",
        "-has_incident:none",
        "-tlp:green",
        "-severity:low",
        "-severity:<=low",
        "-determination:unknown",
    ],
)
def test_what_a_field_finds_and_its_negation_leaves_out(analyst: User, query: str) -> None:
    assert found(analyst, query) == {"One"}
    other = query.removeprefix("-") if query.startswith("-") else f"-{query}"
    assert found(analyst, other) == {"Two"}


@pytest.mark.parametrize("query", ["status:any,new", "status:new,any", "suppressed:all,yes"])
def test_beside_a_word_that_means_all_nothing_else_narrows(analyst: User, query: str) -> None:
    assert found(analyst, query) == {"One", "Two"}


def test_an_incident_by_its_number(analyst: User) -> None:
    number = Alert.objects.get(title="One").incident_id
    assert found(analyst, f"incident:INC-{number}") == found(analyst, f"incident:{number}") == {"One"}
    assert found(analyst, "incident:INC-999999") == set()


@pytest.mark.parametrize(
    "query", ["owner:ghost", "team:Ghosts", "source:ghost", "tag:ghost", "host:ghost", "user:ghost"]
)
def test_what_nobody_has_finds_nothing_and_excludes_nothing(analyst: User, query: str) -> None:
    assert (found(analyst, query), found(analyst, f"-{query}")) == (set(), ALL)


def test_an_observable_of_more_alerts_than_are_listed(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        make_alert(f"Many {n}", observables=(("domain", "common.example.com"),))
    monkeypatch.setattr(filters_fields, "OBSERVABLE_HITS", 2)
    many = {f"Many {n}" for n in range(4)}
    assert found(analyst, "observable:common.example.com") == many
    assert found(analyst, "-observable:common.example.com") == ALL


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("severity:huge", "huge"),
        ("status:done", "done"),
        ("determination:maybe", "maybe"),
        ("tlp:purple", "tlp"),
        ("incident:soon", "incident"),
        ("has_incident:maybe", "incident"),
        ("received:never", "never"),
        ("until:32.13.", "32.13."),
        ("since:2026-02-31", "2026-02-31"),
        ("owner:>=mara", "&gt;="),
        ("-host:<LT-1", "&lt;"),
        ("tag:>vip", "&gt;"),
        ("observable:>=1.2.3.4", "&gt;="),
        ("suppressed:perhaps", "suppressed"),
        ("ab", "too short"),
    ],
)
def test_what_cannot_be_read_is_said_beside_the_box(as_analyst: Client, query: str, word: str) -> None:
    answer = as_analyst.get("/alerts/", {"q": query})
    assert answer.status_code == 200
    page: Any = answer.content.decode()
    box = page.partition('id="q-errors"')[2].partition("</div>")[0]
    assert word in box
    assert 'aria-describedby="q-errors"' in page
