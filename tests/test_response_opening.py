"""When a run opens the incident that its target asks for (rulings 4)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.models import Incident
from cases.timeline_words import sentence
from playbooks import rehearsal
from playbooks.graph.schema import read
from playbooks.models import Run
from soar.accounts.models import User
from tests.factories import make_incident, make_user
from tests.response_tools import Range, action, alert_of, condition, graph, publish, result_of, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
OPEN: dict[str, Any] = {"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": None}}


def told(id: str = "t", parent: str = "target", **more: Any) -> dict[str, Any]:
    """A node that only tells; its channel is not there, so it fails, and that hinders nothing."""
    return {**action(id, ("channel", {"channels": ["SOC"]}), parent=parent), "type": "notify", "risk": [], **more}


def opens(admin: User, *nodes: dict[str, Any], **fields: Any) -> tuple[Run, str]:
    """The run, and what a rehearsal had said of the incident."""
    document, alert = graph(*nodes, target=OPEN), alert_of(**fields)
    playbook = publish(document)
    said = rehearsal.rehearse(playbook, read(document)[0], alert, admin).incident
    return run_now(playbook, alert), said


def test_4_a_target_alone_opens_it(tiny: Range, admin: User) -> None:
    run, said = opens(admin)
    assert run.status == "successful" and said == "One would be opened."
    assert run.opened_incident == Incident.objects.get()
    assert run.alert is not None and run.alert.incident == run.opened_incident


def test_4_so_does_a_target_that_is_followed_by_a_message(tiny: Range, admin: User) -> None:
    run, said = opens(admin, told())
    assert run.opened_incident == Incident.objects.get() and said == "One would be opened."
    assert run.report is not None and run.report["incident"]["number"] == f"INC-{run.opened_incident_id}"


def test_4_and_a_message_behind_a_condition_that_is_met(tiny: Range, admin: User) -> None:
    run, said = opens(admin, condition("c", ("severity", "is", ["critical"])), told(parent="c"), severity=4)
    assert run.opened_incident == Incident.objects.get() and said == "One would be opened."


def test_4_an_alert_that_meets_no_condition_opens_none(tiny: Range, admin: User) -> None:
    run, said = opens(admin, condition("c", ("severity", "is", ["critical"])), told(parent="c"), severity=2)
    assert run.status == "successful" and result_of(run, "c")["once"] is False
    assert not Incident.objects.exists() and said == "None would be opened."


def test_4_once_however_many_nodes_there_are(tiny: Range, admin: User) -> None:
    run, _said = opens(admin, told("s"), action("a", "isolate_endpoint"), told("t", "a"))
    assert run.opened_incident == Incident.objects.get()


def test_4_an_owner_who_cannot_be_one_is_left_out_and_named(tiny: Range, admin: User, viewer: User) -> None:
    able, gone = make_user("olga", "Analyst"), make_user("gone", "Analyst")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    names = [viewer.username, able.username, gone.username]
    wanted = {"open_incident": {**OPEN["open_incident"], "owners": names}}
    run = run_now(publish(graph(target=wanted)), alert_of())
    incident = Incident.objects.get()
    assert run.opened_incident == incident
    assert list(incident.owner_rows.values_list("user", flat=True)) == [able.pk]
    told = incident.timeline.get(kind="incident.owners", data__has_key="left_out")
    assert told.data["left_out"] == [viewer.username, gone.username]
    assert "may not work on cases" in told.text and "no active user gone" in told.text
    assert f"left {viewer.username}, {gone.username} out of the owners" in sentence(told)
    assert run.report is not None and len(run.report["problems"]) == 2


def test_4_of_an_incident_that_is_there_one_unfit_owner_keeps_no_other_away(
    tiny: Range, admin: User, viewer: User
) -> None:
    able = make_user("olga", "Analyst")
    alert = alert_of()
    incident = make_incident("There already", alert)
    wanted = {"open_incident": {**OPEN["open_incident"], "owners": [viewer.username, able.username]}}
    run = run_now(publish(graph(target=wanted)), alert)
    assert list(incident.owner_rows.values_list("user", flat=True)) == [able.pk]
    assert incident.timeline.filter(kind="incident.owners", data__left_out=[viewer.username]).count() == 1
    assert run.report is not None and len(run.report["problems"]) == 1


def test_4_a_dry_run_opens_none(tiny: Range) -> None:
    run = run_now(publish(graph(target=OPEN)), alert_of(), dry_run=True)
    assert run.status == "successful" and not Incident.objects.exists()
