"""Connectors in the browser: added, tested, repaired; what the practice range was told; axe, on a phone too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import User
from soar.connectors import actions, notify, practice, routing
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message, Row, Section
from soar.connectors.models import ConnectorAccount
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.panos import PanOs
from soar.standins.server import Server
from tests.acting import over_tls
from tests.browser.conftest import SignIn, check_accessibility
from tests.certificates import Authority

TOLD = Message(
    "Approval for ALR-7: credential theft on FIN-LT-0114",
    type="approval",
    text="Isolating FIN-LT-0114 waits for your decision until tomorrow, 10:31.",
    facts=(("Alert", "ALR-7"), ("Playbook", "Contain credential theft")),
    sections=(Section("Objects", (Row("FIN-LT-0114", "highly_suspicious", "hash on two lists"),)),),
    link="https://soar.example/approvals/7/",
    severity="high",
    thread="INC-12",
)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Server]:
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    folder._range.cache_clear()
    with program.made() as server:
        practice.connect(server)
        program.remember(server, os.getpid())
        yield server
    folder._range.cache_clear()


@pytest.fixture
def used(running: Server) -> Server:
    """Accounts in all states: tested, failing, switched off by Soar, off; some calls; a rule."""
    named = {one.kind: one for one in ConnectorAccount.objects.all()}
    for kind in ("slack", "smtp", "visionone"):
        actions.test_account(None, named[kind].pk)
    for kind in ("smtp", "slack"):
        notify.send(named[kind], TOLD, key=f"{kind}-1")
    httpx.post(f"{running.urls['teams']['control']}/fault", json={"kind": "410"})
    with pytest.raises(ConnectorError):
        notify.send(named["teams"], TOLD, key="teams-1")
    httpx.post(f"{running.urls['mattermost']['control']}/fault", json={"kind": "500", "times": 3})
    actions.test_account(None, named["mattermost"].pk)
    actions.update_account(None, named["webhook"].pk, enabled=False)
    routing.add_route(None, account=named["visionone"].pk, capability="isolate_endpoint", asset_group="Finance")
    return running


def test_added_with_a_mistake_then_tested(
    running: Server, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/connectors/")
    page.get_by_role("link", name="Connector", exact=True).click()
    page.get_by_role("link", name="Slack").click()
    page.get_by_label("Name").fill("SOC channel")
    page.get_by_label("Address", exact=True).fill("hooks.slack.example")
    page.get_by_label("Cleared up to").select_option("green")
    page.get_by_role("button", name="Add connector").click()
    expect(page.get_by_text("must be an address like https://host/path.")).to_be_visible()
    expect(page.get_by_label("Cleared up to")).to_have_value("green")
    page.get_by_label("Address", exact=True).fill(running.urls["slack"]["url"])
    page.get_by_label("Allow addresses inside the network").check()
    page.get_by_role("button", name="Add connector").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#toasts")).to_contain_text("SOC channel works: Sent to SOC channel.")
    page.get_by_text("message: test").click()
    expect(page.get_by_role("region", name="Answer 1")).to_contain_text('"body": "ok"')
    assert running.urls["slack"]["url"] not in page.content()


def test_a_product_of_the_house_by_its_authority(
    admin: User, sign_in: SignIn, live_server: LiveServer, tmp_path: Path
) -> None:
    authority = Authority.made(tmp_path, "Example Corp Root CA")
    with over_tls(PanOs(), authority.server("localhost")) as address:
        page = sign_in(admin)
        page.goto(f"{live_server.url}/connectors/new/panos/")
        page.get_by_label("Name").fill("Edge firewall")
        page.get_by_label("Address", exact=True).fill(address)
        page.get_by_label("Token", exact=True).fill("key-of-the-firewall")
        page.get_by_label("Allow addresses inside the network").check()
        page.get_by_label("Certificate authority").fill("corp-ca.pem")
        page.get_by_role("button", name="Add connector").click()
        expect(page.get_by_text("This is no certificate in PEM")).to_be_visible()
        check_accessibility(page)
        page.get_by_label("Certificate authority").fill(authority.text)
        page.get_by_label("Token", exact=True).fill("key-of-the-firewall")
        page.get_by_role("button", name="Add connector").click()
        expect(page.get_by_text("Example Corp Root CA (")).to_be_visible()
        page.get_by_role("button", name="Test connection").click()
        expect(page.locator("#toasts")).to_contain_text("fw-practice answers with PAN-OS")
        check_accessibility(page)


def test_a_channel_that_soar_switched_off_is_found_and_repaired(
    used: Server, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/alerts/")
    place = page.get_by_role("navigation", name="Main").get_by_role("link", name="Connectors")
    expect(place).to_contain_text("1")
    place.click()
    page.get_by_role("link", name="Practice Microsoft Teams").click()
    expect(page.get_by_role("alert")).to_contain_text("Soar has switched it off.")
    page.get_by_role("button", name="It is repaired: switch on").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator(".subject .state")).to_have_text("Works")


def test_what_the_practice_range_was_told(
    used: Server, analyst: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/playbooks/")
    page.get_by_role("link", name="What they were told").click()
    expect(page.get_by_role("heading", name=TOLD.title)).to_be_visible()
    page.get_by_role("link", name="As a mail program shows it").click()
    expect(page.get_by_role("link", name="Open in Soar")).to_have_attribute("href", TOLD.link)
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "20px"
    page.go_back()
    page.get_by_role("link", name="Slack").click()
    expect(page.get_by_role("link", name="Open what it links to").first).to_have_attribute("href", TOLD.link)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    used: Server, admin: User, sign_in: SignIn, live_server: LiveServer, theme: str, width: int
) -> None:
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page: Page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    teams = ConnectorAccount.objects.get(kind="teams").pk
    webhook = ConnectorAccount.objects.get(kind="webhook").pk
    for path in (
        "/connectors/", "/connectors/new/", "/connectors/new/smtp/", f"/connectors/{webhook}/edit/",
        f"/connectors/{teams}/", "/practice/", "/practice/?of=slack",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        check_accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
