"""ServiceNow set up in the browser, by keyboard alone too: connection, webhook, profile, dry run, switched on. axe on
every page, in both themes, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import servicenow_instances, servicenow_profiles
from cases.actors import Actor
from cases.models import TicketProfile
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_incident, make_team
from tests.servicenow_desk import Desk, desk

WIDTHS = (1440, 390)


@pytest.fixture
def here(transactional_db: None) -> Iterator[Desk]:
    cache.clear()
    with desk() as found:
        yield found


@pytest.fixture
def profile(here: Desk) -> TicketProfile:
    servicenow_instances.create(Actor.system(), account=here.account.pk, slug="north")
    make_team("Blue")
    make_incident("Beacon to a new domain", summary="A laptop calls every 60 s.")
    return servicenow_profiles.create(Actor.system(), name="Security, EU", instance="north")


def fits(page: Page) -> None:
    """Nothing has to be scrolled sideways, and axe has nothing to say, wide and narrow."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"at {width}"
        check_accessibility(page)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_nothing_to_a_profile_that_is_on(
    live_server: LiveServer, sign_in: SignIn, here: Desk, admin: User, theme: str
) -> None:
    make_incident("Beacon to a new domain")
    page = sign_in(admin)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"{live_server.url}/servicenow/profiles/")
    page.get_by_role("link", name="Add an instance").click()
    expect(page.get_by_role("heading", name="New instance")).to_be_visible()
    fits(page)
    page.get_by_label("Short name").fill("north")
    page.get_by_role("button", name="Add instance").click()
    expect(page.locator("#webhook-secret")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The connection works.")).to_be_visible()
    expect(page.locator("#webhook-secret")).to_have_count(0)
    fits(page)
    page.get_by_role("link", name="Profile", exact=True).click()
    expect(page.get_by_role("heading", name="New profile")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Security, EU")
    fits(page)
    page.get_by_role("button", name="Make the profile").click()
    expect(page.locator("#missing")).to_contain_text("Nothing")
    fits(page)
    page.get_by_role("link", name="Dry run").click()
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    fits(page)
    page.go_back()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Security, EU is on.")).to_be_visible()
    page.get_by_role("link", name="Ticket profiles").click()
    expect(page.get_by_role("row", name="Security, EU")).to_contain_text("On")
    fits(page)


def test_a_person_is_found_while_one_types_and_the_texts_are_previewed(
    live_server: LiveServer, sign_in: SignIn, profile: TicketProfile, admin: User
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/servicenow/profiles/{profile.pk}/")
    preview = page.locator("#text-preview")
    expect(preview).to_contain_text("Beacon to a new domain")
    page.get_by_label("Short description", exact=True).fill("[SOC] {{ title }}")
    expect(preview).to_contain_text("[SOC] Beacon to a new domain")
    page.get_by_label("Short description", exact=True).fill("{{ nonsense }}")
    expect(preview).to_contain_text("There is no nonsense")
    page.get_by_label("Short description", exact=True).fill("{{ number }}")
    page.get_by_label("Assigned to", exact=True).press_sequentially("stran")
    expect(page.locator("#assigned_to-list option")).to_have_attribute("value", "Ola Strand (o.strand)")
    page.get_by_label("Assigned to", exact=True).fill("Ola Strand (o.strand)")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Security, EU saved")).to_be_visible()
    expect(page.get_by_label("Assigned to", exact=True)).to_have_value("Ola Strand (o.strand)")


def test_what_is_missing_is_seen_repaired_and_switched_on_by_keyboard(
    live_server: LiveServer, sign_in: SignIn, profile: TicketProfile, admin: User
) -> None:
    TicketProfile.objects.update(maps={**profile.maps, "close_code": {}})
    page = sign_in(admin)
    page.goto(f"{live_server.url}/servicenow/profiles/{profile.pk}/")
    expect(page.locator("#missing")).to_contain_text("malicious is not mapped")
    expect(page.get_by_role("button", name="Switch on")).to_have_count(0)
    check_accessibility(page)
    for word, letters in (("Malicious", "Sol"), ("Suspicious", "Wor"), ("Benign", "No ")):
        page.get_by_label(word, exact=True).focus()
        page.keyboard.type(letters)
    page.keyboard.press("Enter")  # in a select it only opens or closes; the form is sent by its button
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Security, EU saved")).to_be_visible()
    expect(page.locator("#missing")).to_contain_text("Nothing")
    page.get_by_role("button", name="Switch on").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Security, EU is on.")).to_be_visible()


def test_wrong_values_stand_beside_their_cells(
    live_server: LiveServer, sign_in: SignIn, profile: TicketProfile, admin: User
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/servicenow/profiles/{profile.pk}/")
    page.get_by_label("Resolved", exact=True).first.select_option("1")
    page.get_by_label("Caller", exact=True).fill("Nobody Atall")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("nobody active of that name")).to_be_visible()
    fits(page)
    page.get_by_label("Caller", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("one side would close what the other opens")).to_be_visible()
    fits(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_while_servicenow_does_not_answer(
    live_server: LiveServer, sign_in: SignIn, here: Desk, profile: TicketProfile, admin: User, theme: str
) -> None:
    page = sign_in(admin)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"{live_server.url}/servicenow/profiles/{profile.pk}/")
    here.do("hibernate")
    cache.clear()
    page.reload()
    expect(page.get_by_text("as they were last read")).to_be_visible()
    expect(page.get_by_label("Resolved", exact=True).first).to_have_value("6")
    fits(page)
