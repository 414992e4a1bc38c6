"""What others may see takes no room in what one may see oneself: limits are set after visibility is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases import filters_fields, similar
from cases.actions.observables import observable_of
from cases.models import Alert, AlertObservable, Incident
from cases.views import observables
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
VALUE = "evil.example.org"


def naming(value: str, team: Team, number: int = 1, **fields: Any) -> list[Alert]:
    """So many alerts of the team that name the value."""
    one = observable_of("domain", value)
    made = [make_alert(team=team, **fields) for _ in range(number)]
    AlertObservable.objects.bulk_create(AlertObservable(alert=alert, observable=one) for alert in made)
    return made


@pytest.mark.parametrize("query", ["", "?q=evi", "?type=domain"])
def test_newer_observables_of_others_push_none_off_the_page(
    as_analyst: Client, blue: Team, red: Team, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(observables, "CANDIDATES", 3)
    naming(VALUE, blue)
    for number in range(4):
        naming(f"evi-{number}.example.net", red)
    page = as_analyst.get(f"/observables/{query}").content.decode()
    assert "evil" in page and "evi-" not in page


@pytest.mark.parametrize("sort", ["observable", "hostname", "username"])
def test_newer_alerts_of_others_push_none_out_of_similar_ones(
    analyst: User, blue: Team, red: Team, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    alike: dict[str, dict[str, Any]] = {"hostname": {"hostname": "srv-1"}, "username": {"username": "a.voss"}}

    def several(team: Team, number: int) -> list[Alert]:
        if sort == "observable":
            return naming(VALUE, team, number)
        return [make_alert(team=team, **alike[sort]) for _ in range(number)]

    here, other = several(blue, 2)
    several(red, similar.PER_VALUE + 1)
    assert [row["alert"]["id"] for row in Api(analyst).get(f"/alerts/{here.pk}/similar/").json()["results"]] == [
        other.pk
    ]


def test_restricted_ones_take_no_room_among_similar_ones_either(admin: User, blue: Team) -> None:
    here, other = naming(VALUE, blue, 2)
    hidden = make_incident("Hidden", *naming(VALUE, blue, similar.PER_VALUE + 1))
    Incident.objects.filter(pk=hidden.pk).update(restricted=True)
    Alert.objects.filter(incident=hidden).update(restricted=True)
    assert [row["alert"]["id"] for row in Api(admin).get(f"/alerts/{here.pk}/similar/").json()["results"]] == [other.pk]


def test_a_word_finds_ones_own_alerts_behind_those_of_others(
    analyst: User, admin: User, blue: Team, red: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters_fields, "OBSERVABLE_HITS", 3)
    (mine,) = naming(VALUE, blue)
    naming(VALUE, red, 4)
    for query in (VALUE, f"observable:{VALUE}"):
        assert [row["id"] for row in Api(analyst).get("/alerts/", q=query).json()["results"]] == [mine.pk]
    assert len(Api(admin).get("/alerts/", q=VALUE).json()["results"]) == 3
    assert client_of(analyst).get(f"/alerts/?q=-{VALUE}").content.decode().count(mine.number) == 0
