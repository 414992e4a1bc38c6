"""A result ticket set by keyboard in the builder: the profile's settings load, an edit overrides them (23)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from playbooks.models import Playbook
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.keyboard import applied, choose, press, write
from tests.drawn import drawn, graph
from tests.ticket_profiles import make_instance, make_profile


@pytest.fixture
def row(admin: User) -> Playbook:
    """A playbook with an empty notification, and a profile for its ticket."""
    make_profile(make_instance())
    return drawn(admin, graph("Tell", {"id": "n1", "type": "notify", "parent": "target", "side": "right"}))


def test_23_a_ticket_is_set_by_keyboard(row: Playbook, admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/playbooks/{row.pk}/edit/?node=n1")
    press(page, "checkbox", "ServiceNow ticket", "Space")
    choose(page, "Ticket profile", "Sec", "Security")
    page.keyboard.press("Tab")  # the list tells that another one is chosen
    group = page.get_by_label("Assignment group", exact=True)
    expect(group).to_have_value("Security Operations")
    expect(page.get_by_text("From the profile.").first).to_be_visible()
    write(page, "Assignment group", "Network Team")
    applied(page)
    expect(group).to_have_value("Network Team")
    expect(page.get_by_text("the profile has: Security Operations")).to_be_visible()
    check_accessibility(page)
    row.refresh_from_db()
    (use,) = (row.draft or {})["nodes"][0]["actions"]
    assert use == {"action": "ticket", "params": {"profile": "Security", "assignment_group": "Network Team"}}
