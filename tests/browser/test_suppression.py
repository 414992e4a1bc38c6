"""Suppression rules in a browser: from the queue's ticks to a rule with its preview; pages free of what axe finds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import SuppressionRule
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_source
from tests.test_suppression_ingest import make_rule


def test_from_ticked_alerts_to_a_rule(live_server: LiveServer, sign_in: SignIn, admin: User) -> None:
    source = make_source("Sensors")
    for n in range(3):
        make_alert(
            f"Service {n} stopped", source=source, hostname="SRV-01", detection_model="Service watch", severity=3
        )
    make_alert("Other", source=source, hostname="SRV-02")
    page = sign_in(admin)
    page.goto(f"{live_server.url}/alerts/?host=SRV-01")
    page.get_by_label("Select all on this page").check()
    page.locator("#bulk-suppress").click()
    expect(page.get_by_label("Hosts")).to_have_value("SRV-01")
    expect(page.get_by_label("Detection models")).to_have_value("Service watch")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#would-hold")).to_have_text("3")
    expect(page.locator("#preview")).to_contain_text("3 of them are high or critical")
    check_accessibility(page)
    page.get_by_label("Hosts").fill("SRV-99")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#would-hold")).to_have_text("0")
    page.get_by_label("Name").fill("Patch night")
    page.get_by_label("Reason").fill("Servers are patched")
    page.get_by_role("button", name="Hold back").click()
    expect(page.get_by_role("heading", name="Patch night")).to_be_visible()
    assert SuppressionRule.objects.get().conditions["host"] == ["SRV-99"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(live_server: LiveServer, sign_in: SignIn, admin: User, theme: str, width: int) -> None:
    rule = make_rule({"host": ["SRV-01", "SRV-02*"], "severity": ["high"]})
    alert = make_alert("Service stopped", suppression=rule)
    page: Page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for path in ("", "?state=over", f"{rule.pk}/", f"{rule.pk}/edit/", "new/"):
        page.goto(f"{live_server.url}/suppression/{path}")
        check_accessibility(page)
    for path in ("/alerts/?suppressed=yes", f"/alerts/{alert.number}/", f"/sources/{alert.source.slug}/edit/"):
        page.goto(f"{live_server.url}{path}")
        check_accessibility(page)
