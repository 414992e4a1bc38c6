"""The alert queue worked by keyboard: j k x Enter a r e, and the bar for what is ticked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.factories import make_alert


@pytest.fixture
def queue(analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The queue of an analyst with three alerts, the most urgent first."""
    make_alert("Third, of little weight", severity=Severity.LOW, hostname="LT-3")
    make_alert("Second, of some weight", severity=Severity.MEDIUM, hostname="LT-2")
    make_alert("First of all", severity=Severity.CRITICAL, hostname="LT-1", observables=(("ip", "203.0.113.7"),))
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/")
    expect(page.locator("table.queue tbody tr")).to_have_count(3)
    return page


def row(page: Page, title: str) -> Locator:
    """The row of the alert with this title."""
    return page.locator("table.queue tbody tr", has_text=title)


def has_cursor(page: Page, title: str) -> None:
    """Expect the cursor on this row, and nowhere else."""
    expect(page.locator("tr.cur")).to_have_count(1)
    expect(page.locator("tr.cur")).to_contain_text(title)


def press(page: Page, *keys: str) -> None:
    """Press these keys, one after another."""
    for key in keys:
        page.keyboard.press(key)


def test_j_and_k_move_the_cursor_and_stop_at_the_ends(queue: Page) -> None:
    press(queue, "j")
    has_cursor(queue, "First of all")
    press(queue, "j", "j", "j")
    has_cursor(queue, "Third, of little weight")
    press(queue, "k")
    has_cursor(queue, "Second, of some weight")


def test_x_ticks_and_the_bar_counts(queue: Page) -> None:
    bar = queue.locator("#bulk-bar")
    expect(bar).to_be_hidden()
    press(queue, "j", "x", "j", "x")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("2 selected")
    press(queue, "x")
    expect(bar).to_contain_text("1 selected")
    press(queue, "Escape")
    expect(bar).to_be_hidden()


def test_enter_opens_the_alert_under_the_cursor(queue: Page, live_server: LiveServer) -> None:
    press(queue, "j", "j", "Enter")
    expect(queue.get_by_role("heading", name="Second, of some weight").first).to_be_visible()


def test_a_assigns_to_me_what_is_under_the_cursor(queue: Page, analyst: User) -> None:
    press(queue, "j", "a")
    expect(row(queue, "First of all")).to_contain_text("ML")
    alert = Alert.objects.get(title="First of all")
    assert (alert.owner, alert.status) == (analyst, AlertStatus.IN_PROGRESS)
    assert Alert.objects.filter(owner=None).count() == 2


def test_a_assigns_all_that_are_ticked(queue: Page, analyst: User) -> None:
    press(queue, "j", "x", "j", "x", "a")
    expect(row(queue, "Second, of some weight")).to_contain_text("ML")
    expect(queue.locator("#bulk-bar")).to_be_hidden()
    assert Alert.objects.filter(owner=analyst).count() == 2


def test_r_asks_for_a_determination_and_resolves(queue: Page) -> None:
    press(queue, "j", "j", "r")
    dialog = queue.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Malicious").check()
    dialog.get_by_label("Reason").fill("Seen before, blocked at the edge")
    dialog.get_by_role("button", name="Resolve").click()
    expect(dialog).to_be_hidden()
    expect(queue.locator("#alert-total")).to_contain_text("2")
    alert = Alert.objects.get(title="Second, of some weight")
    assert (alert.status, alert.determination) == (AlertStatus.RESOLVED, Determination.MALICIOUS)
    assert alert.resolve_reason == "Seen before, blocked at the edge"


def test_e_opens_an_incident_from_what_is_ticked(queue: Page) -> None:
    press(queue, "j", "x", "j", "x", "e")
    dialog = queue.get_by_role("dialog")
    dialog.get_by_label("Title of a new incident").fill("Two that belong together")
    dialog.get_by_role("button", name="Open incident").click()
    expect(row(queue, "Second, of some weight")).to_contain_text("INC-")
    incident = Incident.objects.get()
    assert incident.title == "Two that belong together"
    assert incident.alert_count == 2


def test_j_and_k_lead_from_alert_to_alert_on_their_pages(queue: Page, live_server: LiveServer) -> None:
    second = Alert.objects.get(title="Second, of some weight")
    queue.goto(f"{live_server.url}/alerts/{second.number}/")
    for key, title in (
        ("k", "First of all"),
        ("k", "First of all"),
        ("j", "Second, of some weight"),
        ("j", "Third, of"),
    ):
        press(queue, key)
        expect(queue.locator("#alert-head h1")).to_contain_text(title)
    expect(queue.get_by_role("link", name="Next alert")).to_be_hidden()
    queue.get_by_role("link", name="Previous alert").click()
    expect(queue.locator("#alert-head h1")).to_contain_text("Second, of some weight")


def test_the_panel_goes_on_to_the_next_alert(queue: Page) -> None:
    press(queue, "j", "Enter")
    panel = queue.locator("#panel")
    expect(panel).to_contain_text("First of all")
    expect(panel.get_by_role("link", name="Previous alert")).to_be_hidden()
    panel.get_by_role("link", name="Next alert").click()
    expect(panel).to_contain_text("Second, of some weight")
    expect(queue.locator("#alert-table tr[aria-current]")).to_contain_text("Second, of some weight")


def test_an_alert_that_was_opened_from_elsewhere_has_none_beside_it(queue: Page, live_server: LiveServer) -> None:
    late = make_alert("Came later")
    queue.goto(f"{live_server.url}/alerts/{late.number}/")
    expect(queue.locator("#alert-head h1")).to_contain_text("Came later")
    expect(queue.locator("[data-beside]")).to_be_hidden()
    press(queue, "j")
    expect(queue.locator("#alert-head h1")).to_contain_text("Came later")


def test_keys_are_letters_again_in_a_field(queue: Page) -> None:
    press(queue, "/")
    queue.keyboard.type("jxa host:LT-2")
    expect(queue.locator("#q")).to_have_value("jxa host:LT-2")
    expect(queue.locator("#bulk-bar")).to_be_hidden()
    assert not Alert.objects.exclude(owner=None).exists()


def test_half_a_word_is_called_short_only_once_it_is_sent(queue: Page) -> None:
    press(queue, "/")
    with queue.expect_response(lambda answer: "q=zq" in answer.url) as answer:
        queue.keyboard.type("zq")
    assert answer.value.status == 204
    expect(queue.locator("table.queue tbody tr")).to_have_count(3)
    expect(queue.locator("#q-errors")).to_have_count(0)
    press(queue, "Enter")
    expect(queue.locator("#q-errors")).to_contain_text("too short")


def test_filtering_narrows_the_rows_without_leaving_the_page(queue: Page) -> None:
    queue.locator("#q").fill("host:LT-2")
    expect(queue.locator("table.queue tbody tr")).to_have_count(1)
    expect(row(queue, "Second, of some weight")).to_be_visible()
    expect(queue.locator("#alert-total")).to_contain_text("1")
