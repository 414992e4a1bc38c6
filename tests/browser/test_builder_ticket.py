"""A result ticket set by keyboard in the builder: the profile's settings load, an edit overrides them (23)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from playbooks.models import Playbook
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.keyboard import applied, choose, press, write
from tests.drawn import drawn, graph
from tests.servicenow_desk import Desk, desk
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


@pytest.fixture
def there(transactional_db: None) -> Iterator[Desk]:
    """A stand-in that answers, so that its people and groups can be found."""
    with desk() as made:
        make_profile(make_instance(made.account))
        yield made


def test_23_groups_and_people_are_suggested_while_one_types(
    there: Desk, author: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    use = {"action": "ticket", "params": {"profile": "Security"}}
    row = drawn(
        author, graph("Tell", {"id": "n1", "type": "notify", "parent": "target", "side": "right", "actions": [use]})
    )
    page = sign_in(author)
    page.goto(f"{live_server.url}/playbooks/{row.pk}/edit/?node=n1")
    for label, typed, offered in (("Assignment group", "netw", "Network Team"),
                                  ("Assigned to", "strand", "Ola Strand (o.strand)")):  # fmt: skip
        box = page.get_by_label(label, exact=True)
        box.fill("")
        box.press_sequentially(typed)
        expect(page.locator(f"#{box.get_attribute('list')} option")).to_have_count(1)
        expect(page.locator(f"#{box.get_attribute('list')} option").first).to_have_attribute("value", offered)
        box.fill(offered)
    applied(page)
    row.refresh_from_db()
    (kept,) = (row.draft or {})["nodes"][0]["actions"]
    assert kept["params"] == {
        "profile": "Security", "assignment_group": "Network Team", "assigned_to": "Ola Strand (o.strand)"
    }  # fmt: skip
