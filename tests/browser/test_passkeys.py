"""Security keys and passkeys in a real browser, whose authenticator is a virtual one; the pages of signing in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import CDPSession, Page, expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import AuditEntry, Role, User
from tests.browser.conftest import check_accessibility
from tests.factories import PASSWORD
from tests.sign_in_tools import app_of, code_of


@pytest.fixture
def address(live_server: LiveServer) -> str:
    """By name: browsers know no keys for addresses of numbers."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def key(page: Page) -> Iterator[CDPSession]:
    """A key is plugged in that agrees to everything."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield devtools
    devtools.send("WebAuthn.disable")


def sign_in(page: Page, address: str, user: User) -> None:
    """Name and password."""
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def log_out(page: Page, address: str) -> None:
    """And be at the login again."""
    page.goto(f"{address}/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Sign in · Soar")


def add_key(page: Page, address: str, *, alone: bool = False) -> None:
    """Add the key that is plugged in."""
    page.goto(f"{address}/accounts/2fa/keys/add/")
    page.get_by_label("Name").fill("Blue key")
    page.get_by_label("Sign in by it alone").set_checked(alone)
    check_accessibility(page)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")


def test_a_key_is_the_second_factor(page: Page, address: str, key: CDPSession, analyst: User) -> None:
    sign_in(page, address, analyst)
    add_key(page, address)
    check_accessibility(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Blue key")).to_be_visible()
    check_accessibility(page)
    log_out(page, address)
    sign_in(page, address, analyst)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    check_accessibility(page)
    page.get_by_role("button", name="Use a security key").click()
    expect(page).to_have_url(f"{address}/")
    assert AuditEntry.objects.filter(verb="login").first().data["by"] == ["password", "webauthn"]  # type: ignore[union-attr]


def test_a_passkey_signs_in_alone(page: Page, address: str, key: CDPSession, analyst: User) -> None:
    sign_in(page, address, analyst)
    add_key(page, address, alone=True)
    log_out(page, address)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{address}/")
    assert AuditEntry.objects.filter(verb="login").first().data["by"] == ["webauthn"]  # type: ignore[union-attr]


def test_a_key_of_another_person_is_none(
    page: Page, address: str, key: CDPSession, analyst: User, viewer: User
) -> None:
    sign_in(page, address, analyst)
    add_key(page, address)
    log_out(page, address)
    row = Authenticator.objects.get(type="webauthn")
    other = {**row.data, "credential": {**row.data["credential"]}}
    Authenticator.objects.create(user=viewer, type="webauthn", data=other)
    Authenticator.objects.filter(user=analyst).delete()
    app_of(analyst)
    sign_in(page, address, analyst)
    expect(page.get_by_label("Code of your app")).to_be_visible()
    expect(page.get_by_role("button", name="Use a security key")).to_have_count(0)


def test_a_browser_without_a_key_says_so(page: Page, address: str, analyst: User) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    page.goto(f"{address}/accounts/login/")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No security key or passkey answered")
    devtools.send("WebAuthn.disable")


def test_whoever_must_have_one_sets_up_an_app_and_goes_on(page: Page, address: str, analyst: User) -> None:
    Role.objects.filter(group__name="Analyst").update(second_factor=True)
    sign_in(page, address, analyst)
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")
    check_accessibility(page)
    page.get_by_role("link", name="An authenticator app").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check_accessibility(page)
    secret = page.get_by_label("Or type this key").input_value()
    page.get_by_label("Authenticator code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is not right")).to_be_visible()
    assert page.get_by_label("Or type this key").input_value() == secret
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.goto(f"{address}/alerts/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_can_be_used_by_everybody(page: Page, address: str, analyst: User, theme: str, width: int) -> None:
    User.objects.filter(pk=analyst.pk).update(theme=theme)
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/accounts/login/")
    check_accessibility(page)
    sign_in(page, address, analyst)
    for path in ("/settings/sessions/", "/accounts/2fa/", "/accounts/2fa/app/activate/", "/accounts/reauthenticate/"):
        page.goto(address + path)
        check_accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
