"""What a rehearsal or a backtest says is what the run then does (response-playbooks.md 29, 30)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import incidents
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, AlertAsset, AlertObservable, Incident
from playbooks import rehearsal
from playbooks.actions import backtests
from playbooks.actions.runs import run_by_hand
from playbooks.graph.schema import read
from playbooks.models import NeverTouch, ResponseTask
from playbooks.rehearsal import Rehearsal
from soar.accounts.access import actions as access
from soar.accounts.models import Team, User
from tests.factories import make_asset, make_source
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, condition, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


def rehearsed(document: dict[str, Any], alert: Alert, user: User) -> Rehearsal:
    """The draft against the alert, with the rights of ``user``."""
    alert.refresh_from_db()
    return rehearsal.rehearse(publish(document), read(document)[0], alert, user)


def on_protected_host() -> Alert:
    """A process on a host that is critical, and so never touched."""
    asset = make_asset("LT-0042", criticality=4)
    NeverTouch.objects.create(by="criticality", value="high", reason="Runs the plant", added_by="Ada")
    alert = alert_of(severity=Severity.HIGH)
    alert.entities = [*alert.entities, {"type": "process", "name": "evil.exe", "host": "LT-0042"}]
    alert.save()
    AlertAsset.objects.create(alert=alert, asset=asset)
    return alert


STOP_IT = graph(action("a", "terminate_process"))


def test_18_what_protects_a_host_protects_what_runs_on_it_in_a_rehearsal_too(tiny: Range, admin: User) -> None:
    alert = on_protected_host()
    (deed,) = rehearsed(STOP_IT, alert, admin).deeds
    run = run_now(publish(STOP_IT), alert)
    assert run.status == "pending_approval"
    assert (deed.when, "Runs the plant" in deed.reason) == ("held", True)


def test_18_and_in_a_backtest(tiny: Range, admin: User) -> None:
    on_protected_host()
    made = backtests.start(Actor.of(admin), publish(STOP_IT), days=30)
    work()
    made.refresh_from_db()
    assert made.result["actions"]["terminate_process"]["held"] == 1
    assert made.result["held"][0]["value"] == "evil.exe"


NAMES_A_KEY = graph(
    condition("c", ("observable", "contains", ["HKLM"])),
    action("a", "isolate_endpoint", parent="c"),
    action("e", ("tag", {"tags": ["no-key"]}), parent="c", type="else_action", side="below"),
)


def with_a_key() -> Alert:
    """A registry key is named, but not among the objects: host and account are judged by it, the domain by itself."""
    alert = alert_of(("domain", "evil-one.com"), ("registry_key", r"HKLM\Software\Run"), severity=Severity.HIGH)
    AlertObservable.objects.filter(alert=alert, observable__type="registry_key").update(highlighted=False)
    return alert


def test_9_an_observable_that_is_no_object_is_seen_by_a_rehearsal(tiny: Range, admin: User) -> None:
    alert = with_a_key()
    assert rehearsed(NAMES_A_KEY, alert, admin).reached() == {"c", "a", "e"}
    run_now(publish(NAMES_A_KEY), alert)
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_9_and_by_a_backtest(tiny: Range, admin: User) -> None:
    with_a_key()
    made = backtests.start(Actor.of(admin), publish(NAMES_A_KEY), days=30)
    work()
    made.refresh_from_db()
    assert (made.result["right"], made.result["below"]) == ({"c": 1}, {"c": 1})


OPENS = graph(
    action("a", ("set_severity", {"severity": "low"}), ("comment", {"text": "Seen"}), name="Say"),
    target={"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": None}},
)


def test_20_who_may_not_work_on_cases_is_told_so(tiny: Range, author: User, blue: Team) -> None:
    alert = alert_of(source=make_source(team=blue), severity=Severity.HIGH)
    made = rehearsed(OPENS, alert, author)
    assert made.incident == "None would be opened: the permission to work on cases is missing."
    assert {(deed.action, deed.when) for deed in made.deeds} == {("set_severity", "not_done"), ("comment", "not_done")}
    assert all("the permission to work on cases is missing" in deed.reason for deed in made.deeds)
    run = run_now(publish(OPENS), alert, Actor.of(author))
    assert not Incident.objects.exists()
    assert set(ResponseTask.objects.filter(run=run).values_list("status", flat=True)) == {"unsuccessful"}


def test_20_in_a_restricted_incident_that_they_may_only_view(
    tiny: Range, analyst: User, blue: Team, admin: User
) -> None:
    alert = alert_of(source=make_source(team=blue), severity=Severity.HIGH)
    incident = incidents.open_incident(Actor.of(admin), alerts=[alert.pk], team=blue)
    incidents.update(Actor.of(admin), incident.pk, changes={"restricted": True})
    access.grant(admin, INCIDENT, incident.number, analyst, "view")
    reasons = {deed.reason for deed in rehearsed(OPENS, alert, analyst).deeds}
    assert reasons == {"You may see this incident but not edit it.", "You may see this incident but not comment it."}


def test_20_who_may_is_told_that_it_would_be_done(tiny: Range, analyst: User, blue: Team) -> None:
    alert = alert_of(source=make_source(team=blue), severity=Severity.HIGH)
    made = rehearsed(OPENS, alert, analyst)
    assert made.incident == "One would be opened."
    assert {deed.when for deed in made.deeds} == {"at_once"}


def test_29_of_an_alert_off_the_target_the_way_of_a_run_by_hand_is_shown(tiny: Range, admin: User) -> None:
    document = graph(action("a", "isolate_endpoint"), target={"severities": ["critical"]})
    alert = alert_of(severity=Severity.LOW)
    made = rehearsed(document, alert, admin)
    assert made.off == "Its severity is low; the playbook takes critical."
    assert [(deed.action, deed.when) for deed in made.deeds] == [("isolate_endpoint", "at_once")]
    run_by_hand(Actor.of(admin), publish(document), alert=alert.pk)
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]
