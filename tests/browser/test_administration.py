"""Administration in a browser: people, teams, roles, tokens, audit log, retention; free of what axe finds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import holds
from cases.actions import retention as rules
from cases.actors import Actor
from soar.accounts import audit
from soar.accounts.actions import people, roles, tokens
from soar.accounts.models import AuditEntry, Role, Team, User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_incident

PAGES = (
    "/settings/", "/people/", "/people/?sort=off", "/people/new/", "/people/new/?service=1", "/people/{person}/",
    "/people/{robot}/", "/people/teams/", "/people/teams/{team}/", "/people/roles/", "/people/roles/{fixed}/",
    "/people/roles/{own}/", "/people/roles/{own}/delete/", "/people/tokens/", "/people/tokens/{token}/revoke/",
    "/audit/", "/audit/?q=nothing-like-it", "/audit/{entry}/", "/settings/retention/", "/settings/retention/new/",
    "/settings/retention/{rule}/", "/incidents/{incident}/hold/",
)  # fmt: skip


@pytest.fixture
def there(admin: User, analyst: User, viewer: User, stranger: User) -> dict[str, object]:
    """Something on every page."""
    own = roles.create(admin, "Exports", description="Nightly exports", permissions=["view_cases", "export"])
    people.update(admin, viewer.pk, {"roles": ["Viewer", "Exports"]})
    people.set_active(admin, stranger.pk, False)
    robot, _ = people.create(admin, "exporter", first_name="Nightly export", roles=["Exports"], service=True)
    token, _ = tokens.create_for(admin, robot.pk, "ci", scopes=["export"])
    make_alert(owner=analyst, team=Team.objects.get(name="Blue"))
    incident = make_incident("Invoice fraud")
    holds.place(Actor.of(admin), incident.pk, "Court order 7/2026")
    rule = rules.create(Actor.of(admin), {"what": "payloads", "days": 90, "severities": ["low"], "enabled": True})
    audit.record(None, "login.failed", "a.voss", address="203.0.113.77")
    return {
        "person": analyst.pk, "robot": robot.pk, "team": Team.objects.get(name="Blue").pk, "own": own.pk,
        "fixed": Role.objects.get(group__name="Responder").pk, "token": token.pk, "incident": incident.number,
        "rule": rule.pk, "entry": AuditEntry.objects.filter(verb="user.changed").latest("pk").pk,
    }  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: dict[str, object], theme: str, width: int
) -> None:
    page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    User.objects.filter(pk=admin.pk).update(theme=theme)
    for number, path in enumerate(PAGES):
        page.goto(live_server.url + path.format(**there))
        check_accessibility(page)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{path} is wider than {width}"
        if folder := os.environ.get("SOAR_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{number:02}-{theme}-{width}.png")


def test_the_audit_log_is_filtered_while_one_types(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: dict[str, object]
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/audit/")
    page.keyboard.press("/")
    page.keyboard.type("a.voss")
    rows = page.locator("#audit-rows tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("login.failed")
    page.get_by_role("link", name="login.failed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("login.failed")
    page.go_back()
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as given:
        page.get_by_role("button", name="CSV").click()
    assert "a.voss" in Path(given.value.path()).read_text()


def test_the_audit_log_is_filtered_on_a_phone_too(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: dict[str, object]
) -> None:
    page = sign_in(admin)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/audit/")
    rows = page.locator("#audit-rows tbody tr")
    page.get_by_label("Object", exact=True).fill("a.voss")
    page.get_by_label("Object", exact=True).press("Enter")
    expect(rows).to_have_count(1)
    page.get_by_label("From", exact=True).fill("2999-01-01")
    expect(page.get_by_text("No entry of the audit log fits this filter.")).to_be_visible()
    for label in ("Who", "Outcome", "Time", "until"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()


def test_somebody_to_look_as_is_found_while_one_types(
    live_server: LiveServer, sign_in: SignIn, admin: User, analyst: User
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/accounts/view-as/")
    options = page.locator("#people option")
    page.get_by_label("Person").press_sequentially("nobody")
    expect(options).to_have_count(0)
    page.get_by_label("Person").fill("")
    page.get_by_label("Person").press_sequentially(analyst.last_name[:4].lower())
    expect(options).to_have_count(1)
    expect(options).to_have_attribute("value", analyst.username)
    page.get_by_label("Person").fill(analyst.username)
    page.get_by_role("button", name="View as this person").click()
    expect(page.locator("#view-as")).to_contain_text(analyst.display_name())


def test_the_preview_of_a_rule_counts(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: dict[str, object]
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/settings/retention/new/")
    page.get_by_label("After days").fill("30")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#rule-preview")).to_contain_text("1 incident is on legal hold")
    expect(page.locator("#rule-preview b")).to_have_text("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_somebody_is_deactivated_and_let_in_again(
    live_server: LiveServer, sign_in: SignIn, admin: User, analyst: User, there: dict[str, object]
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/people/")
    page.get_by_label("Filter", exact=True).fill("lindqvist")
    expect(page.locator("#people-rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Mara Lindqvist").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("They can no longer sign in.")).to_be_visible()
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("button", name="Set a new password").click()
    expect(page.locator("#new-password")).to_be_visible()


def test_people_go_into_a_team_and_out_by_keyboard(
    live_server: LiveServer, sign_in: SignIn, admin: User, there: dict[str, object]
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/people/teams/{there['team']}/")
    people = page.get_by_role("region", name="People", exact=True)
    before = people.locator("li").count()
    page.get_by_role("search", name="People who are not in the team").get_by_role("searchbox").press_sequentially("ada")
    page.get_by_role("button", name="Let in Ada Admin").press("Enter")
    expect(people.locator("li")).to_have_count(before + 1)
    expect(page.locator("#live")).to_have_text("Ada Admin is in the team.")
    expect(page.get_by_text("Nobody of this name who is active and not in the team already.")).to_be_visible()
    people.get_by_role("searchbox").press_sequentially("admin")
    expect(people.locator("li")).to_have_count(1)
    people.get_by_role("button", name="Take out Ada Admin").press("Enter")
    expect(people.get_by_text("Nobody of this name is in the team.")).to_be_visible()
    expect(page.get_by_role("button", name="Let in Ada Admin")).to_be_visible()
