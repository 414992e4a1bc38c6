"""The ServiceNow sync in the browser: by keyboard, live, on a phone, axe in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import LinkState, TicketConflict, TicketLink
from cases.models.servicenow_traffic import ChangeState
from soar.accounts.models import User
from soar.lib import clock
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_incident
from tests.ticket_rows import (
    make_conflict,
    make_failure,
    make_gap,
    make_instance,
    make_link,
    make_profile,
    make_waiting,
)

CHOICES = {
    "close_code": [["Known error", "Known error"], ["Resolved by change", "Resolved by change"]],
    "state": [["2", "In Progress"]],
}


@pytest.fixture
def link(db: None) -> TicketLink:
    """A ticket of an incident of everybody, with a failure, a conflict and a gap; and one whose ticket is lost."""
    kept = {"choices": {"incident": {"at": "2026-03-12T08:58:00+00:00", "elements": CHOICES}}}
    instance = make_instance(out_ok_at=clock.now(), in_ok_at=clock.now(), vocabulary=kept)
    profile = make_profile(instance, "Security, EU")
    made = make_link(make_incident("Rented servers"), profile, theirs={"state": "2"})
    make_failure(made)
    make_waiting(made)
    make_conflict(made)
    make_gap(profile)
    lost = make_link(make_incident("Mailbox rule"), profile, state=LinkState.BROKEN, reason="404 No Record found")
    make_waiting(lost)
    return made


@pytest.fixture
def sync_page(link: TicketLink, admin: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The page of the sync."""
    page = sign_in(admin)
    page.goto(f"{live_server.url}/servicenow/")
    return page


def press(page: Page, name: str) -> None:
    """Press the button or link of this name with the keyboard alone."""
    page.get_by_role("main").get_by_label(name).first.focus()
    page.keyboard.press("Enter")


def test_a_conflict_is_decided_by_keyboard(sync_page: Page, link: TicketLink) -> None:
    press(sync_page, f"Take theirs for {link.incident.number} Severity")
    expect(sync_page.locator("#conflicts")).to_contain_text("No field was changed on both sides")
    expect(sync_page.locator("#live")).to_contain_text("took theirs")
    assert TicketConflict.objects.get().outcome == "theirs"


def test_a_retry_by_keyboard(sync_page: Page, link: TicketLink) -> None:
    press(sync_page, f"Retry for {link.incident.number}")
    expect(sync_page.locator("#failures")).not_to_contain_text("Data Policy Exception")
    assert not link.changes.filter(state=ChangeState.FAILED).exists()


def test_a_skip_asks_for_a_reason_and_gives_the_focus_back(sync_page: Page, link: TicketLink) -> None:
    press(sync_page, f"Skip for {link.incident.number}")
    dialog = sync_page.get_by_role("dialog")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    check_accessibility(sync_page)
    sync_page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    press(sync_page, f"Skip for {link.incident.number}")
    dialog.get_by_label("Reason").fill("Done there by hand")
    sync_page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(sync_page.locator("#failures")).not_to_contain_text("Data Policy Exception")
    assert link.changes.filter(state=ChangeState.SKIPPED).count() == 1


def test_all_are_skipped_with_one_reason(sync_page: Page, link: TicketLink) -> None:
    make_failure(link)
    sync_page.reload()
    sync_page.get_by_role("link", name="Skip both").focus()
    sync_page.keyboard.press("Enter")
    dialog = sync_page.get_by_role("dialog")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    check_accessibility(sync_page)
    dialog.get_by_label("Reason").fill("The table was closed")
    sync_page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(sync_page.locator("#live")).to_contain_text("Skipped 2 changes")
    expect(sync_page.locator("#failures")).not_to_contain_text("Data Policy Exception")


def test_a_lost_ticket_is_linked_to_another_by_keyboard(sync_page: Page) -> None:
    lost = TicketLink.objects.get(state=LinkState.BROKEN)
    press(sync_page, f"Link {lost.incident.number} to another ticket")
    dialog = sync_page.get_by_role("dialog")
    dialog.get_by_label("Number of the ticket").fill("nonsense")
    sync_page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("such as INC0010234")
    expect(dialog.get_by_label("Number of the ticket")).to_have_value("nonsense")
    dialog.get_by_label("Number of the ticket").fill("INC0000777")
    sync_page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(sync_page.locator("#failures")).not_to_contain_text("No Record found")
    assert TicketLink.objects.get(number="INC0000777").incident == lost.incident


def test_a_gap_is_mapped_by_choosing(sync_page: Page, link: TicketLink) -> None:
    sync_page.get_by_label("Determination suspicious → close code").select_option("Known error")
    expect(sync_page.locator("#gaps")).not_to_contain_text("suspicious")
    link.profile.refresh_from_db()
    assert link.profile.maps["close_code"]["suspicious"] == "Known error"


def test_pausing_and_what_others_do_is_seen_without_reloading(sync_page: Page, link: TicketLink) -> None:
    press(sync_page, "Pause: To ServiceNow")
    expect(sync_page.locator("#sync-health")).to_contain_text("Paused")
    make_conflict(link, "title")
    expect(sync_page.locator("#conflicts")).to_contain_text("Title", timeout=15_000)


def test_from_an_incident_a_ticket_is_linked(
    link: TicketLink, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(analyst)
    incident = make_incident("No ticket yet")
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    page.locator("#ticket-link").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Number of the ticket").fill("INC0000888")
    dialog.get_by_role("button", name="Link it").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#incident-tickets")).to_contain_text("Being linked")
    expect(page.locator("#incident-tickets")).to_contain_text("INC0000888")
    check_accessibility(page)


def test_an_open_dialog_and_its_words_stay_over_a_poll(sync_page: Page, link: TicketLink) -> None:
    press(sync_page, f"Skip for {link.incident.number}")
    reason = sync_page.get_by_role("dialog").get_by_label("Reason")
    reason.fill("Half a thought")
    make_conflict(link, "title")
    with sync_page.expect_response(lambda answer: "/servicenow/live/" in answer.url and answer.status == 200):
        sync_page.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    expect(reason).to_have_value("Half a thought")
    expect(reason).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "conflicts/", "conflicts/?settled=1", "links/", "log/"])
def test_axe_and_a_phone(
    link: TicketLink, admin: User, sign_in: SignIn, live_server: LiveServer, path: str, theme: Any
) -> None:
    make_conflict(link, "title", outcome="ours", rule="ours")
    page = sign_in(admin)
    page.emulate_media(color_scheme=theme)
    page.goto(f"{live_server.url}/servicenow/{path}")
    check_accessibility(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    check_accessibility(page)


def test_without_scripts(link: TicketLink, admin: User, browser: Any, live_server: LiveServer) -> None:
    from django.conf import settings

    from tests.fixtures import client_of

    context = browser.new_context(java_script_enabled=False)
    cookie = client_of(admin).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/servicenow/conflicts/")
    page.get_by_label("Keep ours for").click()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
    page.goto(f"{live_server.url}/servicenow/")
    page.get_by_label("Skip for").click()
    page.get_by_label("Reason").fill("Done there by hand")
    page.get_by_role("button", name="Skip it").click()
    expect(page).to_have_url(f"{live_server.url}/servicenow/")
    assert link.changes.filter(state=ChangeState.SKIPPED).count() == 1
    context.close()


def test_the_focus_stays_where_rows_are_worked_off(link: TicketLink, sync_page: Page) -> None:
    make_conflict(link, "title")
    other = make_link(make_incident("Another"), link.profile)
    make_failure(other)
    sync_page.reload()
    press(sync_page, f"Take theirs for {link.incident.number} Severity")
    expect(sync_page.get_by_label(f"Take theirs for {link.incident.number} Title")).to_be_focused()
    sync_page.keyboard.press("Enter")
    expect(sync_page.get_by_role("heading", name="Conflicts")).to_be_focused()
    press(sync_page, f"Retry for {link.incident.number}")
    expect(sync_page.get_by_label(f"Retry for {other.incident.number}")).to_be_focused()


def test_the_focus_stays_on_the_page_of_conflicts(
    link: TicketLink, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    make_conflict(link, "title")
    page = sign_in(admin)
    page.goto(f"{live_server.url}/servicenow/conflicts/")
    press(page, f"Keep ours for {link.incident.number} Severity")
    expect(page.get_by_label(f"Keep ours for {link.incident.number} Title")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_focused()


def test_the_focus_stays_after_a_skip(link: TicketLink, sync_page: Page) -> None:
    other = make_link(make_incident("Another"), link.profile)
    make_failure(other)
    sync_page.reload()
    press(sync_page, f"Skip for {link.incident.number}")
    sync_page.get_by_role("dialog").get_by_label("Reason").fill("Done there by hand")
    sync_page.keyboard.press("Enter")
    expect(sync_page.get_by_label(f"Skip for {other.incident.number}")).to_be_focused()
