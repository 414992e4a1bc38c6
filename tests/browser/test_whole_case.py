"""One whole case by keys alone: from the alert that a product posts to the signed archive that an auditor verifies
(casework.md 2, 4, 6, 10, 13, 16)."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from pytest_django.live_server_helper import LiveServer

from cases.actions import custom_fields, export_work, sources
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus
from cases.models import Alert, ExportJob, Incident, IncidentTask, Mention
from cases.signing import active_key
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.browser.keyboard import unfold, walk
from tests.exporting import auditor

TITLE, NOTE, CAUSE = "Beacon to a rare domain", "It spoke to the domain at nine.", "A macro in a mail"
VERIFIER = Path(__file__).parents[2] / "cases" / "reporting" / "verify.py"


@pytest.fixture(autouse=True)
def ground(settings: Any, tmp_path: Path) -> None:
    """A data folder of the test's own, and a field that has to be filled before an incident ends."""
    settings.DATA_DIR = tmp_path
    custom_fields.create(Actor.system(), fields={"name": "Root cause", "kind": "text", "required": True})


def test_from_the_alert_to_the_verified_archive(
    analyst: User, responder: User, sign_in: SignIn, live_server: LiveServer, tmp_path: Path
) -> None:
    post_alert(live_server)
    page = sign_in(analyst)
    triage(page, live_server)
    incident = Incident.objects.get()
    work(page, incident, responder)
    hand_over(page)
    refused_until_all_is_there(page)
    end(page, "closed")
    incident.refresh_from_db()
    assert (incident.status, incident.determination) == (IncidentStatus.CLOSED, Determination.MALICIOUS)
    assert incident.custom_fields == {"root_cause": CAUSE} and incident.techniques == ["T1071.001"]
    assert Alert.objects.get().determination == Determination.MALICIOUS
    take_out(sign_in(auditor()), tmp_path)


def take_out(page: Page, folder: Path) -> None:
    """An auditor takes it out, as a report to read and as an archive to verify."""
    page.reload()
    report = PdfReader(BytesIO(exported(page, "pdf")))
    words = " ".join(" ".join(one.extract_text() for one in report.pages).split())
    assert all(text in words for text in (TITLE, NOTE, "Isolate the host", "T1071.001", "put-there[.]example[.]net"))
    archive = folder / "case.zip"
    archive.write_bytes(exported(page, "zip"))
    command = [sys.executable, "-I", str(VERIFIER), str(archive), "--key", active_key().public_key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Whole, and signed with this key.\n"), done.stderr


def post_alert(live_server: LiveServer) -> None:
    """A product posts an alert."""
    source, token = sources.create(Actor.system(), fields={"name": "Sensor", "kind": "generic"})
    body = {"id": "beacon-1", "title": TITLE, "severity": "high", "hostname": "FIN-LT-0231"}
    address = f"{live_server.url}/api/v1/ingest/{source.slug}/"
    answer = httpx.post(address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.status_code == 201, answer.text


def triage(page: Page, live_server: LiveServer) -> None:
    """Take the alert in the queue, open it, make an incident of it."""
    page.goto(f"{live_server.url}/alerts/")
    row = page.locator("table.queue tbody tr", has_text=TITLE)
    expect(row).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("tr.cur")).to_contain_text(TITLE)
    page.keyboard.press("a")
    expect(row).to_contain_text("ML")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Title")).to_be_focused()
    on(page, dialog.get_by_role("button", name="Open incident"))
    expect(dialog).to_be_hidden()
    link = page.get_by_role("link", name=re.compile(r"INC-\d+")).first
    on(page, link)
    expect(page).to_have_url(re.compile(r"/incidents/INC-\d+/$"))


def work(page: Page, incident: Incident, responder: User) -> None:
    """A note that tells somebody, a required task, an observable, a technique."""
    walk(page, page.get_by_label("Add to the timeline"), "the note")
    page.keyboard.type("@pri")
    expect(page.locator(".mentions [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type(NOTE)
    on(page, page.locator("#incident-composer").get_by_role("button", name="Add", exact=True))
    expect(page.locator("#timeline")).to_contain_text(NOTE)
    assert Mention.objects.get().user == responder
    unfold(page, "#task-new")
    typed(page, "#task-title", "Isolate the host")
    tick(page, page.locator("#task-new").get_by_label("Required"))
    on(page, page.locator("#task-new").get_by_role("button", name="Add", exact=True))
    expect(page.get_by_label("Isolate the host", exact=True)).to_be_visible()
    unfold(page, "#observable-add")
    walk(page, page.locator("#o-type"), "the type")
    page.keyboard.type("domain")
    typed(page, "#o-value", "put-there.example.net")
    page.keyboard.press("Enter")
    expect(page.locator("#incident-observables")).to_contain_text("put-there")
    unfold(page, "#technique-add")
    typed(page, "#technique-q", "T1071.001")
    on(page, page.locator("#techniques-found").get_by_role("button", name="Add T1071.001"))
    expect(page.get_by_role("button", name="Take off T1071.001")).to_be_visible()


def hand_over(page: Page) -> None:
    """Leave a note for the next shift."""
    on(page, page.get_by_role("link", name="Hand over", exact=True))
    expect(page.get_by_label("Kind", exact=True)).to_have_value("handoff")
    walk(page, page.get_by_label("Add to the timeline"), "the note")
    page.keyboard.type("The host stays off the network.")
    on(page, page.locator("#incident-composer").get_by_role("button", name="Add", exact=True))
    expect(page.locator("#timeline")).to_contain_text("The host stays off the network.")


def refused_until_all_is_there(page: Page) -> None:
    """It does not end without the required task and field. Then both are there, and it is resolved."""
    answer = ending(page, "resolved")
    expect(answer.get_by_role("alert")).to_contain_text("Isolate the host")
    page.keyboard.press("Escape")
    expect(answer).to_be_hidden()
    tick(page, page.get_by_label("Isolate the host", exact=True))
    expect(page.locator("#timeline")).to_contain_text("completed Isolate the host")
    assert not IncidentTask.objects.get().is_open
    answer = ending(page, "resolved")
    expect(answer.get_by_role("alert")).to_contain_text("1 required field has no value: “Root cause”")
    page.keyboard.press("Escape")
    expect(answer).to_be_hidden()
    unfold(page, "#cf-root_cause-edit")
    typed(page, "#incident-fields [name=value]", CAUSE)
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_contain_text("set Root cause")
    end(page, "resolved")


def end(page: Page, status: str) -> None:
    """Resolve or close."""
    expect(ending(page, status)).to_be_hidden()
    expect(page.locator("#incident-head")).to_contain_text(status.title())


def ending(page: Page, status: str) -> Locator:
    """Fill the form that resolves or closes, and send it; the dialog."""
    unfold(page, "#menu-status")
    on(page, page.locator(f"#open-{status}"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Resolve or close")).to_be_visible()
    turn(page, dialog, "determination", "malicious")
    on(page, dialog.get_by_role("button", name="Save"))
    return dialog


def exported(page: Page, format: str) -> bytes:
    """Ask for a format, let a worker make it, take the file; back to the incident."""
    incident, number = page.url, ExportJob.objects.count()
    on(page, page.get_by_role("link", name="Export", exact=True))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=re.compile("^Export INC-"))).to_be_visible()
    turn(page, dialog, "format", format)
    on(page, dialog.get_by_role("button", name="Export"))
    expect(page.locator("#export-job")).to_contain_text("Waits for a worker")
    assert ExportJob.objects.count() == number + 1
    export_work.work(ExportJob.objects.latest("pk").pk)
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    with page.expect_download() as given:
        on(page, link)
    content = Path(given.value.path()).read_bytes()
    page.goto(incident)
    return content


def on(page: Page, wanted: Locator) -> None:
    """Walk there, then Enter."""
    walk(page, wanted, str(wanted))
    page.keyboard.press("Enter")


def typed(page: Page, field: str, text: str) -> None:
    """Walk to a field and write."""
    walk(page, page.locator(field), field)
    page.keyboard.type(text)


def tick(page: Page, box: Locator) -> None:
    """Walk to a box and set it."""
    walk(page, box, str(box))
    page.keyboard.press("Space")
    expect(box).to_be_checked()


def turn(page: Page, dialog: Locator, name: str, value: str) -> None:
    """Walk to the radio buttons of this name, and on with the arrow to the one of this value."""
    choices = dialog.locator(f"input[name={name}]")
    chosen = dialog.locator(f"input[name={name}]:checked")
    walk(page, chosen if chosen.count() else choices.first, name)
    wanted = dialog.locator(f"input[name={name}][value={value}]")
    for _step in range(choices.count()):
        if wanted.is_checked():
            return
        page.keyboard.press("ArrowDown" if chosen.count() else "Space")
    expect(wanted).to_be_checked()
