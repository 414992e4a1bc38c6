"""A whole triage by keys: select, take, resolve, escalate, all that match, undo; facets and views; without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import bulk_jobs
from cases.choices import AlertStatus, Severity
from cases.models import Alert, BulkJob, Incident, SavedView
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.test_queue import has_cursor, press, row
from tests.bulk import work
from tests.factories import make_alert

MANY = 32  # two more than a page


@pytest.fixture
def queue(analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The queue of an analyst with more alerts than a page holds."""
    for number in range(MANY):
        make_alert(f"Alert {number:02}", severity=Severity.HIGH if number >= MANY - 4 else Severity.LOW)
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/alerts/")
    expect(page.locator("table.queue tbody tr")).to_have_count(30)
    return page


def test_from_the_first_key_to_the_last(queue: Page, analyst: User) -> None:
    press(queue, "j", "x", "j", "j", "Shift+X")
    bar = queue.locator("#bulk-bar")
    expect(bar).to_contain_text("3 selected")
    press(queue, "a")
    expect(row(queue, "Alert 31")).to_contain_text("ML")
    assert Alert.objects.filter(owner=analyst).count() == 3
    has_cursor(queue, "Alert 29")
    press(queue, "r")
    dialog = queue.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="Malicious")).to_be_focused()
    press(queue, "Space", "Enter")
    expect(dialog).to_be_hidden()
    has_cursor(queue, "Alert 29")
    expect(row(queue, "Alert 29")).to_be_visible()
    press(queue, "k", "e")
    expect(dialog.get_by_label("Title of a new incident")).to_be_focused()
    queue.keyboard.type("Wave")
    press(queue, "Enter")
    expect(row(queue, "Alert 30")).to_contain_text("INC-")
    assert Alert.objects.get(title="Alert 29").status == AlertStatus.RESOLVED
    assert Incident.objects.get().title == "Wave"


def test_all_that_match_with_progress_and_undo(queue: Page, analyst: User) -> None:
    queue.locator("[data-check-all]").focus()
    press(queue, "Space")
    bar = queue.locator("#bulk-bar")
    everything = bar.get_by_role("button", name=f"Select all {MANY} that match")
    everything.focus()
    press(queue, "Enter")
    expect(bar).to_contain_text(f"{MANY} selected")
    press(queue, "a")
    dialog = queue.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Assign {MANY} alerts to you")
    expect(dialog.get_by_role("button", name="Assign to me")).to_be_focused()
    press(queue, "Enter")
    strip = queue.locator("#bulk-job")
    expect(strip).to_be_visible()
    expect(bar).to_be_hidden()
    work()
    expect(strip).to_contain_text(f"{MANY} of {MANY} alerts done")
    assert Alert.objects.filter(owner=analyst).count() == MANY
    strip.get_by_role("button", name="Undo").focus()
    press(queue, "Enter")
    expect(strip).to_contain_text("Undo")
    expect(strip.locator("progress")).to_be_visible()
    work()
    expect(strip).to_contain_text("alerts done")
    assert not Alert.objects.filter(owner=analyst).exists()
    assert BulkJob.objects.count() == 2


def test_facets_by_key_and_a_view_of_them(queue: Page, analyst: User) -> None:
    press(queue, "f")
    expect(queue.locator("#facet-lists")).to_be_visible()
    expect(queue).to_have_url(re.compile("facets=1"))
    queue.locator("#facet-severity-0").focus()
    press(queue, "Enter")
    expect(queue.locator("#alert-total")).to_contain_text("4")
    expect(queue.locator("#facet-severity-0")).to_have_attribute("aria-current", "true")
    queue.locator("#view-save").focus()
    press(queue, "Enter")
    expect(queue.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    queue.keyboard.type("Hot ones")
    press(queue, "Enter")
    expect(queue.locator("#alert-tabs [aria-current=page]")).to_contain_text("Hot ones")
    assert SavedView.objects.get().query == "severity=high"


def test_switched_off_keys_do_nothing(queue: Page, analyst: User, live_server: LiveServer) -> None:
    User.objects.filter(pk=analyst.pk).update(shortcuts=False)
    queue.goto(f"{live_server.url}/alerts/")
    press(queue, "j", "x", "a", "f")
    expect(queue.locator("tr.cur")).to_have_count(0)
    expect(queue.locator("#facet-lists")).to_be_hidden()
    assert not Alert.objects.filter(owner=analyst).exists()


def test_rows_stay_where_they_are_and_a_pill_tells_of_new_ones(queue: Page) -> None:
    first = queue.locator("table.queue tbody tr").first
    expect(first).to_contain_text("Alert 31")
    press(queue, "j")
    make_alert("Later, and critical", severity=Severity.CRITICAL)
    queue.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    expect(queue.locator("#alert-new")).to_contain_text("1 new alert, 1 critical")
    expect(first).to_contain_text("Alert 31")
    has_cursor(queue, "Alert 31")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(queue: Page, scheme: str, live_server: LiveServer) -> None:
    job = bulk_jobs.start(User.objects.get(username="mara"), [Alert.objects.latest("pk").pk], "claim", {})
    queue.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    pages = ("?facets=1&severity=high&owner=ghost", "views/", "views/new/?query=severity%3Dhigh", "jobs/")
    for where in (*pages, f"jobs/{job.pk}/"):
        queue.goto(f"{live_server.url}/alerts/{where}")
        check_accessibility(queue)
