"""An incident that one may not see is not named to one, whatever is asked (access.md 4)."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from cases import timeline_read
from cases.actions import alerts, incidents, links
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing
from cases.models import Alert, Incident
from playbooks import related
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared_alert(red: Team) -> Alert:
    """Of no team, so everybody's; its incident is team Red's alone."""
    alert = make_alert("Seen by all", hostname="FIN-1")
    make_incident("Red business", alert, team=red)
    return Alert.objects.get(pk=alert.pk)


@pytest.fixture
def hidden(shared_alert: Alert) -> Incident:
    assert shared_alert.incident is not None
    return shared_alert.incident


def test_a_note_is_refused_without_the_number(analyst: User, shared_alert: Alert, hidden: Incident) -> None:
    answer = problem_of(Api(analyst).post(f"/alerts/{shared_alert.pk}/comment/", {"text": "Hello"}), 409)
    assert hidden.number not in str(answer)
    assert "url" not in answer


def test_a_note_is_refused_with_the_absolute_address_to_who_sees_it(stranger: User, shared_alert: Alert) -> None:
    answer = problem_of(Api(stranger).post(f"/alerts/{shared_alert.pk}/comment/", {"text": "Hello"}), 409)
    number = f"INC-{shared_alert.incident_id}"
    assert answer["incident"] == number
    assert answer["url"].startswith("http")
    assert answer["url"].endswith(f"/incidents/{number}/")


@pytest.mark.parametrize("move", [False, True])
def test_linking_it_elsewhere_names_nothing(analyst: User, shared_alert: Alert, hidden: Incident, move: bool) -> None:
    own = make_incident("Own")
    answer = Api(analyst).post(f"/incidents/{own.pk}/link/", {"alerts": [shared_alert.pk], "move": move})
    body = problem_of(answer, 403 if move else 409)
    assert hidden.number not in str(body)
    assert Alert.objects.get(pk=shared_alert.pk).incident == hidden


def test_escalating_it_names_nothing(analyst: User, shared_alert: Alert, hidden: Incident) -> None:
    body = problem_of(Api(analyst).post(f"/alerts/{shared_alert.pk}/escalate/", {}), 409)
    assert hidden.number not in str(body)


def test_unlinking_it_names_nothing(analyst: User, shared_alert: Alert, hidden: Incident) -> None:
    with pytest.raises(Forbidden) as refused:
        links.unlink(Actor.of(analyst), [shared_alert.pk])
    assert str(hidden.pk) not in refused.value.message.replace(shared_alert.number, "")


def test_the_filter_by_incident_finds_nothing_in_it(
    analyst: User, stranger: User, shared_alert: Alert, hidden: Incident
) -> None:
    for query in ({"incident": hidden.number}, {"q": f"incident:{hidden.number}"}):
        assert Api(analyst).get("/alerts/", **query).json()["results"] == []
        assert [row["id"] for row in Api(stranger).get("/alerts/", **query).json()["results"]] == [shared_alert.pk]


def test_a_playbook_is_told_what_its_publisher_and_the_alerts_team_see(
    analyst: User, stranger: User, admin: User, red: Team, shared_alert: Alert, hidden: Incident
) -> None:
    everybodys = make_alert("Same host", hostname="FIN-1")
    for publisher in (analyst, stranger, admin, None):
        assert related.incidents(publisher, everybodys.pk, 24) == []
        (row,) = related.alerts(publisher, everybodys.pk, 24)
        assert (row["number"], row["incident"]) == (shared_alert.number, None)
    theirs = make_alert("Same host", hostname="FIN-1", team=red)
    for publisher in (stranger, admin, None):
        assert [row["number"] for row in related.incidents(publisher, theirs.pk, 24)] == [hidden.number]
        assert {row["incident"] for row in related.alerts(publisher, theirs.pk, 24)} == {hidden.number, None}
    assert [row["number"] for row in related.alerts(None, everybodys.pk, 24)] == [shared_alert.number]
    Incident.objects.filter(pk=hidden.pk).update(restricted=True)
    assert related.incidents(None, theirs.pk, 24) == []


def test_alerts_that_are_not_there_or_not_to_be_seen_are_missing(analyst: User, red: Team) -> None:
    own, theirs = make_incident("Own"), make_alert("Theirs", team=red)
    for wanted in (theirs.pk, theirs.number, 999_999_999, "ALR-999999999", "INC-1", "nonsense", 10**30):
        with pytest.raises(Missing):
            links.link(Actor.of(analyst), [wanted], own.pk)
        with pytest.raises(Missing):
            links.unlink(Actor.of(analyst), [wanted])
        problem_of(Api(analyst).post(f"/incidents/{own.pk}/link/", {"alerts": [wanted]}), 404)
    assert Incident.objects.get(pk=own.pk).version == own.version


def test_a_grant_does_not_widen_a_token(viewer: User) -> None:
    """A token for reading stays one, whatever its person was granted on an incident."""
    from guardian.shortcuts import assign_perm

    incident = make_incident("Granted")
    assign_perm("cases.edit_incident", viewer, incident)
    assert Api(viewer).patch(f"/incidents/{incident.pk}/", {"title": "New"}).status_code == 200
    problem_of(Api(viewer, scopes=("view_cases",)).patch(f"/incidents/{incident.pk}/", {"title": "Newer"}), 403)


def test_conflict_of_a_note_says_so_to_the_system_too(shared_alert: Alert, hidden: Incident) -> None:
    with pytest.raises(Conflict) as refused:
        alerts.comment(Actor.system(), shared_alert.pk, "x")
    assert refused.value.extra["incident"] == hidden.number


def test_the_timeline_of_an_alert_names_no_hidden_incident(
    analyst: User, stranger: User, shared_alert: Alert, hidden: Incident
) -> None:
    path = f"/alerts/{shared_alert.pk}/timeline/"
    linked = {row["kind"]: row for row in Api(analyst).get(path).json()["results"]}["alert.linked"]
    assert linked["data"] == {"incident": None, "hidden": ["incident"]}
    plain = {row["kind"]: row for row in Api(stranger).get(path).json()["results"]}["alert.linked"]
    assert plain["data"] == {"incident": hidden.number}
    assert plain["hash"] == linked["hash"]


def test_the_entries_of_an_alert_on_a_page_name_no_hidden_incident(
    analyst: User, stranger: User, shared_alert: Alert, hidden: Incident
) -> None:
    def shown(user: User) -> str:
        entries = timeline_read.views(timeline_read.entries_of_alert(shared_alert))
        return render_to_string("timeline/entries.html", {"entries": entries, "user": user})

    assert hidden.number not in shown(analyst)
    assert "linked it to one that you may not see" in shown(analyst)
    assert hidden.number in shown(stranger)


def test_an_alert_that_was_resolved_with_it_names_it_not(
    analyst: User, stranger: User, shared_alert: Alert, hidden: Incident
) -> None:
    incidents.set_status(Actor.of(stranger), hidden.pk, "closed", determination="malicious")
    page = client_of(analyst).get(f"/alerts/{shared_alert.number}/").content.decode()
    api = Api(analyst)
    told = [page, *(api.get(f"/alerts/{shared_alert.pk}/{path}").content.decode() for path in ("", "timeline/"))]
    for text in told:
        assert "Resolved with its incident" in text
        assert hidden.number not in text


def test_a_search_for_alerts_to_link_names_it_not(analyst: User, shared_alert: Alert, hidden: Incident) -> None:
    own = make_incident("Own")
    found = client_of(analyst).get(f"/incidents/{own.number}/search/", {"q": "FIN-1"}).content.decode()
    assert shared_alert.title in found
    assert "in an incident that you may not see" in found
    assert hidden.number not in found


def test_the_page_of_an_observable_names_it_not(analyst: User, stranger: User, red: Team) -> None:
    alert = make_alert("Seen by all", observables=(("ip", "203.0.113.9"),))
    hidden = make_incident("Red business", alert, team=red)
    path = f"/observables/{alert.observable_links.get().observable_id}/"
    seen, shown = (client_of(user).get(path).content.decode() for user in (analyst, stranger))
    assert alert.title in seen
    assert hidden.number not in seen
    assert hidden.number in shown


def test_the_sightings_of_an_observable_do_not_count_it(analyst: User, stranger: User, red: Team) -> None:
    make_incident("Red business", make_alert("Seen by all", observables=(("ip", "203.0.113.9"),)), team=red)
    other = make_alert("Seen by all too", observables=(("ip", "203.0.113.9"),))
    counted, told = (client_of(user).get(f"/alerts/{other.number}/").content.decode() for user in (analyst, stranger))
    assert "2 alerts" in counted
    assert "2 alerts" in told
    assert "1 incident" not in counted
    assert "1 incident" in told


def test_the_timeline_of_an_incident_names_no_hidden_alert(analyst: User, admin: User, blue: Team, red: Team) -> None:
    theirs = make_alert("Red and secret", team=red)
    incident = make_incident("Both teams", theirs, team=blue)
    other = make_incident("Red business", team=red)
    links.link(Actor.of(admin), [theirs.pk], other.pk, move=True)
    links.link(Actor.of(admin), [theirs.pk], incident.pk, move=True)
    links.unlink(Actor.of(admin), [theirs.pk])
    path = f"/incidents/{incident.pk}/timeline/"
    seen = str(Api(analyst).get(path).json()["results"])
    page = client_of(analyst).get(f"/incidents/{incident.number}/").content.decode()
    for text in (seen, page):
        for secret in (theirs.number, theirs.title, other.number):
            assert secret not in text
    assert other.number in str(Api(admin).get(path).json())
