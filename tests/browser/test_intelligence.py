"""Block list, feeds and ratings in a browser: axe in both themes, and an observable that is rated again."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import ratings
from cases.actions.observables import rate
from cases.models import Observable
from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.connectors.blocklist import actions as blocklist
from soar.connectors.blocklist import tokens
from soar.connectors.intelligence import actions as lists
from soar.connectors.models import FeedState
from soar.lib import clock
from soar.standins.server import Server
from soar.standins.virustotal import VirusTotal
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert
from tests.feed_files import take

THEMES = ("light", "dark")


def scene() -> Observable:
    """Something of everything that the pages can show."""
    for type_, value, days in (("ip", "198.51.100.7", 7), ("url", f"https://evil.example/{'a' * 300}", None)):
        blocklist.add("Priya Raman", None, type_, value, reason="Beacon", days=days, reference="INC-12")
    blocklist.add("Priya Raman", None, "domain", "gone.example", reason="Beacon")
    blocklist.remove("Priya Raman", None, "domain", "gone.example", reason="False alarm")
    lists.add_exception(None, "ip", "198.51.100.7", "Our relay")
    tokens.make(None, "ip", "Edge firewall")
    account = accounts.create_account(None, "feed", "Evil", {"url": "https://feeds.example/list"}, {})
    take(account.pk, b"evil.example\n198.51.100.9\nwhat is this\n")
    FeedState.objects.update(last_error="The server answered 404.", failed_at=clock.now())
    make_alert("Beacon", observables=(("domain", "bad.example.net"),))
    one = Observable.objects.get(value="bad.example.net")
    evidence = [
        {"list": "VT", "text": "12 of 90", "effect": "malicious", "at": clock.iso(clock.now()), "age_seconds": 5}
    ]
    kept = {"rule": "Over it.", "evidence": evidence, "scores": {"VT": {"malicious": 12}}, "problems": ["OTX is away."]}
    rate(one, "highly_suspicious", {**kept, "benign": "Known good"})
    return one


@pytest.mark.parametrize("theme", THEMES)
def test_pages_of_intelligence(theme: str, admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    one, page = scene(), sign_in(admin)
    for path in ("/blocklist/", "/blocklist/?state=any", "/blocklist/?q=nothing", "/settings/feeds/",
                 f"/observables/{one.pk}/"):  # fmt: skip
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + path)
            check_accessibility(page)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (path, width)


def test_rate_again(admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    standin = VirusTotal()
    standin.state["known"]["bad.example.net"] = 12
    one = scene()
    with Server([standin]) as server:
        settings = {"url": server.urls["virustotal"]["url"], "allow_internal": True}
        accounts.create_account(None, "virustotal", "VirusTotal", settings, {"token": "key-0123456789"})
        page: Page = sign_in(admin)
        page.goto(f"{live_server.url}/observables/{one.pk}/")
        page.get_by_role("button", name="Rate again").click()
        expect(page.get_by_text("Providers are being asked")).to_be_visible()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM soar_queue WHERE task = %s RETURNING args", [ratings.TASK])
            ((args,),) = cursor.fetchall()
        ratings.rate_again(*(json.loads(args) if isinstance(args, str) else args))
    expect(page.get_by_text("12 of 90 engines say malicious")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Rate again")).to_be_visible()
