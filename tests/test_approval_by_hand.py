"""An approval of an action by hand that nobody decides (response-playbooks.md 17b, 21)."""

from __future__ import annotations

import pytest

from cases.models import Alert, TimelineEntry
from playbooks.models import Approval, NeverTouch, ResponseTask
from playbooks.response.sweeping import expire_due
from soar.accounts.models import Team, User
from tests.approving import blue_alert, run_out, told
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import text_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


def isolated_by(responder: User, **about: str) -> Approval:
    """A host that is never touched, by hand: it waits for an approval whose time has passed."""
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the plant", added_by="Ada")
    client, given = client_of(responder), {**about, "action": "isolate_endpoint"}
    form = text_of(client.get("/responses/new/", given))
    key = form.split('name="object" value="')[1].split('"')[0]
    client.post("/responses/new/", {**given, "object": key, "do": "start"})
    approval = Approval.objects.get()
    run_out(approval)
    return approval


def check_over(approval: Approval, tiny: Range) -> None:
    """Once and for all, and nothing was done."""
    assert expire_due() == 1 and expire_due() == 0
    work()
    assert ResponseTask.objects.get(approval=approval).status == "expired" and tiny.done == []


def test_21_the_timeline_of_its_alert_says_that_it_expired(tiny: Range, blue: Team, responder: User) -> None:
    alert: Alert = blue_alert(blue)
    approval = isolated_by(responder, alert=alert.number)
    check_over(approval, tiny)
    (entry,) = told(alert, "approval.expired")
    assert (entry.data["approval"], entry.data["count"]) == (approval.pk, 1)


def test_21_and_that_of_its_incident(tiny: Range, blue: Team, responder: User) -> None:
    incident = make_incident("Plant", blue_alert(blue), team=blue)
    approval = isolated_by(responder, incident=incident.number)
    check_over(approval, tiny)
    assert TimelineEntry.objects.filter(incident=incident, kind="approval.expired").count() == 1


def test_21_a_decision_that_comes_too_late_writes_it_too(tiny: Range, blue: Team, responder: User) -> None:
    alert = blue_alert(blue)
    approval = isolated_by(responder, alert=alert.number)
    answer = client_of(responder).post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all"})
    assert answer.status_code == 409 and tiny.done == []
    assert len(told(alert, "approval.expired")) == 1
