"""Directory, firewalls, MISP and TAXII in the browser: added with a mistake, tested, seen with the feeds; axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.connectors import practice
from soar.connectors.intelligence.feeds import actions
from soar.connectors.models import ConnectorAccount
from soar.standins.fortinet import FortiGate
from soar.standins.ldap import BASE, PASSWORD, USERNAME, Ldap
from soar.standins.misp import Misp
from soar.standins.panos import PanOs
from soar.standins.server import Server
from soar.standins.taxii import Taxii
from tests.browser.conftest import SignIn, check_accessibility

KINDS = ("ldap", "panos", "fortinet", "misp", "taxii")


@pytest.fixture
def running(transactional_db: None) -> Iterator[Server]:
    with Server([Ldap(), PanOs(), FortiGate(), Misp(), Taxii()]) as server:
        yield server


@pytest.fixture
def connected(running: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An account of each, tested; MISP and TAXII have brought their values; one firewall fails."""
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    practice.connect(running)
    running.standins["panos"]._order({"kind": "401", "times": 9})
    for account in ConnectorAccount.objects.filter(kind__in=KINDS):
        accounts.test_account(None, account.pk)
        if account.kind in ("misp", "taxii"):
            actions.bring(account.pk)
    return running


def test_a_directory_is_added_with_a_mistake_then_tested(
    running: Server, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/connectors/new/")
    page.get_by_role("link", name="LDAP / Active Directory").click()
    page.get_by_label("Name", exact=True).fill("Directory")
    page.get_by_label("Address", exact=True).fill(running.urls["ldap"]["url"])
    page.get_by_label("Base DN").fill("corp.example.com")
    page.get_by_label("User name").fill(USERNAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Add connector").click()
    expect(page.get_by_text("Write a distinguished name like")).to_be_visible()
    assert PASSWORD not in page.content()
    page.get_by_label("Base DN").fill(BASE)
    page.get_by_label("User name").fill(USERNAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Allow addresses inside the network").check()
    page.get_by_role("button", name="Add connector").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#toasts")).to_contain_text(f"takes the sign-in (not encrypted) and shows {BASE}.")
    page.get_by_text("sign in").first.click()
    assert PASSWORD not in page.content()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing(
    connected: Server, admin: User, sign_in: SignIn, live_server: LiveServer, theme: str, width: int
) -> None:
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    rows = ConnectorAccount.objects.filter(kind__in=KINDS).values_list("pk", flat=True)
    paths = [f"/connectors/{pk}/" for pk in rows] + [f"/connectors/new/{kind}/" for kind in KINDS]
    for path in ("/connectors/", "/connectors/new/", "/settings/feeds/", *paths):
        page.goto(live_server.url + path)
        check_accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
