"""What the queue's verbs ask: Enter does what the field is for, the alerts are named, the focus comes back."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.choices import AlertStatus, Severity
from cases.models import Alert, Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.browser.test_queue import press, row
from tests.factories import make_alert, make_incident


@pytest.fixture
def queue(analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The queue of an analyst with two alerts."""
    make_alert("Second, of some weight", severity=Severity.MEDIUM)
    make_alert("First of all", severity=Severity.CRITICAL)
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/")
    expect(page.locator("table.queue tbody tr")).to_have_count(2)
    return page


def first() -> Alert:
    return Alert.objects.get(title="First of all")


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def link_of(page: Page, title: str) -> Locator:
    return page.get_by_role("link", name=title, exact=True)


def test_enter_in_the_number_links_to_that_incident(queue: Page) -> None:
    incident = make_incident("Case", make_alert("In it"))
    press(queue, "j", "e")
    dialog(queue).get_by_label("Number of an incident").fill(incident.number)
    press(queue, "Enter")
    expect(row(queue, "First of all")).to_contain_text(incident.number)
    assert (first().incident, first().owner) == (incident, None)


def test_enter_in_the_title_opens_an_incident(queue: Page) -> None:
    press(queue, "j", "e")
    expect(dialog(queue).get_by_label("Title of a new incident")).to_be_focused()
    queue.keyboard.type("A case")
    press(queue, "Enter")
    expect(row(queue, "First of all")).to_contain_text("INC-")
    assert (first().incident, first().owner) == (Incident.objects.get(title="A case"), None)


def test_enter_in_the_tags_adds_them(queue: Page) -> None:
    press(queue, "j", "x")
    queue.locator("#bulk-bar").get_by_role("button", name="Tag").click()
    queue.keyboard.type("a")  # it may or may not be there yet: in no case a letter is a verb now
    dialog(queue).get_by_label("Tags").fill("")
    queue.keyboard.type("c2, finance")
    press(queue, "Enter")
    expect(dialog(queue)).to_be_hidden()
    assert (first().tags, first().owner) == (["c2", "finance"], None)


def test_enter_in_a_choice_claims_nothing(queue: Page) -> None:
    for name in ("Assign", "Severity", "Status"):
        if queue.locator("#bulk-bar").is_hidden():
            press(queue, "j", "x")
        queue.locator("#bulk-bar").get_by_role("button", name=name, exact=True).click()
        expect(dialog(queue)).to_be_visible()
        press(queue, "Enter", "Escape", "Escape")
        expect(dialog(queue)).to_be_hidden()
        assert first().owner is None


def test_the_letter_of_the_key_is_not_typed(queue: Page) -> None:
    press(queue, "j", "e")
    expect(dialog(queue)).to_be_visible()
    for field in dialog(queue).get_by_role("textbox").all():
        expect(field).to_have_value("")


def test_the_dialog_names_what_it_acts_on(queue: Page) -> None:
    press(queue, "j", "r")
    expect(dialog(queue).get_by_role("heading")).to_have_text(f"Resolve {first().number}")
    expect(dialog(queue)).to_contain_text("First of all")
    press(queue, "Escape")
    expect(dialog(queue)).to_be_hidden()
    press(queue, "x", "j", "x", "r")
    expect(dialog(queue).get_by_role("heading")).to_have_text("Resolve 2 alerts")
    expect(dialog(queue)).to_contain_text("Second, of some weight")


def test_what_is_wrong_is_said_in_the_dialog(queue: Page) -> None:
    press(queue, "j", "e")
    dialog(queue).get_by_label("Number of an incident").fill("INC-9999")
    press(queue, "Enter")
    expect(dialog(queue).get_by_role("alert")).to_contain_text("INC-9999")
    expect(dialog(queue).get_by_label("Number of an incident")).to_have_value("INC-9999")


def test_the_focus_comes_back_to_the_row(queue: Page) -> None:
    press(queue, "j", "a")
    expect(row(queue, "First of all")).to_contain_text("ML")
    expect(link_of(queue, "First of all")).to_be_focused()
    press(queue, "r")
    expect(dialog(queue)).to_be_visible()
    press(queue, "Escape")
    expect(link_of(queue, "First of all")).to_be_focused()
    expect(queue.locator("#bulk-bar")).to_be_hidden()
    press(queue, "r")
    dialog(queue).get_by_label("Malicious").check()
    dialog(queue).get_by_role("button", name="Resolve").click()
    expect(dialog(queue)).to_be_hidden()
    expect(link_of(queue, "First of all")).to_be_focused()
    press(queue, "j")
    expect(link_of(queue, "Second, of some weight")).to_be_focused()


def test_a_key_in_the_moment_the_bar_is_changed_is_not_lost(queue: Page) -> None:
    press(queue, "j")
    queue.evaluate("""() => new MutationObserver((changes, watcher) => {
        watcher.disconnect();
        const key = new KeyboardEvent("keydown", { key: "r", bubbles: true, cancelable: true });
        document.activeElement.dispatchEvent(key);
    }).observe(document.querySelector("#bulk-bar").parentElement, { childList: true })""")
    press(queue, "a")
    expect(dialog(queue)).to_be_visible()
    assert first().owner is not None


def test_the_focus_comes_back_after_ticks_were_worked_on(queue: Page) -> None:
    press(queue, "j", "x", "j", "x", "r")
    dialog(queue).get_by_label("Malicious").check()
    dialog(queue).get_by_role("button", name="Resolve").click()
    expect(dialog(queue)).to_be_hidden()
    expect(link_of(queue, "Second, of some weight")).to_be_focused()


def test_the_panel_goes_along_with_j_and_k(queue: Page, live_server: LiveServer) -> None:
    press(queue, "j", "Enter")
    heading = queue.locator("#panel h1")
    expect(heading).to_have_text("First of all")
    press(queue, "j")
    expect(heading).to_have_text("Second, of some weight")
    second = Alert.objects.get(title="Second, of some weight")
    expect(queue).to_have_url(f"{live_server.url}/alerts/{second.number}/")
    press(queue, "r")
    expect(dialog(queue).get_by_role("heading")).to_have_text(f"Resolve {second.number}")
    press(queue, "Escape", "k", "k")
    expect(heading).to_have_text("First of all")
    press(queue, "a")
    expect(row(queue, "First of all")).to_contain_text("ML")
    assert Alert.objects.filter(owner=None).get() == second
    queue.go_back()
    expect(queue.locator("#panel")).to_be_hidden()
    expect(queue).to_have_url(f"{live_server.url}/alerts/")


def test_keys_go_to_the_alert_that_is_read(queue: Page) -> None:
    press(queue, "j", "Enter")
    expect(queue.locator("#panel h1")).to_have_text("First of all")
    link_of(queue, "Second, of some weight").focus()
    for key, text in (("r", "Resolve {}"), ("e", "Open an incident from {}")):
        press(queue, key)
        expect(dialog(queue).get_by_role("heading")).to_have_text(text.format(first().number))
        press(queue, "Escape")
        expect(dialog(queue)).to_be_hidden()
    press(queue, "a")
    expect(row(queue, "First of all")).to_contain_text("ML")
    assert Alert.objects.get(owner=None).title == "Second, of some weight"


def test_nothing_of_the_bar_is_cut_off_beside_the_panel(queue: Page) -> None:
    press(queue, "j", "Enter", "x")
    expect(queue.locator("#panel h1")).to_be_visible()
    bar = queue.locator("#bulk-bar")
    box, rows = bar.bounding_box(), queue.locator("#queue-page .list").bounding_box()
    assert box
    assert rows
    assert box["x"] >= rows["x"]
    assert box["x"] + box["width"] <= rows["x"] + rows["width"]
    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")


def test_new_alerts_come_under_the_same_filter_with_the_focus_on_them(
    queue: Page, live_server: LiveServer, as_analyst: Client
) -> None:
    for query in ("", "?since=24h"):
        queue.goto(f"{live_server.url}/alerts/{query}")
        new = make_alert(f"Just in {query}", severity=Severity.HIGH)
        queue.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
        queue.get_by_role("link", name="1 new alert").click()
        expect(link_of(queue, new.title)).to_be_focused()
        expect(queue).to_have_url(f"{live_server.url}/alerts/{query}")
        expect(queue.locator("#q-errors")).to_have_count(0)
        expect(queue.locator("#alert-new a")).to_have_count(0)


def test_a_resolved_alert_keeps_its_place(queue: Page) -> None:
    press(queue, "j", "r")
    dialog(queue).get_by_label("Benign", exact=True).check()
    dialog(queue).get_by_label("If benign").select_option("benign_true_positive")
    dialog(queue).get_by_role("button", name="Resolve").click()
    expect(queue.locator("tr.done")).to_contain_text("First of all")
    assert (first().status, first().findings) == (AlertStatus.RESOLVED, "benign_true_positive")


def test_a_playbook_is_run_on_what_is_ticked(queue: Page) -> None:
    press(queue, "j", "x", "j", "x")
    queue.locator("#bulk-bar").get_by_role("button", name="Run playbook").click()
    expect(dialog(queue).get_by_role("heading")).to_have_text("Run a playbook on 2 alerts")
    expect(dialog(queue)).to_contain_text("First of all")


def test_each_key_goes_to_its_own_row_however_fast_they_come(queue: Page) -> None:
    press(queue, "j", "a", "j", "a")
    for title in ("First of all", "Second, of some weight"):
        expect(row(queue, title)).to_contain_text("ML")
    assert Alert.objects.filter(owner=None).count() == 0
    expect(queue.locator("#bulk-bar")).to_be_hidden()


def test_a_key_right_after_escape_finds_the_row_as_it_was(queue: Page) -> None:
    press(queue, "j", "r")
    expect(dialog(queue)).to_be_visible()
    queue.evaluate("""() => {
        const key = (name) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
        document.querySelector("dialog[open]").close();
        key("x"); key("j"); key("x");
    }""")
    expect(queue.locator("#bulk-bar")).to_contain_text("2 selected")
