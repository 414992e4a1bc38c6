"""A playbook drawn from nothing by keyboard alone, rehearsed, published and enabled (response-playbooks.md 1, 29).

No mouse is used: every step is Tab, Enter, Space, arrows and typing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.choices import Severity
from cases.models import Alert
from playbooks.models import Playbook, ResponseTask, Run
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_own
from soar.connectors.models import ConnectorAccount
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.keyboard import applied, choose, press, unfold, write
from tests.factories import make_alert, make_source

BAD = "203.0.113.77"


@pytest.fixture
def alert(blue: Team) -> Alert:
    """A reported message with a bad address in it."""
    add_own(None, "ip", BAD, "seen in an attack", effect="malicious")
    source = make_source(team=blue, delivers="email")
    ConnectorAccount.objects.create(
        kind="visionone",
        name="EU tenant",
        settings={"url": "https://127.0.0.1:9"},
        secrets={"token": "t0ps3cret"},  # type: ignore[misc]
    )
    return make_alert("Phishing reported", source=source, severity=Severity.HIGH, observables=(("ip", BAD),))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_29_phishing_drawn_by_keyboard_and_rehearsed(
    theme: str, admin: User, alert: Alert, sign_in: SignIn, live_server: LiveServer
) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    page = sign_in(admin)
    page.goto(f"{live_server.url}/playbooks/")
    unfold(page, "#new-playbook")
    press(page, "button", "Empty response playbook")
    expect(page).to_have_url(re.compile(r"/playbooks/\d+/edit/$"))

    # Its name, then the target.
    press(page, "link", "Playbook New playbook")
    expect(page.get_by_role("heading", name="Playbook", exact=True)).to_be_focused()
    write(page, "Name", "Phishing")
    applied(page)
    expect(page.get_by_role("heading", name="Phishing", level=1)).to_be_visible()
    press(page, "link", "Target High or above")
    press(page, "switch", "Filter by highlighted object risk", "Space")
    press(page, "switch", "Open an incident", "Space")
    applied(page)
    check_accessibility(page)

    # A condition, by the button under the drawing.
    press(page, "button", "Condition")
    expect(page.get_by_role("heading", name=re.compile("^Condition"))).to_be_focused()
    write(page, "Name", "Known to be bad")
    press(page, "button", "Add a row")
    choose(page, "Parameter", "Object", "Object risk")
    expect(page.get_by_label("Highly suspicious")).to_be_visible()
    press(page, "checkbox", "Highly suspicious", "Space")
    applied(page)

    # What it does, by the "+" of the drawing; an else below.
    press(page, "link", "Add a parallel action or notification after Known to be bad")
    expect(page.get_by_role("heading", name="What may follow Known to be bad")).to_be_focused()
    press(page, "button", "Action")
    write(page, "Name", "Block it")
    unfold(page, "#group-general")
    press(page, "checkbox", "Add to block list", "Space")
    write(page, "Days until it expires", "30")
    press(page, "checkbox", "Highly suspicious", "Space")
    applied(page)
    press(page, "link", "Condition Known to be bad Object risk")
    press(page, "button", "Else action below it")
    write(page, "Name", "Leave a note")
    unfold(page, "#group-case")
    press(page, "checkbox", "Add comment", "Space")
    write(page, "Comment", "Nothing is known against it.")
    applied(page)
    expect(page.locator("#graph a.node")).to_have_count(5)
    check_accessibility(page)

    # Rehearse: nothing is sent.
    press(page, "link", "Rehearse")
    write(page, "Alert", alert.number)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    expect(page.get_by_role("table", name="Each object with the values compared").first).to_contain_text(BAD)
    expect(page.locator("#would")).to_contain_text("Add to block list")
    expect(page.locator("#would")).not_to_contain_text("t0ps3cret")
    check_accessibility(page)
    assert not Run.objects.exists() and not ResponseTask.objects.exists()

    # Publish and enable.
    press(page, "link", "Back to the draft")
    press(page, "button", "Publish version 1")
    expect(page.get_by_text("Published as it is")).to_be_visible()
    press(page, "button", "Enable version 1")
    expect(page.get_by_role("button", name="Disable version 1")).to_be_visible()
    row = Playbook.objects.get(name="Phishing")
    assert row.enabled
    assert row.current is not None and len(row.current.definition["nodes"]) == 3


def test_two_lists_stand_below_each_other_where_there_is_no_room(
    admin: User, alert: Alert, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/playbooks/templates/")
    page.locator("#name-phishing").fill("Mine")
    page.locator("#t-phishing").get_by_role("button").click()
    page.goto(f"{page.url.partition('?')[0]}?node=target")
    for width in (1440, 1000, 390):
        page.set_viewport_size({"width": width, "height": 900})
        lists = page.locator(".sides > .pick")
        expect(lists.first).to_be_visible()
        boxes = [one.bounding_box() for one in lists.all() if one.is_visible()]
        assert boxes and all(box is not None and box["width"] >= 240 for box in boxes), f"{boxes} at {width}"


def test_a_phone_has_all_of_it(admin: User, alert: Alert, sign_in: SignIn, live_server: LiveServer) -> None:
    page = sign_in(admin)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/playbooks/templates/")
    page.locator("#name-phishing").fill("Mine")
    page.locator("#t-phishing").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    for node in ("target", "known", "contain", "report", "trigger", "playbook"):
        page.goto(f"{page.url.partition('?')[0]}?node={node}")
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"the page scrolls sideways at {node}"
    check_accessibility(page)
    number = Playbook.objects.get(name="Mine").pk
    for path in ("", "versions/", f"rehearse/?alert={alert.number}", "backtest/"):
        page.goto(f"{live_server.url}/playbooks/{number}/{path}")
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{path} scrolls sideways"
        check_accessibility(page)
