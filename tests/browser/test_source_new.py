"""A source for a vendor's alerts: made, told where its token goes in the product, tried with a sample."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Alert
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_source_of_grafana(live_server: LiveServer, sign_in: SignIn, admin: User, theme: str) -> None:
    page = sign_in(admin)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"{live_server.url}/sources/new/", timeout=60_000)  # the first page of a cold server
    page.get_by_label("Name").fill("Dashboards")
    page.get_by_label("Kind").select_option("grafana")
    page.get_by_role("button", name="Make the source").click()
    token = page.locator("#source-token").inner_text()
    expect(page.locator("#how")).to_contain_text("Contact points, Webhook")
    expect(page.locator("#how")).to_contain_text(token)
    check_accessibility(page)
    page.get_by_role("button", name="Send the sample").click()
    expect(page.get_by_role("status").filter(has_text="ALR-")).to_be_visible()
    assert Alert.objects.get().title == "Sample: many failed sign-ins on idp-1"
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator("#how")).to_contain_text("$SOAR_TOKEN")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        check_accessibility(page)
