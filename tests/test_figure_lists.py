"""Each figure of the times leads to just the incidents that it counts (casework.md 18), and the filters behind that."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from cases.actions import incidents, merge
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.api import Api, wrong_fields
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def titles(user: User, query: str) -> set[str]:
    """What the list of the page says to a query."""
    html = client_of(user).get(f"/incidents/?{query}").content.decode()
    return set(re.findall(r'class="cut" href="/incidents/INC-\d+/">([^<]*)<', html))


def told(user: User, query: str) -> set[str]:
    """The same of the API."""
    found = Api(user).get(f"/incidents/?{query}")
    assert found.status_code == 200
    return {row["title"] for row in found.json()["results"]}


def times(user: User, query: str = "") -> list[tuple[str, str]]:
    """Of each figure its address and the words beside it."""
    html = client_of(user).get(f"/dashboard/times/{query}").content.decode()
    found = re.findall(r'class="big quiet" href="([^"]*)">.*?<div class="small">(.*?)</div>', html, re.DOTALL)
    return [(unescape(url).partition("?")[2], " ".join(words.split())) for url, words in found]


def ends(user: User, *which: Incident) -> None:
    for one in which:
        incidents.set_status(Actor.of(user), one.pk, "resolved", determination="benign")


def test_the_list_holds_what_is_counted_and_nothing_else(analyst: User, blue: Team) -> None:
    ours, again, touched, imported, stays, goes = (
        make_incident(name, make_alert(team=blue), team=blue, severity="high")
        for name in ("Ours", "Again", "Touched", "Imported", "Stays", "Goes")
    )
    with clock.at(timezone.now() - timedelta(days=20)):
        old = make_incident("Long ago", team=blue, severity="high")
        ends(analyst, old)
    ends(analyst, ours, again, goes)
    incidents.set_status(Actor.of(analyst), again.pk, "open")
    ends(analyst, again)
    incidents.update(Actor.of(analyst), touched.pk, changes={"tags": ["x"]})
    incidents.update(Actor.of(analyst), old.pk, changes={"tags": ["x"]})
    Incident.objects.filter(pk=imported.pk).update(status=3, determination=1, resolved_at=clock.now())
    ends(analyst, stays)
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    _taken, _contained, (query, words) = times(analyst, f"?team={blue.pk}")
    assert titles(analyst, query) == {"Ours", "Again", "Stays"} == told(analyst, query.replace("status=any&", ""))
    assert "3 incidents" in words


@pytest.mark.parametrize("name", ["mtta", "mttc", "mttr", "opened", "ended"])
def test_a_time_or_a_span(analyst: User, name: str) -> None:
    now = timezone.now()
    with clock.at(now - timedelta(days=5)):
        case = make_incident("Case", make_alert(), severity="high")
        ends(analyst, case)
    for value, found in (
        ("6d", {"Case"}), ("4d", set()), ("6d..4d", {"Case"}), ("..6d", set()), ("..4d", {"Case"}), ("4d..", set()),
    ):  # fmt: skip
        assert titles(analyst, f"status=any&{name}={value}") == told(analyst, f"{name}={value}") == found, value
    assert titles(analyst, f"q=status:any+{name}:6d..4d") == {"Case"}


@pytest.mark.parametrize("value", ["..", "x", "2026-13-01", "6d..x", "0001-01-01T00:00:00%2B23:59"])
@pytest.mark.parametrize("name", ["opened", "ended", "mttr"])
def test_what_is_no_time(analyst: User, name: str, value: str) -> None:
    page = client_of(analyst).get(f"/incidents/?{name}={value}")
    assert page.status_code == 200 and wrong_fields(Api(analyst).get(f"/incidents/?{name}={value}")) == {name}


def test_merged_or_not(analyst: User) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert titles(analyst, "status=any&merged=no") == {"Stays"} == told(analyst, "merged=no")
    assert titles(analyst, "status=any&merged=yes") == {"Goes"} == told(analyst, "merged=yes")
    assert wrong_fields(Api(analyst).get("/incidents/?merged=perhaps")) == {"merged"}


def test_programs_read_how_many_incidents_a_figure_counts(analyst: User) -> None:
    case = make_incident("Case", make_alert(), severity="high")
    ends(analyst, case)
    incidents.set_status(Actor.of(analyst), case.pk, "open")
    ends(analyst, case)
    figure = Api(analyst).get("/sla-figures/").json()["resolve"]
    assert (figure["count"], figure["incidents"]) == (2, 1)
