"""The boxes of an incident's page in a browser: what is opened comes and stays when the page is renewed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import User
from tests.factories import make_alert, make_incident


@pytest.fixture
def incident(analyst: User) -> Incident:
    """With more alerts than come with the page, and more entries."""
    incident = make_incident("Many", *(make_alert(f"Beacon {number:02}") for number in range(12)))
    for number in range(30):
        incidents.comment(Actor.of(analyst), incident.pk, f"Note number {number}.")
    return incident


def poll(page: Page) -> None:
    """What static/js/live.js does every few seconds."""
    with page.expect_response("**/incidents/*/live/**"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")


def test_all_rows_are_opened_by_keyboard_stay_and_are_folded(
    page_of: Page, incident: Incident, responder: User
) -> None:
    rows, link = page_of.locator("#incident-alerts .rows > li"), page_of.locator("#alerts-fold")
    expect(rows).to_have_count(10)
    link.focus()
    page_of.keyboard.press("Enter")
    expect(rows).to_have_count(12)
    expect(link).to_have_text("Show fewer")
    expect(link).to_be_focused()
    incidents.update(Actor.of(responder), incident.pk, changes={"severity": "critical"})
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Critical")
    expect(rows).to_have_count(12)
    rows.first.get_by_role("button", name="Unlink").click()
    expect(rows).to_have_count(11)
    link.click()
    expect(rows).to_have_count(10)


def test_the_form_of_the_details_comes_and_keeps_what_is_typed(
    page_of: Page, incident: Incident, responder: User
) -> None:
    page_of.get_by_text("Edit details").click()
    page_of.locator("#d-tags").fill("mine")
    incidents.update(Actor.of(responder), incident.pk, changes={"severity": "critical"})
    poll(page_of)
    expect(page_of.locator("#incident-head")).to_contain_text("Critical")
    expect(page_of.locator("#d-tags")).to_have_value("mine")
    page_of.get_by_text("Add an owner").click()
    page_of.locator("#owner-name").select_option(responder.username)
    page_of.locator("#owner-add").get_by_role("button", name="Add").click()
    expect(page_of.locator("#incident-owners .rows")).to_contain_text("Priya Raman")


def test_more_of_the_page_comes_as_one_scrolls(page_of: Page) -> None:
    seen = "document.getElementById('{}').scrollIntoView()"  # what it brings takes its place: no waiting for it to rest
    page_of.evaluate(seen.format("incident-evidence"))
    expect(page_of.locator("#incident-evidence")).to_contain_text("Upload")
    expect(page_of.locator("#incident-assets")).to_contain_text("Add an asset")
    page_of.evaluate(seen.format("timeline-older"))
    expect(page_of.get_by_text("Note number 0.")).to_be_attached()
