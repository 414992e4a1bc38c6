"""An alert worked in the browser: the panel beside the queue, verbs in dialogs, what others change, its incident."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.factories import make_alert, make_incident


@pytest.fixture
def alert(analyst: User) -> Alert:
    return make_alert("Beacon to a rented server", hostname="LT-0114", observables=(("ip", "203.0.113.7"),))


@pytest.fixture
def page_of(alert: Alert, analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The alert's page, of an analyst."""
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/{alert.number}/")
    return page


def test_the_payload_is_copied_whole_and_only_its_beginning_is_told(
    analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    alert, page = make_alert("Beacon", raw='{"id": "edr-4711", "path": "' + "x" * 200 + '"}'), sign_in(analyst)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    page.goto(f"{live_server.url}/alerts/{alert.number}/raw/")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied: {")).to_contain_text("…")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#payload").text_content()


def poll(page: Page) -> None:
    """What static/js/live.js does every few seconds."""
    page.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")


def test_the_panel_opens_beside_the_list_and_back_closes_it(
    alert: Alert, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/")
    page.get_by_role("link", name=alert.title).click()
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name=alert.title)).to_be_visible()
    expect(page.locator("#alert-table")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/alerts/{alert.number}/")
    page.go_back()
    expect(panel).to_be_hidden()
    expect(page).to_have_url(f"{live_server.url}/alerts/")
    page.go_forward()
    expect(panel.get_by_role("heading", name=alert.title)).to_be_visible()
    panel.get_by_role("button", name="Close panel").click()
    expect(panel).to_be_hidden()
    expect(page).to_have_url(f"{live_server.url}/alerts/")


def test_a_verb_in_the_panel_changes_the_row(
    alert: Alert, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/")
    page.get_by_role("link", name=alert.title).click()
    page.locator("#panel").get_by_role("button", name="Assign to me").click()
    expect(page.locator(f"#alert-{alert.pk}")).to_contain_text("ML")
    expect(page.locator("#panel #timeline")).to_contain_text("claimed it")


def test_in_a_narrow_window_the_title_leads_to_the_page(
    alert: Alert, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(analyst)
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto(f"{live_server.url}/alerts/")
    page.get_by_role("link", name=alert.title).click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_resolving_asks_first(page_of: Page, alert: Alert) -> None:
    page_of.keyboard.press("r")
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog).to_contain_text("Choose what it turned out to be")
    expect(dialog.get_by_label("If benign")).to_be_hidden()
    dialog.get_by_label("Benign", exact=True).check()
    dialog.get_by_label("If benign").select_option("benign_true_positive")
    dialog.get_by_label("Reason").fill("Our own scanner")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog).to_be_hidden()
    expect(page_of.locator("#alert-head")).to_contain_text("Resolved")
    expect(page_of.locator("#timeline")).to_contain_text("Our own scanner")
    alert.refresh_from_db()
    assert (alert.determination, alert.findings) == (Determination.BENIGN, "benign_true_positive")


def test_what_somebody_else_changes_appears(page_of: Page, alert: Alert, responder: User) -> None:
    page_of.locator("#note").fill("Half a sen")
    page_of.locator("#menu-severity summary").click()
    alerts.claim(Actor.of(responder), alert.pk)
    poll(page_of)
    expect(page_of.locator("#alert-head")).to_contain_text("Priya Raman")
    expect(page_of.locator("#timeline")).to_contain_text("claimed it")
    expect(page_of.locator("#note")).to_have_value("Half a sen")
    expect(page_of.locator("#menu-severity")).to_have_attribute("open", "")
    page_of.locator("#menu-severity").get_by_role("button", name="Critical").click()
    expect(page_of.locator("#alert-head .sev").first).to_have_text("Critical")
    assert Alert.objects.get(pk=alert.pk).severity == Severity.CRITICAL


def test_a_stale_dialog_shows_both_and_saves_nothing(page_of: Page, alert: Alert, responder: User) -> None:
    page_of.locator("#open-tags").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Tags").fill("mine")
    alerts.set_tags(Actor.of(responder), alert.pk, ["theirs"])
    poll(page_of)
    expect(page_of.locator("#alert-head")).to_contain_text("theirs")
    dialog.get_by_role("button", name="Save tags").click()
    expect(dialog).to_contain_text("changed by somebody else")
    expect(dialog).to_contain_text("you wanted “mine”, it is now “theirs”")
    expect(dialog.get_by_label("Tags")).to_have_value("mine")
    assert Alert.objects.get(pk=alert.pk).tags == ["theirs"]
    dialog.get_by_role("button", name="Save tags").click()
    expect(dialog).to_be_hidden()
    assert Alert.objects.get(pk=alert.pk).tags == ["mine"]


def test_what_a_conflict_says_stays_when_the_page_is_renewed(page_of: Page, alert: Alert, responder: User) -> None:
    page_of.locator("#menu-severity summary").click()
    alerts.set_severity(Actor.of(responder), alert.pk, "low")
    page_of.locator("#menu-severity").get_by_role("button", name="Critical").click()
    note = page_of.locator("#alert-note")
    expect(note).to_contain_text("you wanted “Critical”, it is now “Low”")
    with page_of.expect_response("**/live/**"):
        poll(page_of)
    alerts.claim(Actor.of(responder), alert.pk)
    poll(page_of)
    expect(page_of.locator("#alert-head")).to_contain_text("Priya Raman")
    expect(note).to_contain_text("you wanted “Critical”, it is now “Low”")
    page_of.locator("#menu-severity summary").click()
    page_of.locator("#menu-severity").get_by_role("button", name="High").click()
    expect(note).to_be_empty()
    assert Alert.objects.get(pk=alert.pk).severity == Severity.HIGH


def test_notes_are_written_and_corrected(page_of: Page) -> None:
    page_of.locator("#note").fill("Firts wording")
    page_of.get_by_role("button", name="Add note").click()
    entry = page_of.locator("#timeline article")
    expect(entry).to_contain_text("Firts wording")
    expect(page_of.locator("#note")).to_have_value("")
    entry.get_by_label("Correct this note").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Note, Markdown").fill("First wording")
    dialog.get_by_role("button", name="Save").click()
    expect(entry).to_contain_text("First wording")
    expect(entry).to_contain_text("1 earlier wording")


def test_linking_and_opening_incidents_in_place(page_of: Page, alert: Alert, live_server: LiveServer) -> None:
    other = make_incident("Rented servers", make_alert("First", hostname="LT-0114"))
    poll(page_of)
    page_of.reload()
    box = page_of.locator("#alert-incident")
    box.get_by_role("button", name=f"Add to {other.number}").click()
    expect(box).to_contain_text("2 alerts")
    box.get_by_role("button", name="Take out of").click()
    expect(box.get_by_text("Create a new incident")).to_be_visible()
    box.get_by_text("Create a new incident").click()
    box.get_by_label("Title").fill("A case of its own")
    box.get_by_role("button", name="Create and link").click()
    expect(box).to_contain_text("A case of its own")
    expect(page_of).to_have_url(f"{live_server.url}/alerts/{alert.number}/")
    assert Incident.objects.get(title="A case of its own").alerts.get() == alert
    box.get_by_label("Move to another").fill("Rented")
    found = page_of.locator("#incident-found")
    found.get_by_role("button", name="Move").click()
    expect(box).to_contain_text("Move it if that is meant")
    box.get_by_role("button", name=f"Move {alert.number} to {other.number}").click()
    expect(box.get_by_role("link", name=other.number)).to_be_visible()
    alert.refresh_from_db()
    assert (alert.incident_id, alert.status) == (other.pk, AlertStatus.NEW)


def test_a_poll_takes_nothing_away_that_is_being_typed(page_of: Page, alert: Alert, responder: User) -> None:
    box = page_of.locator("#alert-incident")
    box.get_by_text("Create a new incident").click()
    box.get_by_label("Title").fill("Half a sent")
    box.get_by_label("I own it").uncheck()
    make_incident("Rented servers", make_alert("First", hostname="LT-0114"))
    alerts.claim(Actor.of(responder), alert.pk)
    poll(page_of)
    expect(box).to_contain_text("1 likely match")
    expect(box.get_by_label("Title")).to_have_value("Half a sent")
    expect(box.get_by_label("I own it")).not_to_be_checked()


def test_everything_reads_and_resolves_without_scripts(
    alert: Alert, analyst: User, sign_in: SignIn, live_server: LiveServer, browser: object
) -> None:
    cookies = sign_in(analyst).context.cookies()
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{live_server.url}/alerts/")
    page.get_by_label(f"Select {alert.number}").check()
    expect(page.locator("#bulk-bar").get_by_text("selected")).to_be_hidden()
    page.get_by_role("button", name="Severity").click()
    expect(page.get_by_role("heading", name=f"Severity of {alert.number}")).to_be_visible()
    page.get_by_label("Severity", exact=True).select_option("critical")
    page.get_by_role("button", name="Set severity").click()
    expect(page.locator("#toasts")).to_contain_text("1 alert changed")
    page.get_by_role("link", name=alert.title).click()
    expect(page.locator("#alert-head .sev").first).to_have_text("Critical")
    page.get_by_role("link", name="Resolve").first.click()
    page.get_by_label("Malicious").check()
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("#alert-head")).to_contain_text("Resolved")
    context.close()
    assert Alert.objects.get(pk=alert.pk).status == AlertStatus.RESOLVED
