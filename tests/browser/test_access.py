"""Who can see a thing and why, in a browser: granting with the keyboard, restricting (access.md 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import incidents, restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.models import Incident
from playbooks.models import Playbook
from soar.accounts.access import actions
from soar.accounts.models import Team, User
from soar.connectors import actions as connectors
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_incident, make_source, make_user

NARROW = {"width": 390, "height": 844}


@pytest.fixture
def case(blue: Team, admin: User, analyst: User, responder: User, viewer: User) -> Incident:
    """A restricted incident of team Blue with grants of all sorts."""
    made = make_incident("Board account", make_alert("Odd sign-in", team=blue), team=blue)
    incidents.owners(Actor.system(), made.pk, lead=responder)
    counsel = make_user("ingrid", "Viewer", teams=("Legal counsel",), first_name="Ingrid", last_name="Dahl")
    make_user("samuel", "Viewer", teams=("Legal counsel",), first_name="Samuel", last_name="Osei")
    later = timezone.now() + timedelta(days=3)
    actions.grant(admin, INCIDENT, made.number, analyst, "edit", reason="takes the memory image")
    actions.grant(admin, INCIDENT, made.number, viewer, "view", expires_at=later)
    actions.grant(admin, INCIDENT, made.number, counsel.groups.get(team__name="Legal counsel"), "comment")
    restriction.restrict(Actor.of(admin), made.pk, reason="VIP, legal asked")
    return made


def test_what_is_wrong_stands_beside_the_field(
    case: Incident, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/incidents/{case.number}/access/")
    page.get_by_label("Person or group").fill("nobody at all")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_text("There is no active person, team or role nobody at all.")).to_be_visible()
    expect(page.get_by_label("Person or group")).to_have_value("nobody at all")
    check_accessibility(page)


def test_the_restriction_is_removed_after_a_question(
    case: Incident, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/incidents/{case.number}/access/")
    page.get_by_role("link", name="Remove the restriction…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Team Blue")
    check_accessibility(page)
    dialog.get_by_label("Reason").fill("Told")
    dialog.get_by_role("button", name="Remove the restriction").click()
    expect(page.get_by_role("heading", name="Not restricted")).to_be_visible()


def test_grant_change_and_revoke_with_the_keyboard(
    case: Incident, admin: User, stranger: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/incidents/{case.number}/")
    page.get_by_role("link", name="Who can see this").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who can see this")
    page.get_by_label("Person or group").focus()
    page.keyboard.type("sam")
    expect(page.locator("#holders option[value=sam]")).to_have_count(1)
    page.get_by_label("Level", exact=True).select_option("comment")
    page.get_by_label("Reason").fill("Knows the host")
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="Sam Stranger")
    expect(row).to_contain_text("“Knows the host”")
    expect(page.get_by_label("Person or group")).to_have_value("")  # the next grant does not take these words along
    expect(page.get_by_label("Reason")).to_have_value("")
    row.get_by_label("Level of Sam Stranger").select_option("edit")
    row.get_by_role("button", name="Save the grant of Sam Stranger").press("Enter")
    expect(page.locator("#live")).to_have_text("Saved")
    expect(row.get_by_label("Level of Sam Stranger")).to_have_value("edit")
    row.get_by_role("button", name="Revoke the grant of Sam Stranger").press("Enter")
    expect(page.get_by_role("row", name="Sam Stranger")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible(
    theme: str, case: Incident, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    account = connectors.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    playbook = Playbook.objects.create(name="Contain", trigger="manual")
    page = sign_in(admin)
    for path in (
        f"/incidents/{case.number}/access/?ask=sam",
        f"/incidents/{case.number}/access/close/",
        f"/sources/{make_source().slug}/access/",
        f"/playbooks/{playbook.pk}/access/",
        f"/connectors/{account.pk}/access/",
        "/incidents/break-glass/",
        "/incidents/grant/?severity=medium",
    ):
        page.goto(live_server.url + path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        check_accessibility(page)
    _fits(page, f"{live_server.url}/incidents/{case.number}/access/")


def _fits(page: Page, url: str) -> None:
    """Nothing sticks out of a telephone's width."""
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
