"""The shipped phishing playbook, drawn from nothing by keyboard alone, rehearsed and enabled; an alert that is posted
starts it; what it asks is approved; the report tells it all (response-playbooks.md 1 to 24, 29). Over real HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

import playbooks
from cases.models import Alert
from playbooks.models import Playbook, ResponseTask, Run
from soar.accounts.models import User
from soar.connectors.intelligence.actions import add_own
from tests.browser.conftest import SignIn, check_accessibility
from tests.browser.keyboard import applied, choose, press, tick, turn, unfold, walk, write
from tests.browser.practising import Story, say, settle, story

__all__ = ["story"]
pytestmark = pytest.mark.django_db(transaction=True)
SHIPPED = Path(playbooks.__file__).parent / "templates_shipped" / "phishing.json"
DESK = "soc@example.com"
LINK, SENDER, SUBJECT = "http://pay.example.net/invoice", "billing@pay.example.net", "Invoice 20417 overdue"
MESSAGE, MAILBOX = "<20417@pay.example.net>", "ana.lund@corp.example.com"


def reported(identity: str) -> dict[str, Any]:
    """A Workbench alert on a message: whose link is bad, and whose sender nobody knows."""
    found = [("url", LINK), ("email_sender", SENDER), ("email_subject", SUBJECT), ("email_message_id", MESSAGE)]
    indicators = [
        {"id": number, "type": kind, "field": kind, "value": value, "relatedEntities": [MAILBOX]}
        for number, (kind, value) in enumerate(found, 1)
    ]
    entity = {"entityType": "emailAddress", "entityValue": MAILBOX, "entityId": MAILBOX, "relatedEntities": [],
              "relatedIndicatorIds": [one["id"] for one in indicators], "provenance": ["Alert"]}  # fmt: skip
    return {
        "schemaVersion": "1.14", "id": identity, "status": "Open", "investigationResult": "No Findings",
        "alertProvider": "SAE", "model": "Phishing Message Opened", "score": 60, "severity": "medium",
        "createdDateTime": "2026-03-02T10:00:00Z", "updatedDateTime": "2026-03-02T10:00:00Z",
        "description": "A message with a bad link was opened.", "impactScope": {"entities": [entity]},
        "matchedRules": [], "indicators": indicators,
    }  # fmt: skip


class Desk:
    """A portal with the practice range, one source, and an author before the keyboard."""

    def __init__(self, page: Page, live_server: LiveServer) -> None:
        self.page, self.url = page, live_server.url
        self.token = json.loads(say("source", "create", "Mail EDR", "--kind", "visionone"))["token"]

    def post(self, identity: str) -> Alert:
        """Send an alert as the product would."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.url}/api/v1/ingest/mail-edr/"
        answer = httpx.post(address, json=reported(identity), headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text
        return Alert.objects.get(pk=answer.json()["id"])

    def node(self, after: str, add: str, name: str) -> None:
        """Go to a part in the list of all parts, add what may follow it, and begin with its name."""
        press(self.page, "link", re.compile(rf"^[A-Z][\w -]+ {re.escape(after)}$"), back=True)
        expect(self.page.get_by_role("heading", name=f"What may follow {after}")).to_be_visible()
        press(self.page, "button", add, back=True)
        expect(self.page.locator("#nf")).to_be_focused()
        write(self.page, "Name", name)


def test_29_the_phishing_playbook_from_nothing_to_its_report(
    story: Story, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    add_own(None, "url", LINK, "seen in an attack", effect="malicious")
    desk = Desk(sign_in(admin), live_server)
    before = desk.post("WB-1-20260302-00001")
    settle()
    row = draw(desk)
    drawn_as_shipped(row)
    rehearse(desk, before, story)
    switch_on(desk, row)
    alert = desk.post("WB-1-20260302-00002")
    settle()
    run = Run.objects.get(playbook=row)
    assert (run.alert_id, run.trigger, run.status) == (alert.pk, "automatic", "pending_approval")
    assert [kind for kind, _box in taken(story)] == ["quarantineMessage"]
    assert story.subjects() == ["[Approve] Approval needed: Phishing message: Quarantine what was found"]
    approve(desk)
    settle()
    assert [kind for kind, _box in taken(story)] == ["quarantineMessage"] * 6  # each message once
    read(desk, run, story)


def taken(story: Story) -> list[tuple[str, str]]:
    """What Vision One was told to do to messages."""
    tasks = story.state("visionone")["tasks"].values()
    return [(one["action"], one.get("mailBox", "")) for one in tasks]


def draw(desk: Desk) -> Playbook:
    """All nodes of the shipped playbook."""
    page = desk.page
    page.goto(f"{desk.url}/playbooks/")
    unfold(page, "#new-playbook")
    press(page, "button", "Empty response playbook")
    expect(page).to_have_url(re.compile(r"/playbooks/\d+/edit/$"))
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    press(page, "link", "Playbook New playbook")
    expect(page.locator("#nf")).to_be_focused()
    write(page, "Name", shipped["name"])
    write(page, "Description", shipped["description"])
    applied(page)
    press(page, "link", re.compile("^Target"), back=True)
    expect(page.locator("#nf")).to_be_focused()
    tick(page, "Medium")
    tick(page, "Filter by highlighted object risk")
    tick(page, "Open an incident")
    applied(page)
    contain(desk)
    look(desk)
    return Playbook.objects.get(kind="response")


def condition(desk: Desk, risk: str) -> None:
    page = desk.page
    press(page, "button", "Add a row")
    choose(page, "Parameter", "Object", "Object risk")
    tick(page, risk)
    applied(page)


def contain(desk: Desk) -> None:
    """The branch of what is known to be bad."""
    page = desk.page
    press(page, "button", "Condition", back=True)
    expect(page.locator("#nf")).to_be_focused()
    write(page, "Name", "Known to be malicious")
    condition(desk, "Highly suspicious")
    desk.node("Known to be malicious", "Action", "Quarantine and block")
    unfold(page, "#group-general")
    tick(page, "Add to block list")
    write(page, "Days until it expires", "30")
    unfold(page, "#group-message")
    turn(page, "None", "Quarantine message")
    tick(page, "Highly suspicious")
    applied(page)
    desk.node("Quarantine and block", "Action after it", "Find it in other mailboxes")
    unfold(page, "#group-message")
    tick(page, "Find related messages")
    write(page, "Hours to look back", "72")
    tick(page, "Highly suspicious")
    applied(page)
    desk.node("Find it in other mailboxes", "Action after it", "Quarantine what was found")
    unfold(page, "#group-message")
    turn(page, "None", "Quarantine message")
    tick(page, "Highly suspicious")
    tick(page, "Ask before it runs")
    write(page, "Subject prefix", "[Approve] ")
    write(page, "Recipients", DESK)
    applied(page)
    desk.node("Quarantine what was found", "Notification after it", "Send the report")
    tick(page, "E-mail")
    write(page, "Subject prefix", "[Phishing] ")
    write(page, "Recipients", DESK)
    applied(page)


def look(desk: Desk) -> None:
    """The branches of what is odd, and of what nothing is known against."""
    page = desk.page
    desk.node("Known to be malicious", "Else-if condition below it", "Suspicious")
    condition(desk, "Suspicious")
    desk.node("Suspicious", "Action", "Sandbox the links")
    unfold(page, "#group-address")
    tick(page, "Submit address for sandbox analysis")
    tick(page, "Suspicious")
    applied(page)
    desk.node("Sandbox the links", "Action after it", "Ask for a look")
    note(
        desk,
        "needs-review",
        "Objects of this message are suspicious. The sandbox has been asked; please look at its verdict.",
    )
    desk.node("Suspicious", "Else action below it", "Nothing known against it")
    note(desk, "nothing-known", "No provider and no list knows anything against the objects of this message.")


def note(desk: Desk, tag: str, text: str) -> None:
    page = desk.page
    unfold(page, "#group-case")
    tick(page, "Add tag")
    write(page, "Tags", tag)
    tick(page, "Add comment")
    write(page, "Comment", text)
    applied(page)


def drawn_as_shipped(row: Playbook) -> None:
    """The same as the template but for ids and recipients."""
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert plain(row.draft) == plain(shipped)


def plain(document: Any) -> Any:
    """A graph by the names of its nodes, without what is as nobody says otherwise, and whoever is told."""
    names = {"target": "target", **{node["id"]: node["name"] for node in document["nodes"]}}
    nodes = {}
    for node in document["nodes"]:
        approval = node.get("approval")
        nodes[node["name"]] = {
            "type": node["type"], "side": node["side"], "parent": names[node["parent"]],
            "conditions": node.get("conditions") or [], "risk": node.get("risk") or [],
            "actions": {one["action"]: {**one["params"], "recipients": 0} for one in node.get("actions") or []},
            "approval": approval and {**approval, "recipients": 0},
        }  # fmt: skip
    return {**{name: document[name] for name in ("name", "description", "trigger", "target")}, "nodes": nodes}


def rehearse(desk: Desk, alert: Alert, story: Story) -> None:
    page = desk.page
    press(page, "link", "Rehearse", back=True)
    write(page, "Alert", alert.number)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    expect(page.locator("#would")).to_contain_text("Quarantine message")
    expect(page.locator("#would")).to_contain_text("Add to block list")
    check_accessibility(page)
    assert (taken(story), story.subjects(), Run.objects.filter(playbook__kind="response").count()) == ([], [], 0)


def switch_on(desk: Desk, row: Playbook) -> None:
    page = desk.page
    press(page, "link", "Back to the draft")
    press(page, "button", "Publish version 1")
    expect(page.get_by_text("Published as it is")).to_be_visible()
    press(page, "button", "Enable version 1")
    expect(page.get_by_role("button", name="Disable version 1")).to_be_visible()
    row.refresh_from_db()
    assert row.enabled


def approve(desk: Desk) -> None:
    """From the list to the decision."""
    page = desk.page
    page.goto(f"{desk.url}/approvals/")
    press(page, "link", re.compile("Phishing message: Quarantine what was found"))
    for box in ("ben.iyer", "cleo.maas"):
        expect(page.get_by_role("table")).to_contain_text(box)
    check_accessibility(page)
    write(page, "Comment", "The same message, and nobody needs it.")
    # Not the original: it was quarantined in the step before, and is not asked for again.
    press(page, "button", re.compile(r"^Approve selected \(5\)$"))
    expect(page.get_by_text("It is decided.")).to_be_visible()


def read(desk: Desk, run: Run, story: Story) -> None:
    """The run's page, the report that was sent and the one that is downloaded."""
    page = desk.page
    page.goto(f"{desk.url}/runs/{run.pk}/")
    expect(page.locator(".head .state")).to_contain_text("Successful")
    check_accessibility(page)
    unfold(page, "#run-files")
    walk(page, page.get_by_role("link", name="Report, text"), "the report")
    with page.expect_download() as given:
        page.keyboard.press("Enter")
    report = given.value.path().read_text(encoding="utf-8")
    for part in ("Quarantine message", "Highly suspicious", "Approved · Ada Admin", "Add to block list"):
        assert part in report
    assert "[Phishing] " in story.subjects()[-1]
    others = ResponseTask.objects.filter(run=run).exclude(status="successful").values_list("status", "reason")
    assert [(status, reason.partition(" in ")[0]) for status, reason in others] == [("no_action", "Done already")]
