"""Exports in the browser: from the dialog to the file, without scripts, reports that run nothing; axe in both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import export_work
from cases.models import ExportJob, Incident, ReportTemplate
from cases.reporting import formats
from cases.reporting.formats import FORMATS, Format
from cases.reporting.sample import DOCUMENT
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.exporting import whole_incident

HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"


@pytest.fixture(autouse=True)
def ground(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder for each test, and a slow format that needs no PDF."""
    settings.DATA_DIR = tmp_path
    slow = Format("slow", "Slow", "text/plain", "txt", "tests.test_exports.slow_words", slow=True)
    monkeypatch.setitem(formats.FORMATS, "slow", slow)


@pytest.fixture
def page_of(incident: Incident, admin: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The incident's page, of an admin."""
    page = sign_in(admin)
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    return page


@pytest.fixture
def incident(admin: User, ground: None) -> Incident:
    """An incident with something of everything."""
    return whole_incident()


def test_a_quick_format_is_downloaded_from_the_dialog(page_of: Page, incident: Incident) -> None:
    page_of.get_by_role("link", name="Export").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Markdown").check()
    with page_of.expect_download() as started:
        dialog.get_by_role("button", name="Export").click()
    assert started.value.suggested_filename.startswith(f"INC-{incident.pk}_TLP-AMBER_")
    assert "Beaconing host" in Path(started.value.path()).read_text()


def test_a_slow_one_shows_its_progress_and_then_its_file(page_of: Page, incident: Incident) -> None:
    page_of.get_by_role("link", name="Export").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Slow").check()
    dialog.get_by_role("button", name="Export").click()
    expect(page_of.locator("#export-job")).to_contain_text("Waits for a worker")
    export_work.work(ExportJob.objects.get().pk)
    with page_of.expect_download() as started:
        page_of.get_by_role("link", name="Download").click()
    assert Path(started.value.path()).read_bytes() == b"first Beaconing host"


def test_refused_in_the_form_with_the_reason(page_of: Page, incident: Incident) -> None:
    page_of.get_by_role("link", name="Export").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("TLP at most").select_option("green")
    dialog.get_by_role("button", name="Export").click()
    expect(page_of.get_by_role("alert")).to_contain_text("above TLP:GREEN")
    expect(page_of.get_by_label("TLP at most")).to_have_value("green")


def test_without_scripts(browser: Browser, live_server: LiveServer, page_of: Page, incident: Incident) -> None:
    state = page_of.context.storage_state()
    plain = browser.new_context(java_script_enabled=False, storage_state=state).new_page()
    plain.goto(f"{live_server.url}/incidents/{incident.number}/")
    plain.get_by_role("link", name="Export").click()
    plain.get_by_label("Slow").check()
    plain.get_by_role("button", name="Export").click()
    expect(plain.get_by_role("heading", name="Slow")).to_be_visible()
    plain.get_by_role("button", name="Cancel").click()
    expect(plain.locator("#export-job")).to_contain_text("Cancelled")
    plain.context.close()


def test_a_preview_runs_nothing(page_of: Page, live_server: LiveServer) -> None:
    page_of.goto(f"{live_server.url}/settings/reports/new/")
    page_of.get_by_label("Template").fill(f"<h1>{{{{ incident.title }}}}</h1>{HOSTILE}")
    with page_of.context.expect_page() as opened:
        page_of.get_by_role("button", name="Preview").click()
    preview = opened.value
    expect(preview.get_by_role("heading", name="Phishing mail opened")).to_be_visible()
    assert preview.title().startswith("INC-1042")
    preview.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_html_report_is_readable_on_the_screen_and_marked_on_each_printed_page(
    page_of: Page, theme: Any, tmp_path: Path
) -> None:
    many = {**DOCUMENT, "timeline": DOCUMENT["timeline"] * 80}
    file = tmp_path / "report.html"
    file.write_bytes(bytes(FORMATS["html"].render(many)))  # type: ignore[arg-type]
    page_of.emulate_media(color_scheme=theme)
    page_of.goto(file.as_uri())
    check_accessibility(page_of)
    page_of.set_viewport_size({"width": 360, "height": 740})
    assert page_of.evaluate("document.documentElement.scrollWidth <= 360")
    page_of.emulate_media(media="print")
    from io import BytesIO

    from pypdf import PdfReader

    pages = [one.extract_text() for one in PdfReader(BytesIO(page_of.pdf(format="A4"))).pages]
    assert len(pages) > 1
    assert all("TLP:AMBER" in text for text in pages)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(page_of: Page, incident: Incident, admin: User, live_server: LiveServer, theme: str) -> None:
    page_of.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    job = ExportJob.objects.create(user=admin, incident=incident, format="pdf")
    template = ReportTemplate.objects.create(
        slug="board", name="Board", body="x", updated_at=incident.created_at, updated_by_name="Ada"
    )
    for path in (
        f"incidents/{incident.number}/export/", f"exports/{job.pk}/", "exports/", "settings/reports/",
        f"settings/reports/{template.pk}/", "settings/reports/shipped/full/",
    ):  # fmt: skip
        page_of.set_viewport_size({"width": 1440, "height": 900})
        page_of.goto(f"{live_server.url}/{path}")
        check_accessibility(page_of)
        page_of.set_viewport_size({"width": 360, "height": 740})
        assert page_of.evaluate("document.documentElement.scrollWidth <= 360"), path
