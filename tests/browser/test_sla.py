"""Targets in a browser: the box comes by itself, clocks are paused in the dialog, the policy is saved."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import sla_pause
from cases.actors import Actor
from cases.models import Incident
from cases.sla.current import policy
from soar.accounts.models import User
from soar.lib import clock
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_incident


@pytest.fixture
def there(analyst: User) -> Incident:
    """Incidents of every state; the one that is overdue."""
    for title, severity in (("Beacon to a new domain", "high"), ("Note of the auditors", "informational")):
        make_incident(title, severity=severity)
    paused = make_incident("Phish with a lure", severity="critical")
    sla_pause.pause(Actor.of(analyst), paused.pk, "Waits for the provider's logs")
    with clock.at(clock.now() - timedelta(minutes=50)):
        late = make_incident("Credential theft", severity="critical")
    with clock.at(clock.now() - timedelta(minutes=12)):
        make_incident("Odd sign-in", severity="critical")
    return late


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: Incident, theme: str, width: int
) -> None:
    page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    User.objects.filter(pk=admin.pk).update(theme=theme)
    incident = f"/incidents/{there.number}"
    for number, path in enumerate(
        ("/settings/sla/", "/incidents/?sort=due", f"{incident}/", f"{incident}/targets/", f"{incident}/pause/")
    ):
        page.goto(live_server.url + path)
        if path == f"{incident}/":
            expect(page.locator("#targets-h")).to_be_visible()
        check_accessibility(page)
        if folder := os.environ.get("SOAR_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"sla-{number}-{theme}-{width}.png", full_page=True)


def test_clocks_are_paused_in_the_dialog_and_run_again(
    live_server: LiveServer, sign_in: SignIn, analyst: User, there: Incident
) -> None:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/incidents/{there.number}/")
    box = page.locator("#incident-targets")
    expect(box).to_contain_text("overdue")
    box.get_by_role("link", name="Pause the clocks").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.locator(".errorline")).to_be_visible()
    dialog.get_by_label("Reason").fill("Waits for the landlord")
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog).to_be_hidden()
    expect(box).to_contain_text("Waits for the landlord")
    expect(page.locator("#timeline")).to_contain_text("paused the clocks")
    box.get_by_role("button", name="Let the clocks run").click()
    expect(box.get_by_role("link", name="Pause the clocks")).to_be_visible()


def test_the_list_is_sorted_and_filtered(
    live_server: LiveServer, sign_in: SignIn, analyst: User, there: Incident
) -> None:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/incidents/")
    page.get_by_role("columnheader", name="Due").get_by_role("link").click()
    rows = page.locator("#incident-rows tbody tr")
    expect(rows.first).to_contain_text("Credential theft")
    expect(rows.first.locator(".c-sla")).to_contain_text("−")
    page.get_by_label("Targets").select_option("paused")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Phish with a lure")


def test_the_policy_is_saved_with_the_keyboard(live_server: LiveServer, sign_in: SignIn, admin: User) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/settings/sla/")
    page.get_by_label("Critical, contain").fill("45")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("The clocks of open incidents follow.")
    expect(page.get_by_label("Critical, contain")).to_have_value("45")
    assert policy().targets["critical"]["contain"] == 45
