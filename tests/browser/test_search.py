"""Search over everything in the browser: from the box on every page, by keyboard, narrow and in both themes; axe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import handovers, incidents, tasks
from cases.actors import Actor
from soar.accounts.models import Team, User
from tests.browser.conftest import SignIn, check_accessibility
from tests.exporting import whole_incident
from tests.factories import make_alert, make_asset

shots = os.environ.get("SOAR_SHOTS")


@pytest.fixture(autouse=True)
def ground(settings: Any, tmp_path: Path) -> None:
    """A data folder for each test."""
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_the_box_to_the_note(
    sign_in: SignIn, analyst: User, blue: Team, live_server: LiveServer, theme: str
) -> None:
    User.objects.filter(pk=analyst.pk).update(theme=theme)
    incident = whole_incident(blue)
    long = "beacon " + "W" * 200
    incidents.comment(Actor.of(analyst), incident.pk, f"Every nine minutes a {long}: it is a beacon")
    tasks.add(Actor.of(analyst), incident.pk, title="Look for more of the beacon")
    handovers.sign(analyst, "The **beacon** goes on", team=blue)
    make_asset("beacon-host-42")
    make_alert("Another beacon", team=blue, hostname="FIN-LT-0007")
    page = sign_in(analyst)
    page.goto(live_server.url)
    page.keyboard.press("/")
    page.keyboard.type("beacon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    for name in ("Alerts", "Incidents", "Notes", "Tasks", "Hand-overs", "Assets"):
        expect(page.get_by_role("region", name=name)).to_be_visible()
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        check_accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        if shots:
            page.screenshot(path=Path(shots) / f"search-{theme}-{width}.png", full_page=True)
    page.get_by_role("region", name="Notes").get_by_role("link").first.click()
    expect(page.get_by_text("Every nine minutes").first).to_be_visible()
    page.goto(f"{live_server.url}/search/?q=nothingofthesort")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    check_accessibility(page)
