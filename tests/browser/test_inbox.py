"""The inbox in the browser: by mouse, by keyboard, without scripts, narrow; axe in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Incident, Notification
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_incident
from tests.notification_tools import run

LONG = "Forwarding rule that sends everything to an address outside of the house, seen again on three other mailboxes"


@pytest.fixture
def incident(analyst: User, responder: User) -> Incident:
    """Mara is given it, and Priya writes on it."""
    made = make_incident(LONG)
    incidents.owners(Actor.of(responder), made.pk, add=[analyst])
    incidents.comment(Actor.of(responder), made.pk, f"Look at this: https://example.org/{'x' * 120}")
    run()
    return made


@pytest.fixture
def inbox(incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """Mara's inbox."""
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/inbox/")
    return page


def test_read_and_opened(inbox: Page, incident: Incident) -> None:
    bell = inbox.locator("#nav-n-inbox")
    expect(bell).to_have_text("2")
    line = inbox.locator("li", has_text="Priya Raman gave it to you")
    line.get_by_role("button", name="Read").click()
    expect(line.get_by_role("button", name="Unread")).to_be_visible()
    inbox.get_by_role("link", name="Priya Raman wrote a note").click()
    expect(inbox.get_by_role("heading", level=1)).to_have_text(LONG)
    expect(bell).to_be_hidden()
    assert Notification.objects.filter(read_at=None).count() == 0


def test_what_comes_is_said_without_a_reload(inbox: Page, incident: Incident, responder: User, analyst: User) -> None:
    incidents.comment(Actor.of(responder), incident.pk, "One more")
    run()
    news = inbox.get_by_role("link", name="1 new")
    expect(news).to_be_visible()
    news.click()
    expect(inbox.get_by_text("One more")).to_be_visible()


def test_by_keyboard(inbox: Page, live_server: LiveServer) -> None:
    inbox.goto(f"{live_server.url}/settings/")
    inbox.locator("main").focus()
    inbox.keyboard.press("g")
    inbox.keyboard.press("n")
    expect(inbox).to_have_url(f"{live_server.url}/inbox/")
    everything = inbox.get_by_role("button", name="Mark all as read")
    everything.focus()
    inbox.keyboard.press("Enter")
    expect(inbox.get_by_role("heading", name="All read")).to_be_visible()


def test_followed_in_the_dialog(inbox: Page, incident: Incident, live_server: LiveServer) -> None:
    inbox.goto(f"{live_server.url}/incidents/{incident.number}/")
    inbox.locator(".head").get_by_role("link", name="Notifications").click()
    dialog = inbox.get_by_role("dialog")
    check_accessibility(inbox)
    dialog.get_by_label("Mute:").check()
    dialog.get_by_role("button", name="Save").click()
    expect(inbox.get_by_text(f"{incident.number} is muted")).to_be_visible()


def test_chosen(inbox: Page, live_server: LiveServer) -> None:
    inbox.get_by_role("link", name="Choose what is told").click()
    inbox.get_by_label("Notes: E-mail").select_option("hourly")
    inbox.get_by_label("Your team: Inbox").uncheck()
    inbox.get_by_role("button", name="Save").click()
    expect(inbox.get_by_text("Saved")).to_be_visible()
    expect(inbox.get_by_label("Notes: E-mail")).to_have_value("hourly")
    expect(inbox.get_by_label("Your team: Inbox")).not_to_be_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/inbox/", "/inbox/?reason=sla", "/inbox/settings/", "/incidents/{}/watch/"])
def test_accessible_and_narrow(
    path: str, theme: Any, incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    User.objects.filter(pk=analyst.pk).update(theme=theme)
    page = sign_in(analyst)
    page.goto(live_server.url + path.format(incident.number))
    check_accessibility(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    check_accessibility(page)


def test_without_scripts(
    incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer, browser: Any
) -> None:
    cookies = sign_in(analyst).context.cookies()
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{live_server.url}/inbox/")
    line = page.locator("li", has_text="Priya Raman gave it to you")
    line.get_by_role("button", name="Read").click()
    expect(page.get_by_text("Marked as read")).to_be_visible()
    page.get_by_label("Why").select_option("comment")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Priya Raman wrote a note").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG)
    context.close()
    assert Notification.objects.filter(read_at=None).count() == 0
