"""Who works by keyboard keeps their place: what replaces a control in use hands the focus on (static/js/focus.js)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.factories import make_alert, make_incident


@pytest.fixture
def incident(analyst: User) -> Incident:
    incident = make_incident("Beacons", make_alert("Beacon"))
    incidents.comment(Actor.of(analyst), incident.pk, "Seen at two o'clock.")
    return incident


@pytest.fixture
def page_of(incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    return page


def press(page: Page, role: str, name: str) -> None:
    """Enter on the first control of this name."""
    page.get_by_role(role, name=name, exact=True).first.press("Enter")  # type: ignore[arg-type]


def test_a_note_is_written_pinned_and_taken_off_the_pins(page_of: Page) -> None:
    page_of.locator("#note").fill("A second one.")
    press(page_of, "button", "Add")
    expect(page_of.locator("#timeline")).to_contain_text("A second one.")
    expect(page_of.get_by_role("button", name="Add", exact=True).first).to_be_focused()
    press(page_of, "button", "Pin")
    expect(page_of.locator("#timeline").get_by_role("button", name="Unpin")).to_be_focused()
    page_of.keyboard.press("Enter")
    expect(page_of.locator("#timeline").get_by_role("button", name="Unpin")).to_have_count(0)
    expect(page_of.locator("#timeline").get_by_role("button", name="Pin", exact=True).first).to_be_focused()


def test_a_corrected_note_has_the_focus_where_its_correction_began(page_of: Page) -> None:
    press(page_of, "link", "Correct this note")
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Seen at three o'clock.")
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(page_of.locator("#timeline")).to_contain_text("three o'clock")
    expect(page_of.get_by_role("link", name="Correct this note").first).to_be_focused()


def test_who_went_elsewhere_is_left_there(page_of: Page, incident: Incident, responder: User) -> None:
    link = page_of.get_by_role("link", name="Matrix")
    link.focus()
    incidents.comment(Actor.of(responder), incident.pk, "From somebody else.")
    with page_of.expect_response("**/incidents/*/live/**"):
        page_of.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    expect(page_of.locator("#timeline")).to_contain_text("From somebody else.")
    expect(link).to_be_focused()
