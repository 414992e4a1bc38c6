"""Who sees which alerts and incidents: teams, owners, grants, restricted ones; by both ways to read grants."""

from __future__ import annotations

import pytest
from guardian.shortcuts import assign_perm, remove_perm

from cases import grants
from cases.models import Alert, AlertSource, Incident, Observable
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[grants.AT_MOST, 0], ids=["listed", "asked for row by row"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grants as a list, and as they are read for somebody who has too many for one."""
    monkeypatch.setattr(grants, "AT_MOST", request.param)


@pytest.fixture
def reds(red: Team) -> AlertSource:
    """A source of team Red with an alert that has an address."""
    source = make_source("Of Red", team=red)
    make_alert("Red one", source=source, observables=(("ip", "203.0.113.9"),))
    return source


def anew(user: User) -> User:
    """The person as the next request finds them."""
    return User.objects.get(pk=user.pk)


def alerts_of(user: User) -> set[str]:
    return set(Alert.objects.visible_to(anew(user)).values_list("title", flat=True))


def incidents_of(user: User) -> set[str]:
    return set(Incident.objects.visible_to(anew(user)).values_list("title", flat=True))


def test_without_a_grant_nothing_of_other_teams(
    analyst: User, admin: User, nobody: User, stranger: User, reds: AlertSource, red: Team
) -> None:
    make_alert("Of nobody")
    make_alert("Mine", source=reds, owner=analyst)
    make_incident("Red business", team=red)
    assert alerts_of(analyst) == {"Of nobody", "Mine"}
    assert alerts_of(stranger) == alerts_of(admin) == {"Of nobody", "Mine", "Red one"}
    assert alerts_of(nobody) == incidents_of(nobody) == incidents_of(analyst) == set()
    assert incidents_of(admin) == {"Red business"}


@pytest.mark.usefixtures("either_way")
def test_a_grant_on_a_source_shows_its_alerts_to_the_person(analyst: User, viewer: User, reds: AlertSource) -> None:
    make_alert("Other source", team=reds.team)
    assign_perm("cases.view_source", analyst, reds)
    assert alerts_of(analyst) == {"Red one"}
    assert alerts_of(viewer) == set()
    assert Observable.objects.visible_to(anew(analyst)).get().value == "203.0.113.9"
    assert not Observable.objects.visible_to(anew(viewer)).exists()


@pytest.mark.usefixtures("either_way")
def test_a_grant_on_a_source_to_a_team_shows_it_to_its_people(
    analyst: User, viewer: User, nobody: User, blue: Team, reds: AlertSource
) -> None:
    assign_perm("cases.view_source", blue.group, reds)
    assert alerts_of(analyst) == alerts_of(viewer) == {"Red one"}
    assert alerts_of(nobody) == set()


@pytest.mark.usefixtures("either_way")
def test_a_grant_of_a_source_does_not_show_restricted_alerts(analyst: User, reds: AlertSource) -> None:
    assign_perm("cases.view_source", analyst, reds)
    Alert.objects.filter(source=reds).update(restricted=True)
    assert alerts_of(analyst) == set()


@pytest.mark.usefixtures("either_way")
def test_a_restricted_incident_is_seen_by_its_grants_alone(
    analyst: User, viewer: User, admin: User, stranger: User, blue: Team, red: Team
) -> None:
    secret = make_incident("Secret", make_alert("Secret one", team=red), team=blue)
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.filter(incident=secret).update(restricted=True)
    for person in (analyst, viewer, admin, stranger):
        assert incidents_of(person) == alerts_of(person) == set()
    assign_perm("cases.view_incident", viewer, secret)
    assign_perm("cases.view_incident", red.group, secret)
    for person in (viewer, stranger):
        assert incidents_of(person) == {"Secret"}
        assert alerts_of(person) == {"Secret one"}
        assert client_of(person).get(f"/incidents/{secret.number}/").status_code == 200
    for person in (analyst, admin):
        assert incidents_of(person) == alerts_of(person) == set()
        assert client_of(person).get(f"/incidents/{secret.number}/").status_code == 404


@pytest.mark.usefixtures("either_way")
def test_admin_sees_what_is_restricted_by_a_grant(admin: User) -> None:
    secret = make_incident("Secret", make_alert("Secret one"))
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.filter(incident=secret).update(restricted=True)
    assert "Secret one" not in alerts_of(admin)
    assign_perm("cases.view_incident", admin, secret)
    assert alerts_of(admin) == {"Secret one"}


@pytest.mark.usefixtures("either_way")
def test_another_permission_on_the_same_thing_shows_nothing(analyst: User, red: Team, reds: AlertSource) -> None:
    incident = make_incident("Red business", team=red)
    assign_perm("cases.edit_incident", analyst, incident)
    assert incidents_of(analyst) == set()


@pytest.mark.usefixtures("either_way")
def test_the_alerts_of_a_granted_incident_are_seen_with_it(analyst: User, red: Team, reds: AlertSource) -> None:
    inside = Alert.objects.get(source=reds)
    incident = make_incident("Red business", inside, team=red)
    assign_perm("cases.view_incident", analyst, incident)
    assert alerts_of(analyst) == {"Red one"}


@pytest.mark.usefixtures("either_way")
def test_the_next_request_sees_what_was_granted_and_taken_away(
    analyst: User, red: Team, blue: Team, reds: AlertSource
) -> None:
    browser, alert = client_of(analyst), Alert.objects.get(source=reds)
    address = f"/alerts/{alert.number}/"
    assert browser.get(address).status_code == 404
    assign_perm("cases.view_source", analyst, reds)
    assert browser.get(address).status_code == 200
    assert Api(analyst).get(address).status_code == 200
    remove_perm("cases.view_source", analyst, reds)
    assert browser.get(address).status_code == 404
    analyst.groups.add(red.group)
    assert browser.get(address).status_code == 200
    analyst.groups.remove(red.group)
    assert browser.get(address).status_code == 404


def test_more_grants_than_are_listed_all_count(
    analyst: User, reds: AlertSource, red: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "AT_MOST", 2)
    sources = [reds, *(make_source(f"More {n}", team=red) for n in range(3))]
    for number, source in enumerate(sources):
        make_alert(f"Alert {number}", source=source)
        assign_perm("cases.view_source", analyst, source)
    assert alerts_of(analyst) == {"Red one", "Alert 0", "Alert 1", "Alert 2", "Alert 3"}


def test_alerts_of_a_restricted_incident_are_changed_by_who_may_change_it(analyst: User) -> None:
    alert = make_alert("Secret one")
    secret = make_incident("Secret", alert)
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.filter(incident=secret).update(restricted=True)
    assign_perm("cases.view_incident", analyst, secret)
    path, change = f"/api/v1/alerts/{alert.pk}/", {"severity": "low"}
    assert client_of(analyst).patch(path, change, content_type="application/json").status_code == 403
    assign_perm("cases.edit_incident", analyst, secret)
    assert client_of(anew(analyst)).patch(path, change, content_type="application/json").status_code == 200
