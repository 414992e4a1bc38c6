"""The TLP of the incident counts for what a run tells of an alert in it (response-playbooks.md 13, connectors.md 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cases.models import Alert
from playbooks import rehearsal
from playbooks.graph.schema import read
from playbooks.models import Approval, NeverTouch, ResponseTask
from soar.accounts.models import Team, User
from soar.connectors.actions import create_account
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.virustotal import VirusTotal
from tests.approving import blue_alert
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import text_of
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
TELL = {**action("t", ("channel", {"channels": ["SOC"]})), "type": "notify", "risk": []}
ASK = {"method": "channel", "subject_prefix": "", "recipients": [], "channels": ["SOC"], "two_people": False}


@pytest.fixture
def chat() -> Iterator[dict[str, Any]]:
    """What a channel shows that may carry nothing above amber; VirusTotal would be asked about anything up to amber."""
    with Server([Slack(), VirusTotal()]) as server:
        urls = {kind: {"url": server.urls[kind]["url"], "allow_internal": True} for kind in server.urls}
        create_account(None, "slack", "SOC", {**urls["slack"], "cleared": "amber"}, {})
        create_account(None, "virustotal", "VT", {**urls["virustotal"], "rate_per_minute": 0}, {"token": "key-0123456"})
        server.standins["slack"].state["asked"] = server.standins["virustotal"].state["asked"]
        yield server.standins["slack"].state


def amber_in_red(alert: Alert, **fields: Any) -> Alert:
    """The alert in an incident that was marked stricter than the alert is."""
    assert alert.tlp == "amber"
    make_incident("Red one", alert, tlp="red", **fields)
    alert.refresh_from_db()
    return alert


def test_24_the_report_goes_to_no_channel_that_is_not_cleared_for_the_incident(tiny: Range, chat: Any) -> None:
    run = run_now(publish(graph(TELL)), amber_in_red(alert_of()))
    task = ResponseTask.objects.get(run=run)
    assert chat["messages"] == []
    assert task.status == "unsuccessful" and "TLP:RED" in task.reason
    assert run.report is not None and run.report["tlp"] == "red"


def test_24_nor_does_a_rehearsal_say_that_it_would(tiny: Range, chat: Any, admin: User) -> None:
    alert = amber_in_red(alert_of())
    (deed,) = rehearsal.rehearse(publish(graph(TELL)), read(graph(TELL))[0], alert, admin).deeds
    assert deed.when == "not_done" and "TLP:RED" in deed.reason


def test_19_the_notice_of_an_approval_neither(tiny: Range, chat: Any) -> None:
    run_now(publish(graph(action("a", "isolate_endpoint", approval=ASK))), amber_in_red(alert_of()))
    assert chat["messages"] == []
    (told,) = Approval.objects.get().told
    assert not told["ok"] and "TLP:RED" in told["text"]


def test_19_nor_that_of_one_by_hand_on_the_incident(
    tiny: Range, chat: Any, blue: Team, responder: User, settings: Any
) -> None:
    settings.APPROVAL_CHANNELS = ["SOC"]
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the plant", added_by="Ada")
    alert = amber_in_red(blue_alert(blue), team=blue)
    where = f"incident=INC-{alert.incident_id}&action=isolate_endpoint"
    client = client_of(responder)
    form = text_of(client.get(f"/responses/new/?{where}"))
    key = form.split('name="object" value="')[1].split('"')[0]
    given = {"incident": f"INC-{alert.incident_id}", "action": "isolate_endpoint", "object": key, "do": "start"}
    client.post("/responses/new/", given)
    work()
    assert chat["messages"] == []
    (told,) = Approval.objects.get().told
    assert not told["ok"] and "TLP:RED" in told["text"]


def test_13_no_provider_is_asked_about_its_objects(tiny: Range, chat: Any) -> None:
    run = run_now(publish(graph(TELL)), amber_in_red(alert_of(("domain", "evil-one.com"))))
    assert chat["asked"] == []
    domain = next(one for one in run.targets or [] if one["kind"] == "domain")
    assert domain["risk"] == "unrated" and "a TLP mark forbids it" in domain["rule"]


def test_what_is_amber_itself_is_told_and_asked(tiny: Range, chat: Any) -> None:
    alert = alert_of(("domain", "evil-one.com"))
    make_incident("Amber too", alert, tlp="amber")
    run_now(publish(graph(TELL)), alert)
    assert len(chat["messages"]) == 1 and chat["asked"] == ["evil-one.com"]
