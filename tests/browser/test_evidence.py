"""Evidence in the browser: uploaded in the dialog, refused in it, without scripts, downloaded; axe in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Evidence, Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.evidence_files import CONTENT, keep
from tests.factories import make_incident

pytestmark = pytest.mark.usefixtures("own_store")


@pytest.fixture
def incident(analyst: User, own_store: None) -> Incident:
    """An incident with one piece of evidence."""
    made = make_incident("Rented servers", owners=[analyst])
    keep(made, description="From the mailbox", tlp="red")
    return made


def test_uploaded_in_the_dialog(page_of: Page, incident: Incident) -> None:
    box, dialog = page_of.locator("#incident-evidence"), page_of.get_by_role("dialog")
    box.get_by_role("link", name="Upload").click()
    files = [
        {"name": "memory dump.dmp", "mimeType": "text/html", "buffer": b"MDMP" + b"x" * 2_000_000},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Seen at 10:00"},
    ]
    dialog.get_by_label("Files").set_input_files(files)  # type: ignore[arg-type]
    dialog.get_by_label("Description").fill("Taken by hand")
    dialog.get_by_role("button", name="Upload").click()
    expect(dialog).to_be_hidden()
    expect(box.locator("li")).to_have_count(3)
    expect(page_of.locator("#timeline")).to_contain_text("added the evidence memory dump.dmp")
    assert Evidence.objects.get(name="memory dump.dmp").content_type == "application/x-dmp"


def test_refused_in_the_dialog(page_of: Page, incident: Incident, settings: Any) -> None:
    settings.EVIDENCE_MB = 1
    dialog = page_of.get_by_role("dialog")
    page_of.locator("#incident-evidence").get_by_role("link", name="Upload").click()
    dialog.get_by_label("Description").fill("Typed before")
    too_large = {"name": "big.bin", "mimeType": "", "buffer": b"x" * (1024 * 1024 + 1)}
    dialog.get_by_label("Files").set_input_files(too_large)  # type: ignore[arg-type]
    message = dialog.get_by_label("Files").evaluate("field => field.validationMessage")
    assert message == "big.bin is larger than 1 MiB."
    dialog.get_by_label("Files").set_input_files({"name": "copy.eml", "mimeType": "", "buffer": CONTENT})
    dialog.get_by_role("button", name="Upload").click()
    expect(dialog.get_by_role("alert")).to_contain_text("copy.eml is here already: the same bytes as invoice.eml")
    expect(dialog.get_by_label("Description")).to_have_value("Typed before")
    dialog.get_by_role("link", name="Show it").click()
    expect(page_of.get_by_role("heading", level=1)).to_have_text("invoice.eml")


def test_without_scripts(
    incident: Incident, analyst: User, live_server: LiveServer, sign_in: SignIn, browser: Browser
) -> None:
    cookies: Any = sign_in(analyst).context.cookies()
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    box = page.locator("#incident-evidence")
    box.get_by_role("link", name="Show").click()
    box.get_by_role("link", name="Upload").click()
    page.get_by_label("Files").set_input_files({"name": "a.log", "mimeType": "", "buffer": b"line"})
    page.get_by_role("button", name="Upload").click()
    box.get_by_role("link", name="Show").click()
    expect(box).to_contain_text("a.log")
    box.get_by_role("link", name="a.log").click()
    page.get_by_label("Why").fill("Wrong file")
    page.get_by_role("button", name="Remove the file").click()
    expect(page.get_by_text("Removed by Mara Lindqvist")).to_be_visible()
    context.close()


def test_downloaded_never_opened(page_of: Page, incident: Incident, live_server: LiveServer) -> None:
    piece = keep(incident, "evil page.html", b"<script>document.title = 'owned'</script>")
    page_of.goto(f"{live_server.url}/evidence/{piece.pk}/")
    with page_of.expect_download() as begun:
        page_of.get_by_role("link", name="Download as it is").click()
    assert begun.value.suggested_filename == "evil page.html"
    assert Path(begun.value.path()).read_bytes() == b"<script>document.title = 'owned'</script>"
    with page_of.expect_download() as begun:
        page_of.get_by_role("link", name="Download as zip").click()
    assert begun.value.suggested_filename == "evil page.html.zip"
    page_of.reload()
    expect(page_of.get_by_text("downloaded it as a zip")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(page_of: Page, incident: Incident, live_server: LiveServer, theme: Any) -> None:
    page_of.emulate_media(color_scheme=theme)
    piece = Evidence.objects.get()
    for path in (
        f"/evidence/{piece.pk}/",
        f"/incidents/{incident.number}/evidence/",
        f"/incidents/{incident.number}/evidence/add/",
    ):
        page_of.goto(f"{live_server.url}{path}")
        check_accessibility(page_of)
    page_of.goto(f"{live_server.url}/incidents/{incident.number}/")
    page_of.locator("#incident-evidence").get_by_role("link", name="Upload").click()
    expect(page_of.get_by_role("dialog")).to_be_visible()
    check_accessibility(page_of)
