"""The alert of a reported message, and a source that reads a mailbox: whole on any screen, free of what axe finds."""

from __future__ import annotations

import hashlib

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from cases.ingest.pipeline import receive, rules_of
from cases.models import Alert, AlertSource
from cases.pulls import reading
from soar.accounts.models import User
from soar.standins.imap import PASSWORD, USERNAME, Imap
from tests.acting import practice
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_source
from tests.mails import phish, reported

RAW = reported(phish())


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Reported mail", kind="email")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_message_stands_on_the_alert(
    live_server: LiveServer, sign_in: SignIn, source: AlertSource, analyst: User, theme: str
) -> None:
    for raw in (RAW, reported(phish(), by="B. Lind <b.lind@corp.example.org>")):
        receive(rules_of(source), raw, "message/rfc822")
    alert = Alert.objects.get()
    page = sign_in(analyst)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}/alerts/{alert.number}/")
        region = page.get_by_role("region", name="Mail messages")
        expect(region).to_contain_text("Your account is limité")
        expect(region).to_contain_text("Rechnung März.iso")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        check_accessibility(page)
    with page.expect_download() as begun:
        region.get_by_role("link", name="Download as it is").first.click()
    assert hashlib.sha256(begun.value.path().read_bytes()).digest() == hashlib.sha256(RAW).digest()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_mailbox_is_set_up_to_be_read(
    live_server: LiveServer, sign_in: SignIn, source: AlertSource, admin: User, theme: str
) -> None:
    secrets = {"username": USERNAME, "password": PASSWORD}
    with practice(Imap(), secrets, name="Mailbox of reports") as here:
        page = sign_in(admin)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.goto(f"{live_server.url}/sources/{source.slug}/")
        page.get_by_role("link", name="Read its alerts").click()
        page.get_by_label("Connector").select_option("Mailbox of reports")
        check_accessibility(page)
        page.get_by_role("button", name="Save").click()
        box = here.standin
        assert isinstance(box, Imap)
        box.deliver(RAW)
        reading.pull(source.pull.pk)
        page.get_by_role("button", name="Test").click()
        expect(page.locator("body")).to_contain_text("lets us in (not encrypted); 1 messages in INBOX")
        here.fault("401", times=9)
        reading.pull(source.pull.pk)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{live_server.url}/sources/{source.slug}/")
            expect(page.locator("#reading")).to_contain_text("refused the sign-in")
            expect(page.locator("#reading")).to_contain_text("message 1")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            check_accessibility(page)
