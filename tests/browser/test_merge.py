"""Merging, splitting and linking incidents as an analyst does it in the browser (casework.md 6, 9)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import tasks
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of


@pytest.fixture(autouse=True)
def compiled(analyst: User) -> None:
    """The pages were asked for once before a browser waits for them: the first time their templates are compiled."""
    client, incident = client_of(analyst), make_incident("Warm-up", make_alert())
    for rest in ("", "merge/", "split/", "related/"):
        assert client.get(f"/incidents/{incident.number}/{rest}").status_code == 200


def opened(page: Page, live_server: LiveServer, incident: Incident) -> Page:
    """The incident's page."""
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    return page


def choose(page: Page, what: str) -> None:
    """A line of the incident's menu, by keyboard."""
    page.get_by_label("More", exact=True).press("Enter")
    page.get_by_role("link", name=what).press("Enter")


def test_merge_look_and_undo(analyst: User, sign_in: SignIn, live_server: LiveServer) -> None:
    stays = make_incident("Beaconing laptop", make_alert("Beacon"))
    goes = make_incident("Odd sign-ins", make_alert("Sign-in from two countries"), make_alert("Token replay"))
    tasks.add(Actor.of(analyst), goes.pk, title="Ask the user")
    page = opened(sign_in(analyst), live_server, stays)
    choose(page, "Merge …")
    page.get_by_label("Number or title").fill("sign-ins")
    expect(page.locator("#merge-found li")).to_have_count(1)
    page.locator("#merge-found").get_by_role("link", name="Odd sign-ins").press("Enter")
    expect(page.get_by_role("row", name="alerts")).to_contain_text("2")
    expect(page.get_by_role("row", name="tasks")).to_contain_text("1")
    check_accessibility(page)
    page.get_by_role("button", name=f"Merge it into {stays.number}").press("Enter")
    expect(page.locator("#timeline")).to_contain_text(f"merged {goes.number} Odd sign-ins into this one")
    expect(page.locator("#incident-alerts")).to_contain_text("Token replay")
    expect(page.locator("#incident-related")).to_contain_text("merged here")
    check_accessibility(page)
    opened(page, live_server, goes)
    expect(page.locator("#incident-merged")).to_contain_text(f"Merged into {stays.number}")
    expect(page.locator("#incident-composer")).to_have_count(0)
    check_accessibility(page)
    page.get_by_role("link", name="Undo the merge").press("Enter")
    check_accessibility(page)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator("#incident-head h1")).to_have_text("Odd sign-ins")
    expect(page.locator("#incident-alerts")).to_contain_text("Token replay")
    assert Incident.objects.get(pk=goes.pk).merged_at is None


def test_split_and_link(analyst: User, sign_in: SignIn, live_server: LiveServer) -> None:
    whole = make_incident("Two things", make_alert("Beacon"), make_alert("Lost laptop"))
    page = opened(sign_in(analyst), live_server, whole)
    choose(page, "Split …")
    page.get_by_label("Lost laptop").press("Space")
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.locator("#split-preview")).to_contain_text("Lost laptop")
    check_accessibility(page)
    page.get_by_role("button", name="Split off").press("Enter")
    expect(page.locator("#incident-head h1")).to_have_text("Lost laptop")
    box = page.locator("#incident-related")
    expect(box).to_contain_text("split off")
    box.get_by_text("Link an incident").press("Enter")
    box.get_by_label("This incident is").select_option("caused_by")
    box.get_by_label("Number of the other incident").fill(whole.number)
    box.get_by_role("button", name="Link").press("Enter")
    expect(box).to_contain_text(f"caused by {whole.number}")
    check_accessibility(page)
    opened(page, live_server, whole)
    expect(page.locator("#incident-related")).to_contain_text("cause of INC-")
