"""Assets in a browser: import a file after looking at it, find the asset, edit it; both themes pass axe on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Asset
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_asset

FILE = "name;os;ip;group;criticality\nFIN-LT-0114;Windows 11;10.20.4.14;Finance;high\nweb-01;Debian 12;;Web;critical\n"


def choose(page: Page, text: str) -> None:
    """Send a file of this text to be looked at."""
    file: Any = {"name": "estate.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("input[type=file]").set_input_files(files=[file])
    page.get_by_role("button", name="Look at it").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_import_find_and_edit(theme: str, admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    make_asset("fin-lt-0114", system="Windows 10")
    page = sign_in(admin)
    page.goto(f"{live_server.url}/assets/import/")
    choose(page, "name,ip\nws-1,10.0.0.999\n=x,\n")
    expect(page.get_by_role("alert")).to_contain_text("2 lines are wrong")
    check_accessibility(page)
    choose(page, FILE)
    expect(page.get_by_role("heading", name="What estate.csv would do")).to_be_visible()
    expect(page.get_by_role("table", name="What would change")).to_contain_text("Windows 10")
    check_accessibility(page)
    assert Asset.objects.count() == 1
    page.get_by_role("button", name="Import them").click()
    expect(page.get_by_text("Imported: 1 new, 1 changed, 0 as they were.")).to_be_visible()

    page.get_by_label("Filter", exact=True).fill("web")
    expect(page.locator("#asset-rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="web-01").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Tags").fill("tier0, public")
    page.get_by_label("Criticality").select_option("medium")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/assets/\d+/$"))
    expect(page.get_by_text("Criticality: Critical → Medium")).to_be_visible()
    check_accessibility(page)
