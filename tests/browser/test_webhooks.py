"""Outgoing webhooks in a browser: made, its secret shown, tested; pages free of what axe finds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import WebhookDelivery
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.connector_server import Product
from tests.factories import make_alert
from tests.webhook_tools import endpoint_to, receiver, run, status

__all__ = ["receiver"]


def test_made_and_tested(live_server: LiveServer, sign_in: SignIn, admin: User, receiver: Product) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/webhooks/")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name", exact=True).fill("Data lake")
    page.get_by_label("Address", exact=True).fill(f"{receiver.url}/hook")
    page.get_by_label("Changes", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorline")).to_contain_text("internal address")
    check_accessibility(page)
    page.get_by_label("Its address may be internal").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#new-secret")).to_contain_text("whsec_")
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#calls")).to_contain_text("Waiting")
    run()
    expect(page.locator("#calls")).to_contain_text("Delivered")
    assert WebhookDelivery.objects.get().state == "delivered"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    live_server: LiveServer, sign_in: SignIn, admin: User, receiver: Product, theme: str, width: int
) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    endpoint_to(receiver, admin, name="Off", enabled=False)
    receiver.replies = [status(200), status(500)]
    make_alert("Beacon")
    make_alert("Another")
    run()
    one = WebhookDelivery.objects.filter(endpoint=endpoint).order_by("pk").first()
    assert one is not None
    page: Page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    base = f"/webhooks/{endpoint.pk}/"
    for path in ("/webhooks/", "/webhooks/new/", base, f"{base}edit/", f"{base}deliveries/{one.pk}/"):
        page.goto(f"{live_server.url}{path}")
        check_accessibility(page)
