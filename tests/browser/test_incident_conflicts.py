"""Two people at one incident: nothing is overwritten without a word, nothing that was typed is lost (casework.md 5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import incidents, merge
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Severity
from cases.models import Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.factories import make_alert, make_incident


@pytest.fixture
def incident(analyst: User) -> Incident:
    return make_incident("Rented servers", make_alert("Beacon", hostname="LT-0114"), summary="First words")


def poll(page: Page) -> None:
    """What static/js/live.js does every few seconds."""
    with page.expect_response("**/live/**"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")


def test_of_two_endings_the_second_is_refused_and_keeps_what_was_typed(
    page_of: Page, incident: Incident, responder: User
) -> None:
    page_of.locator("#menu-status summary").click()
    page_of.locator("#open-resolved").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Malicious").check()
    dialog.get_by_label("Reason").fill("anna’s reason")
    incidents.set_status(Actor.of(responder), incident.pk, "resolved", determination="benign", reason="Ours")
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Resolved")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("you wanted “Malicious”, it is now “Benign”")
    expect(dialog).to_contain_text("Last change: Priya Raman")
    expect(dialog.get_by_label("Reason")).to_have_value("anna’s reason")
    poll(page_of)
    expect(dialog).to_contain_text("you wanted “Malicious”, it is now “Benign”")
    incident.refresh_from_db()
    assert (incident.determination, incident.resolve_reason) == (Determination.BENIGN, "Ours")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    incident.refresh_from_db()
    assert (incident.determination, incident.resolve_reason) == (Determination.MALICIOUS, "anna’s reason")


def test_a_refused_summary_is_saved_when_it_is_sent_again(page_of: Page, incident: Incident, responder: User) -> None:
    page_of.get_by_text("Edit summary").click()
    page_of.get_by_label("Summary, Markdown").fill("My words")
    incidents.update(Actor.of(responder), incident.pk, changes={"summary": "Their words", "severity": "critical"})
    poll(page_of)
    box = page_of.locator("#incident-summary")
    expect(box.locator(".words").first).to_have_text("Their words")
    expect(page_of.get_by_label("Summary, Markdown")).to_have_value("My words")
    box.get_by_role("button", name="Save").click()
    expect(box).to_contain_text("you wanted “My words”, it is now “Their words”")
    incidents.set_status(Actor.of(responder), incident.pk, "contained")
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Contained")
    expect(box).to_contain_text("you wanted “My words”, it is now “Their words”")
    expect(page_of.get_by_label("Summary, Markdown")).to_have_value("My words")
    box.get_by_role("button", name="Save").click()
    expect(box.locator(".words").first).to_have_text("My words")
    assert Incident.objects.get(pk=incident.pk).summary == "My words"


def test_another_field_holds_up_no_summary(page_of: Page, incident: Incident, responder: User) -> None:
    page_of.get_by_text("Edit summary").click()
    page_of.get_by_label("Summary, Markdown").fill("My words")
    incidents.update(Actor.of(responder), incident.pk, changes={"severity": "critical"})
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Critical")
    box = page_of.locator("#incident-summary")
    box.get_by_role("button", name="Save").click()
    expect(box.locator(".words").first).to_have_text("My words")
    incident.refresh_from_db()
    assert (incident.summary, incident.severity) == ("My words", Severity.CRITICAL)


def test_details_that_nobody_edits_follow_what_others_save(page_of: Page, incident: Incident, responder: User) -> None:
    incidents.update(Actor.of(responder), incident.pk, changes={"title": "Their title", "tags": ["vip"]})
    poll(page_of)
    page_of.get_by_text("Edit details").click()
    expect(page_of.locator("#d-title")).to_have_value("Their title")
    page_of.locator("#d-tags").fill("vip, mine")
    page_of.locator("#incident-details").get_by_role("button", name="Save").click()
    expect(page_of.locator("#incident-head")).to_contain_text("mine")
    assert Incident.objects.get(pk=incident.pk).tags == ["vip", "mine"]


def test_what_a_conflict_says_stays_when_the_page_is_renewed(
    page_of: Page, incident: Incident, responder: User
) -> None:
    page_of.locator("#menu-status summary").click()
    incidents.set_status(Actor.of(responder), incident.pk, "contained")
    page_of.locator("#menu-status").get_by_role("button", name="In progress").click()
    note = page_of.locator("#incident-note")
    expect(note).to_contain_text("you wanted “In progress”, it is now “Contained”")
    poll(page_of)
    incidents.update(Actor.of(responder), incident.pk, changes={"severity": "critical"})
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Critical")
    expect(note).to_contain_text("you wanted “In progress”, it is now “Contained”")
    page_of.locator("#menu-status summary").click()
    page_of.locator("#menu-status").get_by_role("button", name="In progress").click()
    expect(note).to_be_empty()
    assert Incident.objects.get(pk=incident.pk).status == IncidentStatus.IN_PROGRESS


def test_handing_over_leads_into_the_note_and_keeps_it(page_of: Page) -> None:
    page_of.locator("#note").fill("Half a sentence")
    page_of.get_by_role("link", name="Hand over").click()
    expect(page_of.locator("#note")).to_be_focused()
    expect(page_of.locator("#note")).to_have_value("Half a sentence")
    expect(page_of.locator("#kind")).to_have_value("handoff")
    page_of.goto(f"{page_of.url.partition('?')[0]}?handoff=1#note")
    expect(page_of.locator("#note")).to_be_focused()
    expect(page_of.locator("#kind")).to_have_value("handoff")


def test_dialogs_have_one_order_cancel_before_what_is_done(page_of: Page) -> None:
    page_of.locator("#menu-status summary").click()
    page_of.locator("#open-resolved").click()
    dialog = page_of.get_by_role("dialog")
    cancel, save = dialog.get_by_text("Cancel"), dialog.get_by_role("button", name="Save")
    expect(cancel).to_be_visible()
    left, right = cancel.bounding_box(), save.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]


def test_what_is_being_written_when_the_incident_is_merged_can_be_sent_where_it_went(
    page_of: Page, incident: Incident
) -> None:
    stays = make_incident("The other one")
    page_of.get_by_text("Edit summary").click()
    page_of.get_by_label("Summary, Markdown").fill("An hour of work")
    merge.merge(Actor.system(), stays.pk, [incident.pk])
    poll(page_of)
    expect(page_of.locator("#incident-merged")).to_contain_text(f"Merged into {stays.number}")
    expect(page_of.get_by_label("Summary, Markdown")).to_have_value("An hour of work")
    page_of.locator("#summary-edit").get_by_role("button", name="Save").click()
    dialog = page_of.get_by_role("dialog")
    expect(dialog.get_by_label("What you typed")).to_have_value("An hour of work")
    dialog.get_by_role("button", name=f"Add to {stays.number}").click()
    expect(page_of.locator("#timeline")).to_contain_text("An hour of work")
    expect(page_of).to_have_url(f"{page_of.url.split('/incidents/')[0]}/incidents/{stays.number}/#incident-composer")


def test_a_note_on_an_alert_that_gets_an_incident_meanwhile(
    analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    alert, page = make_alert("Beacon"), sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/{alert.number}/")
    page.get_by_label("Add a note").fill("An hour of work")
    incident = make_incident("Case", alert)
    poll(page)
    expect(page.locator("#alert-composer")).to_contain_text("Notes are written in the incident")
    expect(page.get_by_label("Add a note")).to_have_value("An hour of work")
    page.get_by_role("button", name="Add note").click()
    page.get_by_role("dialog").get_by_role("button", name=f"Add to {incident.number}").click()
    expect(page.locator("#timeline")).to_contain_text("An hour of work")
