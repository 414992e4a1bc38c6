"""Suggestions on their page and under the list: create, add to an incident, not related (casework.md 8)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.test import Client

from cases.models import Alert, DismissedSuggestion, Incident
from cases.suggestions import suggestions
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alerts(blue: Team) -> list[Alert]:
    """Three alerts of team Blue from one address."""
    source = make_source(team=blue)
    return [make_alert(f"From there {n}", source=source, source_ip="203.0.113.50", hostname=f"H-{n}") for n in range(3)]


def key_for(user: User) -> str:
    """The key of the only suggestion."""
    return suggestions(user)[0].key


def test_the_page_gives_reasons(as_analyst: Client, alerts: list[Alert]) -> None:
    text = as_analyst.get("/incidents/suggestions/").content.decode()
    assert "3 alerts share the source address 203[.]0[.]113[.]50" in text
    assert "same source address" not in text, "the title says it"
    assert "H-2" in text
    brief = as_analyst.get("/incidents/suggestions/?brief=1", headers=HTMX).content.decode()
    assert "203[.]0[.]113[.]50" in brief
    assert "<html" not in brief


def test_hashes_are_shortened_and_further_reasons_named(as_analyst: Client, blue: Team) -> None:
    source, sha = make_source(team=blue), sha256(b"dropper").hexdigest()
    for host in ("H-8", "H-9"):
        make_alert("Dropper", source=source, hostname=host, observables=(("sha256", sha), ("domain", "evil-cdn.com")))
    text = as_analyst.get("/incidents/suggestions/").content.decode()
    assert sha not in text
    assert f"2 alerts share the hash {sha[:6]}…{sha[-6:]}" in text
    assert "same domain evil-cdn[.]com" in text
    assert "same hash" not in text


def test_a_stranger_sees_none_and_can_do_nothing(as_stranger: Client, analyst: User, alerts: list[Alert]) -> None:
    key = key_for(analyst)
    assert "203[.]0" not in as_stranger.get("/incidents/suggestions/").content.decode()
    for verb in ("accept", "dismiss"):
        as_stranger.post(f"/incidents/suggestions/{key}/{verb}/")
        assert as_stranger.post(f"/incidents/suggestions/{key}/{verb}/", headers=HTMX).status_code == 200
    assert not Incident.objects.exists()
    assert not DismissedSuggestion.objects.exists()


@pytest.mark.parametrize("verb", ["accept", "dismiss"])
def test_a_viewer_may_not(as_viewer: Client, viewer: User, alerts: list[Alert], verb: str) -> None:
    key = key_for(viewer)
    assert as_viewer.post(f"/incidents/suggestions/{key}/{verb}/").status_code == 403
    assert as_viewer.get(f"/incidents/suggestions/{key}/{verb}/").status_code == 405
    assert "Not related" not in as_viewer.get("/incidents/suggestions/").content.decode()
    assert not Incident.objects.exists()


def test_create_by_a_plain_form(as_analyst: Client, analyst: User, alerts: list[Alert]) -> None:
    answer = as_analyst.post(f"/incidents/suggestions/{key_for(analyst)}/accept/")
    incident = Incident.objects.get()
    assert answer["Location"] == f"/incidents/{incident.number}/"
    assert incident.alert_count == 3


def test_create_in_place(as_analyst: Client, analyst: User, alerts: list[Alert]) -> None:
    text = as_analyst.post(f"/incidents/suggestions/{key_for(analyst)}/accept/", headers=HTMX).content.decode()
    incident = Incident.objects.get()
    assert text.count(f"{incident.number} holds 3 alerts now.") == 2, "in the note, and for who does not see it"
    assert f"/incidents/{incident.number}/" in text


def test_add_to_the_incident_that_has_it(as_analyst: Client, analyst: User, alerts: list[Alert]) -> None:
    incident = make_incident("Case", alerts[0], team=alerts[0].team)
    assert f"Add to {incident.number}" in as_analyst.get("/incidents/suggestions/").content.decode()
    sent = {"incident": incident.number}
    assert as_analyst.post(f"/incidents/suggestions/{key_for(analyst)}/accept/", sent).status_code == 302
    assert Alert.objects.filter(incident=incident).count() == 3


def test_not_related_is_remembered(as_analyst: Client, analyst: User, alerts: list[Alert]) -> None:
    key = key_for(analyst)
    text = as_analyst.post(f"/incidents/suggestions/{key}/dismiss/", headers=HTMX).content.decode()
    assert "203[.]0[.]113[.]50" not in text
    assert "203[.]0[.]113[.]50" not in as_analyst.get("/incidents/suggestions/").content.decode()


def test_twice_says_that_it_is_gone(as_analyst: Client, analyst: User, alerts: list[Alert]) -> None:
    key = key_for(analyst)
    as_analyst.post(f"/incidents/suggestions/{key}/accept/")
    answer = as_analyst.post(f"/incidents/suggestions/{key}/accept/", headers=HTMX)
    assert answer.status_code == 200
    assert "no longer there" in answer.content.decode()
    assert as_analyst.post(f"/incidents/suggestions/{key}/accept/").status_code == 302
    assert Incident.objects.count() == 1


def test_values_are_escaped(as_analyst: Client, blue: Team) -> None:
    for _ in range(2):
        make_alert("<b>x</b>", source=make_source(team=blue), hostname="<script>1</script>")
    text = as_analyst.get("/incidents/suggestions/").content.decode()
    assert "<script>1" not in text
    assert "&lt;script&gt;1" in text
