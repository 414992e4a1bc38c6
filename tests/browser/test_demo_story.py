"""The demo shows it all without any account: an alert arrives, a host is isolated on the practice range after an
approval, mail and card are sent, the incident closes itself (connectors.md 5). All of it over real HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.choices import Determination, IncidentStatus
from cases.models import Alert, Incident
from playbooks.models import Playbook, Run
from soar.accounts.models import User
from soar.connectors import practice
from soar.connectors.models import BlockEntry, ConnectorAccount
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.practising import Story, say, settle, story

__all__ = ["story"]

pytestmark = pytest.mark.django_db(transaction=True)
PAYLOAD = Path(__file__).parents[2] / "examples" / "command-and-control.json"
HOST, GUID = "SAL-LT-0090", "5B1F3C1E-6B0D-4C55-9A51-1B7C0D2E9F90"


def send(live_server: LiveServer) -> httpx.Response:
    """As docs/demo.md sends the alert."""
    token = json.loads(say("source", "create", "Practice EDR", "--kind", "visionone"))["token"]
    address = f"{live_server.url}/api/v1/ingest/practice-edr/"
    return httpx.post(
        address,
        content=PAYLOAD.read_bytes(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=60,
    )


def test_from_the_alert_to_the_closed_incident(
    story: Story, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    said = say("seed_demo")
    assert "4 enabled, 3 started on the practice range" in said
    settle()
    runs = dict(Run.objects.filter(playbook__kind="response").values_list("playbook__name", "status"))
    # By night it also signs the traveller out, who is on the never-touch list; by day it only tells people.
    assert runs.pop("Account takeover") in ("successful", "pending_approval")
    assert runs == {"Malware on a host": "pending_approval", "Contain a host by hand": "successful"}
    before, mails = story.isolated(), len(story.subjects())
    answer = send(live_server)
    assert answer.status_code == 201, answer.text
    settle()
    run = Run.objects.get(alert=answer.json()["id"], playbook__kind="response")
    assert (run.status, run.trigger) == ("pending_approval", "automatic")
    assert story.isolated() == before, "nothing is isolated before somebody agrees"
    assert any(subject.startswith("[Approve isolation] ") for subject in story.subjects()[mails:])
    page = sign_in(admin)
    approve(page, live_server)
    settle()
    assert story.isolated() - before == {GUID}
    assert any(subject.startswith("[Command and control] ") for subject in story.subjects()[mails:])
    cards = story.state("slack")["messages"]
    assert len(cards) == 1 and HOST in json.dumps(cards[0])
    look_back(page, live_server, run)
    take_away(story, run)


def approve(page: Page, live_server: LiveServer) -> None:
    """Find the approval, read it, agree."""
    page.goto(f"{live_server.url}/approvals/")
    waiting = Run.objects.filter(status="pending_approval").count()
    expect(page.get_by_role("link", name=f"Approvals {waiting}")).to_be_visible()
    page.get_by_role("link", name=re.compile("Command and control: Isolate the hosts")).first.click()
    expect(page.get_by_text(HOST).first).to_be_visible()
    check_accessibility(page)
    page.get_by_role("button", name=re.compile("^Approve")).first.click()
    expect(page.get_by_text("It is decided.")).to_be_visible()


def look_back(page: Page, live_server: LiveServer, run: Run) -> None:
    """The run with its report, the incident that has closed itself, the mail and the card."""
    run.refresh_from_db()
    incident = run.opened_incident
    assert incident is not None
    page.goto(f"{live_server.url}/runs/{run.pk}/")
    expect(page.get_by_role("link", name="Action Isolate the hosts 1 of 1 done, successful")).to_be_visible()
    page.get_by_text("Report", exact=True).click()
    with page.expect_download() as given:
        page.get_by_role("link", name="Report, text").click()
    report = given.value.path().read_text(encoding="utf-8")
    assert f"Isolate endpoint {HOST} (Successful" in report and "Approved · Ada Admin" in report
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    expect(page.get_by_text("The playbook Command and control succeeded").first).to_be_visible()
    assert (IncidentStatus(incident.status).word, incident.determination) == ("closed", Determination.MALICIOUS)
    page.goto(f"{live_server.url}/practice/?of=slack")
    expect(page.get_by_text(HOST).first).to_be_visible()
    page.goto(f"{live_server.url}/practice/")
    expect(page.get_by_text("[Command and control]").first).to_be_visible()


def take_away(story: Story, run: Run) -> None:
    """The removal leaves what happened to an alert that is not the demo's."""
    said = say("seed_demo", "--remove")
    assert "Command and control (put away)" in said
    assert set(Playbook.objects.filter(kind="response").values_list("name", "enabled", "present")) == {
        ("Command and control", False, False)
    }
    assert Run.objects.filter(pk=run.pk, status="successful").exists()
    assert Alert.objects.count() == 1 and Incident.objects.count() == 1
    assert list(BlockEntry.objects.values_list("value", flat=True)) == ["cdn-sync.example.net"]
    assert not ConnectorAccount.objects.exists()
    assert practice.connect(story.server) == [], "what was taken away does not come back at the next start"
    assert "enabled" in say("seed_demo"), "but with the demo data it does"
    assert ConnectorAccount.objects.filter(name="Practice Slack", enabled=True).exists()
