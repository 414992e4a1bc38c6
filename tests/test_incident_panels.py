"""The boxes of an incident's page: the first rows come with it, the others and the forms when somebody opens them."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import incidents, pins, tasks
from cases.actions.asset_links import add_to_incident
from cases.actions.assets import create as create_asset
from cases.actions.observables import add_to_incident as add_observable
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team, analyst: User) -> Incident:
    """Twelve alerts, each with an observable of its own."""
    source = make_source(team=blue)
    alerts = [
        make_alert(f"Alert {n:02}", source=source, observables=(("ip", f"198.51.100.{n}"),)) for n in range(12)
    ]  # fmt: skip
    return make_incident("Case", *alerts, team=blue)


def page(client: Client, incident: Incident, query: str = "") -> str:
    return client.get(f"/incidents/{incident.number}/{query}").content.decode()


def box(client: Client, incident: Incident, name: str, query: str = "") -> str:
    """A box as htmx gets it."""
    answer = client.get(f"/incidents/{incident.number}/panel/{name}/{query}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_of_many_alerts_the_first_come_with_the_page(as_analyst: Client, incident: Incident) -> None:
    text = page(as_analyst, incident)
    assert text.count('aria-label="Unlink ALR-') == 10
    assert f'href="/incidents/{incident.number}/?opened=alerts#incident-alerts"' in text
    assert "Show all 12 alerts" in text
    assert "Show all 12 observables" in text


def test_an_opened_box_has_all_rows_and_stays_open(as_analyst: Client, incident: Incident) -> None:
    for text in (box(as_analyst, incident, "alerts"), page(as_analyst, incident, "?opened=alerts")):
        assert text.count('aria-label="Unlink ALR-') == 12
        assert '<input type="hidden" name="opened" value="alerts">' in text
    assert page(as_analyst, incident).count('hx-include="input[name=opened]"') == 1, "it is sent along"
    poll = as_analyst.get(f"/incidents/{incident.number}/live/?cursor=0.0.0.0&opened=alerts", headers=HTMX)
    assert poll.content.decode().count('aria-label="Unlink ALR-') == 12
    gone = incident.alerts.order_by("pk")[0].number
    done = as_analyst.post(
        f"/incidents/{incident.number}/unlink/", {"alerts": gone, "opened": "alerts"}, headers=HTMX
    ).content.decode()  # fmt: skip
    assert done.count('aria-label="Unlink ALR-') == 11
    assert box(as_analyst, incident, "alerts", "?fold=1").count('aria-label="Unlink ALR-') == 10


def test_a_short_box_has_nothing_to_open(as_analyst: Client, blue: Team) -> None:
    few = make_incident("Few", make_alert(source=make_source(team=blue)), team=blue)
    assert "Show all" not in page(as_analyst, few)
    assert 'name="opened"' not in box(as_analyst, few, "alerts")


def test_more_alerts_than_fit_lead_to_the_queue(as_analyst: Client, incident: Incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(alert_count=70)
    text = box(as_analyst, incident, "alerts")
    assert "20 more" in text
    assert f"incident={incident.number}" in text


def test_without_scripts_the_page_opens_a_box(as_analyst: Client, incident: Incident) -> None:
    answer = as_analyst.get(f"/incidents/{incident.number}/panel/tasks/")
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/incidents/{incident.number}/?opened=tasks#incident-tasks",
    )
    assert page(as_analyst, incident, "?opened=nothing&opened=").count('aria-label="Unlink ALR-') == 10


@pytest.mark.parametrize("name", ["nothing", "head", "timeline"])
def test_a_box_that_is_none(as_analyst: Client, incident: Incident, name: str) -> None:
    for headers in ({}, HTMX):
        assert as_analyst.get(f"/incidents/{incident.number}/panel/{name}/", headers=headers).status_code == 404


def test_a_stranger_opens_nothing(as_stranger: Client, incident: Incident) -> None:
    for name in ("alerts", "observables", "assets", "details"):
        assert as_stranger.get(f"/incidents/{incident.number}/panel/{name}/", headers=HTMX).status_code == 404


def test_a_viewer_opens_no_form(as_viewer: Client, incident: Incident) -> None:
    for name in ("details", "owners", "assets"):
        assert "<form" not in box(as_viewer, incident, name)


def test_a_long_checklist_shows_where_the_work_is(as_analyst: Client, incident: Incident, analyst: User) -> None:
    actor = Actor.of(analyst)
    made = [tasks.add(actor, incident.pk, title=f"Step {n:02}") for n in range(1, 16)]
    for task in made[:4]:
        tasks.complete(actor, task.pk)
    text = page(as_analyst, incident)
    shown = [f"Step {n:02}" for n in range(1, 16) if f"Step {n:02}</label>" in text]
    assert shown == [f"Step {n:02}" for n in range(4, 14)], "the last that is done, and what comes behind it"
    assert "4 of 15" in text
    assert "Show all 15 tasks" in text
    added = as_analyst.post(f"/incidents/{incident.number}/tasks/add/", {"title": "At the end"}, headers=HTMX)
    assert "At the end</label>" in added.content.decode(), "what was added is in sight"


def test_the_forms_of_details_and_owners_come_when_they_are_opened(
    as_analyst: Client, incident: Incident, responder: User
) -> None:
    text = page(as_analyst, incident)
    assert 'id="d-title"' not in text and 'id="owner-name"' not in text
    assert f'hx-get="/incidents/{incident.number}/panel/details/" hx-trigger="toggle once"' in text
    assert 'id="d-title"' in box(as_analyst, incident, "details")
    assert "Priya Raman</option>" in box(as_analyst, incident, "owners")
    assert 'id="details-edit" data-keep open' in page(as_analyst, incident, "?opened=details")
    refused = as_analyst.post(f"/incidents/{incident.number}/edit/", {"title": " ", "tlp": "amber"}, headers=HTMX)
    assert refused.status_code == 422
    assert 'id="details-edit" data-keep open' in refused.content.decode()
    assert 'name="title"' in refused.content.decode()


def test_assets_and_evidence_come_when_somebody_scrolls_to_them(
    as_analyst: Client, incident: Incident, analyst: User
) -> None:
    asset = create_asset(Actor.of(analyst), fields={"name": "WS-042", "type": "laptop"})
    add_to_incident(Actor.of(analyst), incident.number, asset.name)
    text = page(as_analyst, incident)
    assert "WS-042</a>" not in text.partition('id="incident-assets"')[2]
    for name in ("assets", "evidence"):
        later = text.partition(f'id="incident-{name}"')[2].partition("</section>")[0]
        assert 'hx-trigger="intersect once"' in later
        assert f'href="/incidents/{incident.number}/?opened={name}#incident-{name}"' in later
    for shown in (box(as_analyst, incident, "assets", "?fold=1"), page(as_analyst, incident, "?opened=assets")):
        assert "WS-042</a>" in shown.partition('id="incident-assets"')[2]


def test_buttons_of_rows_belong_to_one_form(as_analyst: Client, incident: Incident, analyst: User) -> None:
    add_observable(Actor.of(analyst), incident.pk, "domain", "evil.example.net")
    text = page(as_analyst, incident)
    for form in ("alert-unlink", "observable-remove"):
        assert text.count(f'<form id="{form}"') == 1
        assert f'form="{form}"' in text


def test_the_newest_entries_come_first_and_more_as_one_reads_on(as_analyst: Client, blue: Team, analyst: User) -> None:
    incident = make_incident("Long", team=blue)
    for number in range(30):
        incidents.comment(Actor.of(analyst), incident.pk, f"Note number {number}.")
    text = page(as_analyst, incident)
    assert text.count('<li id="entry-') == 20
    assert 'hx-trigger="intersect once, click"' in text
    older = text.partition(f"/incidents/{incident.number}/timeline/?before=")[2].partition('"')[0]
    rest = as_analyst.get(f"/incidents/{incident.number}/timeline/?before={older}", headers=HTMX).content.decode()
    assert "Note number 0." in rest
    assert "intersect" not in rest


def test_of_many_pins_the_newest_stand_above_the_timeline(as_analyst: Client, blue: Team, analyst: User) -> None:
    incident, actor = make_incident("Pins", team=blue), Actor.of(analyst)
    for number in range(7):
        pins.pin(actor, incidents.comment(actor, incident.pk, f"Pin me {number}").pk)
    text = page(as_analyst, incident)
    assert text.count('id="unpin-') == 5 + 1, "five buttons and their form"
    assert "Show all 7 pinned entries" in text
    assert text.count('aria-pressed="true"') == 7, "in the stream each says that it is pinned"


def test_a_cursor_that_is_far_behind_gets_the_stream_anew(as_analyst: Client, blue: Team, analyst: User) -> None:
    incident = make_incident("Busy", team=blue)
    for number in range(205):
        incidents.comment(Actor.of(analyst), incident.pk, f"Note number {number}.")
    answer = as_analyst.get(f"/incidents/{incident.number}/live/?cursor=0.0.0.0", headers=HTMX).content.decode()
    assert 'id="incident-stream"' in answer
    assert answer.count('<li id="entry-') == 20


def test_a_stream_that_is_filtered_gets_new_entries_that_fit(as_analyst: Client, blue: Team, analyst: User) -> None:
    incident, actor = make_incident("Filtered", team=blue), Actor.of(analyst)
    cursor = page(as_analyst, incident, "?group=notes").partition("/live/?cursor=")[2].partition("&")[0]
    incidents.comment(actor, incident.pk, "A note that fits")
    incidents.set_status(actor, incident.pk, "in_progress")
    answer = as_analyst.get(f"/incidents/{incident.number}/live/?cursor={cursor}&group=notes", headers=HTMX)
    text = answer.content.decode()
    assert text.count('<li id="entry-') == 1
    assert "A note that fits" in text
