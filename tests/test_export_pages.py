"""Exporting in the browser: the dialog, what it refuses, the page of a job, the download, one's own list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cases.actions import export_work
from cases.models import ExportJob, Incident
from cases.reporting import formats
from cases.reporting.formats import Format
from soar.accounts.models import Team, User
from tests.exporting import auditor, whole_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
ALL = {"evidence": "on", "notes": "on", "observables": "on", "template": "full", "tlp": ""}


@pytest.fixture(autouse=True)
def ground(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder for each test, and a slow format that needs no PDF."""
    settings.DATA_DIR = tmp_path
    slow = Format("slow", "Slow", "text/plain", "txt", "tests.test_exports.slow_words", slow=True)
    monkeypatch.setitem(formats.FORMATS, "slow", slow)


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue with something of everything."""
    return whole_incident(blue)


@pytest.fixture
def browser(db: None) -> Client:
    """An auditor's."""
    return client_of(auditor())


def test_the_page_of_an_incident_offers_it_to_who_may_export_alone(
    browser: Client, as_analyst: Client, incident: Incident
) -> None:
    path = f"/incidents/{incident.number}/"
    assert f'href="{path}export/"' in browser.get(path).content.decode()
    assert f"{path}export/" not in as_analyst.get(path).content.decode()


def test_the_form_is_a_page_and_a_dialog_with_all_formats_and_templates(browser: Client, incident: Incident) -> None:
    path = f"/incidents/{incident.number}/export/"
    page = browser.get(path).content.decode()
    dialog = browser.get(path, headers={"HX-Request": "true"}).content.decode()
    for name in ("pdf", "html", "md"):
        assert f'value="{name}"' in page
        assert f'value="{name}"' in dialog
    assert "Executive summary" in dialog
    assert "<html" in page
    assert "<html" not in dialog


def test_who_may_not_gets_neither_form_nor_file(
    as_analyst: Client, as_viewer: Client, as_stranger: Client, incident: Incident
) -> None:
    path = f"/incidents/{incident.number}/export/"
    for client, status in ((as_analyst, 403), (as_viewer, 403), (as_stranger, 404)):
        assert client.get(path).status_code == status
        assert client.post(path, {**ALL, "format": "md"}).status_code == status
    assert as_analyst.get("/exports/").status_code == 403
    assert Client().get(path).status_code == 302


def test_a_quick_format_is_answered_with_the_file(browser: Client, incident: Incident) -> None:
    answer = browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": "md"})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"at nine" in answer.content


def test_what_is_not_ticked_is_left_out(browser: Client, incident: Incident) -> None:
    given = {"format": "md", "template": "full", "tlp": "", "evidence": "on"}
    text = browser.post(f"/incidents/{incident.number}/export/", given).content.decode()
    assert "at nine" not in text
    assert "203" not in text.partition("## Timeline")[0].partition("Observables")[2]
    assert "invoice.eml" in text


def test_an_incident_above_the_limit_is_refused_in_the_form_with_the_reason(
    browser: Client, incident: Incident
) -> None:
    answer = browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": "md", "tlp": "green"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "is TLP:AMBER, above TLP:GREEN" in page
    assert '<option value="green" selected>' in page


@pytest.mark.parametrize("format", ["", "docx", "../../etc/passwd"])
def test_a_format_that_is_none_is_refused_in_the_form(browser: Client, incident: Incident, format: str) -> None:
    answer = browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": format})
    assert answer.status_code == 422
    assert "Must be one of" in answer.content.decode()


def test_a_slow_one_has_a_page_with_progress_cancel_and_download(browser: Client, incident: Incident) -> None:
    answer = browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": "slow"}, follow=True)
    job = ExportJob.objects.get()
    assert answer.redirect_chain == [(f"/exports/{job.pk}/", 302)]
    page = answer.content.decode()
    assert "Waits for a worker" in page
    assert f"/exports/{job.pk}/cancel/" in page
    early = browser.get(f"/exports/{job.pk}/file/", follow=True)
    assert "not ready yet" in early.content.decode()
    export_work.work(job.pk)
    strip = browser.get(f"/exports/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "Ready" in strip
    assert "hx-trigger" not in strip
    assert "SHA-256" in strip and "Kept until" in strip and "Full report" in strip  # without loading the page anew
    file = browser.get(f"/exports/{job.pk}/file/")
    assert b"".join(file.streaming_content) == b"first Beaconing host"  # type: ignore[attr-defined]
    assert incident.number in browser.get("/exports/").content.decode()


def test_it_can_be_cancelled_once(browser: Client, incident: Incident) -> None:
    browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": "slow"})
    job = ExportJob.objects.get()
    assert browser.get(f"/exports/{job.pk}/cancel/").status_code == 405
    assert "Cancelled" in browser.post(f"/exports/{job.pk}/cancel/", follow=True).content.decode()
    assert "ended already" in browser.post(f"/exports/{job.pk}/cancel/", follow=True).content.decode()


def test_a_job_of_somebody_else_is_not_there(
    browser: Client, as_admin: Client, admin: User, incident: Incident
) -> None:
    browser.post(f"/incidents/{incident.number}/export/", {**ALL, "format": "slow"})
    job = ExportJob.objects.get()
    for path in ("", "file/"):
        assert as_admin.get(f"/exports/{job.pk}/{path}").status_code == 404
    assert as_admin.post(f"/exports/{job.pk}/cancel/").status_code == 404
    assert incident.number not in as_admin.get("/exports/").content.decode()
