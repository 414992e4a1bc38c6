"""Reading a source from its product: set up, told what goes wrong, free of what axe finds, in both themes."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.models import AlertPull, AlertPush, AlertSource
from cases.models.pull import PushState
from soar.accounts.models import User
from soar.connectors import actions
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_source


@pytest.fixture
def source(db: None) -> AlertSource:
    settings = {"url": "https://vision-one.example", "push": True}
    actions.create_account(None, "visionone", "Vision One Europe", settings, {"token": "vision-one-key-1234"})
    return make_source("Vision One", kind="visionone")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_source_is_set_up_to_be_read(
    live_server: LiveServer, sign_in: SignIn, source: AlertSource, admin: User, theme: str
) -> None:
    page = sign_in(admin)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"{live_server.url}/sources/{source.slug}/")
    page.get_by_role("link", name="Read its alerts").click()
    page.get_by_label("Connector").select_option("Vision One Europe")
    page.get_by_label("Seconds between two readings").fill("120")
    check_accessibility(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#reading")).to_contain_text("2 min")
    now = timezone.now()
    AlertPull.objects.update(last_error="Vision One does not take the token", last_error_at=now, failures=2)
    alert = make_alert(source=source, source_ref="WB-1")
    AlertPush.objects.create(alert=alert, state=PushState.FAILED, said="The role does not allow it", finished_at=now)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()
        expect(page.locator("#reading")).to_contain_text("2 tries in a row")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    check_accessibility(page)
    page.get_by_role("button", name="Tell once more").click()
    expect(page.locator("#reading")).not_to_contain_text("could not be told")
