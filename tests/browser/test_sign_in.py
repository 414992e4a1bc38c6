"""The sign-in page, as a person meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import User
from tests.factories import PASSWORD


def test_a_wrong_password_is_refused_in_words(page: Page, live_server: LiveServer, analyst: User) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("User name").fill(analyst.username)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("not correct")
    expect(page.get_by_label("User name")).to_have_value(analyst.username)


def test_signing_in_leads_to_where_one_wanted_to_go(page: Page, live_server: LiveServer, analyst: User) -> None:
    page.goto(f"{live_server.url}/incidents/")
    expect(page).to_have_title("Sign in · Soar")
    page.get_by_label("User name").fill(analyst.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Incidents")
    assert page.url == f"{live_server.url}/incidents/"


def test_a_password_can_be_pasted_and_its_fields_are_named_for_managers(
    page: Page, live_server: LiveServer, analyst: User
) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    name, password = page.get_by_label("User name"), page.get_by_label("Password", exact=True)
    assert (name.get_attribute("autocomplete"), password.get_attribute("autocomplete")) == (
        "username",
        "current-password",
    )
    name.fill(PASSWORD)
    name.press("Control+a")
    name.press("Control+x")
    password.press("Control+v")
    expect(password).to_have_value(PASSWORD)
    name.fill(analyst.username)
    password.press("Enter")
    expect(page).not_to_have_title("Sign in · Soar")


@pytest.mark.parametrize("path", ["/", "/alerts/", "/incidents/", "/sources/"])
def test_nothing_is_shown_to_strangers(page: Page, live_server: LiveServer, path: str) -> None:
    page.goto(live_server.url + path)
    expect(page).to_have_title("Sign in · Soar")
