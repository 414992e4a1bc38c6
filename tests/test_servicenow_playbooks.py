"""Response playbooks and ServiceNow: the incident that is sent there, result tickets (response-playbooks.md 6, 23)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents, servicenow
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Incident, ServiceNowInstance, TicketChange, TicketLink, TicketProfile
from playbooks import tasks
from playbooks.actions.runs import retry
from playbooks.models import Approval, ResponseTask, Run
from playbooks.response import crew
from playbooks.steps.ticket_values import correlation_of
from soar.accounts.models import User
from soar.standins.servicenow import seed
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.response_tools import (
    Range,
    action,
    alert_of,
    graph,
    make_due,
    only_task,
    publish,
    run_now,
    silence,
    tiny,
    vote,
)
from tests.servicenow_desk import Desk, desk
from tests.ticket_profiles import make_instance, make_profile

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
APPROVAL = {
    "method": "email",
    "subject_prefix": "",
    "recipients": ["soc@example.org"],
    "channels": [],
    "two_people": False,
}


@pytest.fixture
def there(tiny: Range) -> Iterator[Desk]:
    """The stand-in, with an instance and the profile Security."""
    with desk() as made:
        make_profile(make_instance(made.account))
        yield made
        crew.Crew.rest()


def profile() -> TicketProfile:
    return TicketProfile.objects.get()


def ticket(params: dict[str, Any] | None = None, id: str = "t", parent: str = "target", **more: Any) -> dict[str, Any]:
    """A node that sends a result ticket."""
    use = {"action": "ticket", "params": {"profile": "Security", **(params or {})}}
    return {"id": id, "type": "notify", "parent": parent, "side": "right", "actions": [use], **more}


def opening(name: str | None = "Security") -> dict[str, Any]:
    return {"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": name}}


def made(there: Desk) -> list[dict[str, Any]]:
    """The result tickets that ServiceNow has."""
    tickets: list[dict[str, Any]] = there.look("state")["tickets"]
    return [one for one in tickets if str(one["fields"].get("correlation_id", "")).startswith("soar-result:")]


def of(there: Desk, task: ResponseTask) -> dict[str, Any]:
    """The ticket of a task."""
    found: dict[str, Any] = there.look("ticket", correlation_id=correlation_of(task.idempotency_key))
    return found


# 23: the result ticket


def test_23_a_result_ticket_has_the_report_and_opens_no_incident(there: Desk) -> None:
    alert = alert_of(title="Beacon to a bad host", severity=Severity.HIGH)
    run = run_now(publish(graph(action("a", "isolate_endpoint"), ticket(parent="a"))), alert)
    assert run.status == "successful", run.error
    task = ResponseTask.objects.get(run=run, action="ticket")
    fields = of(there, task)["fields"]
    assert fields["short_description"] == f"{alert.number} Beacon to a bad host"
    assert "Isolate endpoint LT-0042" in fields["description"]
    assert fields["assignment_group"] == seed.group_id("Security Operations")
    assert (fields["impact"], fields["urgency"], fields["category"]) == ("1", "2", "software")
    assert not Incident.objects.exists() and not TicketLink.objects.exists()
    assert task.data["ticket"]["number"] == fields["number"]
    assert task.message.startswith(f"{fields['number']} was created")


def test_23_its_number_and_link_stand_on_the_run_the_task_and_the_report(there: Desk, admin: User) -> None:
    run = run_now(publish(graph(ticket())), alert_of())
    number = only_task(run).data["ticket"]["number"]
    browser = client_of(admin)
    for page in (f"/runs/{run.pk}/", f"/responses/{only_task(run).pk}/"):
        text = browser.get(page).content.decode()
        assert number in text
        assert f'href="{there.account.settings["url"]}/nav_to.do?uri=incident.do%3Fsys_id%3D' in text
    report: Any = Run.objects.get(pk=run.pk).report
    (told,) = report["tasks"]
    assert told["ticket"]["number"] == number
    assert number.encode() in browser.get(f"/runs/{run.pk}/report/").content


def test_23_what_the_playbook_sets_goes_before_the_profile(there: Desk) -> None:
    given = {
        "assignment_group": "Network Team",
        "assigned_to": "o.strand",
        "short_description": "Look at {{ number }} now",
    }
    alert = alert_of()
    task = only_task(run_now(publish(graph(ticket(given))), alert))
    fields = of(there, task)["fields"]
    assert fields["assignment_group"] == seed.group_id("Network Team")
    assert fields["assigned_to"] == seed.user_id("o.strand")
    assert fields["short_description"] == f"Look at {alert.number} now"
    assert profile().assignment_group["label"] == "Security Operations", "for this playbook only"


def test_23_a_person_may_be_named_as_suggested(there: Desk) -> None:
    run = run_now(publish(graph(ticket({"assigned_to": "Ola Strand (o.strand)"}))), alert_of())
    assert of(there, only_task(run))["fields"]["assigned_to"] == seed.user_id("o.strand")


def test_23_the_profiles_own_words_are_not_looked_up(there: Desk) -> None:
    run_now(publish(graph(ticket({"assignment_group": "Security Operations"}))), alert_of())
    assert there.asked("/table/sys_user_group") == []
    assert len(made(there)) == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"assignment_group": "Nobody at all"}, "ServiceNow has no active group Nobody at all"),
        ({"assigned_to": "no.one"}, "ServiceNow has no active user no.one"),
        ({"assignment_group": "x^ORDERBYname"}, "ServiceNow has no active group"),
        ({"short_description": "{{ nonsense }}"}, "There is no nonsense"),
    ],
)
def test_23_what_servicenow_does_not_have_is_the_reason(there: Desk, given: dict[str, Any], reason: str) -> None:
    run = run_now(publish(graph(ticket(given))), alert_of())
    task = only_task(run)
    assert task.status == "unsuccessful" and reason in task.reason
    assert made(there) == [] and run.status == "unsuccessful"


@pytest.mark.parametrize("fault", ["lost", "late"])
def test_23_an_answer_that_is_lost_is_looked_for_and_nothing_is_doubled(there: Desk, fault: str) -> None:
    there.account.timeout_seconds = 2
    there.account.save()
    there.do("fault", kind=fault, on="create", times=1, delay=5)
    run = run_now(publish(graph(ticket())), alert_of())
    task = only_task(run)
    assert task.status == "in_progress" and task.phase == "sent"
    for _ in range(5):  # a search may be too slow for its time as well
        make_due(run=run)
    task.refresh_from_db()
    assert task.status == "successful"
    assert len(made(there)) == 1
    assert task.data["ticket"]["number"] == made(there)[0]["number"]


def test_23_a_worker_that_died_in_the_middle_doubles_nothing(there: Desk) -> None:
    run = run_now(publish(graph(ticket())), alert_of())
    task = only_task(run)
    ResponseTask.objects.filter(pk=task.pk).update(
        status="in_progress", phase="sent", lease_owner="dead", data={"minutes": 30}
    )
    Run.objects.filter(pk=run.pk).update(status="in_progress")
    silence(task)
    tasks.due()
    work()
    task.refresh_from_db()
    assert task.status == "successful" and len(made(there)) == 1
    assert task.data["ticket"]["number"] == made(there)[0]["fields"]["number"]


def test_23_a_refusal_is_told_in_servicenows_words(there: Desk) -> None:
    there.do(
        "fault", kind="403", on="create", times=1, message="Operation Failed", detail="Data Policy Exception: Caller"
    )
    task = only_task(run_now(publish(graph(ticket())), alert_of()))
    assert task.status == "unsuccessful" and "Data Policy Exception: Caller" in task.reason
    assert made(there) == []


def test_23_while_servicenow_is_down_it_is_tried_again(there: Desk) -> None:
    there.do("hibernate")
    run = run_now(publish(graph(ticket())), alert_of())
    task = only_task(run)
    assert task.status == "queued" and "hibernates" in task.reason
    there.do("wake")
    make_due(run=run)
    task.refresh_from_db()
    assert task.status == "successful" and len(made(there)) == 1


def test_23_too_many_requests_hold_the_whole_instance(there: Desk) -> None:
    there.do("fault", kind="429", on="create", times=1, headers={"Retry-After": "120"})
    run = run_now(publish(graph(ticket())), alert_of())
    assert only_task(run).status == "queued"
    instance = ServiceNowInstance.objects.get()
    assert instance.out_resume_at is not None
    before = len(there.asked())
    make_due(run=run)
    assert len(there.asked()) == before, "nobody asks before the time is over"
    ServiceNowInstance.objects.update(out_resume_at=None)
    make_due(run=run)
    assert len(made(there)) == 1


def test_23_while_people_have_paused_it_nothing_is_sent(there: Desk) -> None:
    ServiceNowInstance.objects.update(out_paused=True)
    run = run_now(publish(graph(ticket())), alert_of())
    assert only_task(run).status == "queued" and there.asked() == []
    ServiceNowInstance.objects.update(out_paused=False)
    make_due(run=run)
    assert only_task(run).status == "successful"


@pytest.mark.parametrize("gone", ["profile", "disabled", "connector"])
def test_15_a_profile_that_vanished_is_the_reason(there: Desk, gone: str) -> None:
    playbook = publish(graph(ticket()))
    if gone == "profile":
        TicketProfile.objects.all().delete()
    elif gone == "disabled":
        TicketProfile.objects.update(enabled=False)
    else:
        there.account.enabled = False
        there.account.save()
    task = only_task(run_now(playbook, alert_of()))
    words = {
        "profile": "There is no ticket profile Security",
        "disabled": "is disabled",
        "connector": "Desk is disabled",
    }
    assert task.status == "unsuccessful" and words[gone] in task.reason
    assert there.asked() == []


def test_23_two_nodes_send_two_tickets_and_each_stays_one(there: Desk) -> None:
    run = run_now(publish(graph(ticket(), ticket({"short_description": "Another"}, id="u"))), alert_of())
    assert run.status == "successful"
    assert {one["fields"]["short_description"] for one in made(there)} >= {"Another"} and len(made(there)) == 2


def test_23_a_ticket_waits_for_its_approval_and_messages_do_not(there: Desk, responder: User) -> None:
    run = run_now(publish(graph(ticket(approval=APPROVAL))), alert_of())
    task = only_task(run)
    assert (task.status, run.status, made(there)) == ("pending_approval", "pending_approval", [])
    approval = Approval.objects.get()
    page = client_of(responder).get(f"/approvals/{approval.pk}/").content.decode()
    assert "ServiceNow ticket" in page and "api/now/table/incident" in page, "what would be sent is shown"
    vote(approval, responder)
    task.refresh_from_db()
    assert task.status == "successful" and len(made(there)) == 1


def test_23_a_rejected_ticket_is_never_sent(there: Desk, responder: User) -> None:
    run = run_now(publish(graph(ticket(approval=APPROVAL))), alert_of())
    vote(Approval.objects.get(), responder, approve=False)
    assert only_task(run).status == "rejected" and there.asked() == []


def test_23_a_dry_run_sends_nothing_and_shows_the_request(there: Desk) -> None:
    run = run_now(publish(graph(ticket({"assignment_group": "Network Team"}))), alert_of(), dry_run=True)
    task = only_task(run)
    assert task.status == "successful" and there.asked() == []
    request: Any = task.request
    assert request[0]["body"]["assignment_group"] == "Network Team"
    assert "password" not in json.dumps(task.request).lower()


@pytest.mark.parametrize(
    ("cleared", "tlp", "goes"),
    [("amber", "red", False), ("", "red", False), ("amber", "amber", True), ("red", "red", True)],
)
def test_23_a_result_ticket_goes_only_where_the_instance_is_cleared_for_it(
    there: Desk, cleared: str, tlp: str, goes: bool
) -> None:
    there.account.settings["cleared"] = cleared
    there.account.save()
    task = only_task(run_now(publish(graph(ticket())), alert_of(tlp=tlp)))
    assert len(made(there)) == int(goes)
    assert task.status == ("successful" if goes else "unsuccessful")
    if not goes:
        assert task.reason == "Not sent: it is TLP:RED, and Desk is cleared up to TLP:AMBER only."
        assert there.asked("/table/") == [], "not even asked"


def test_23_a_red_incident_makes_the_ticket_of_its_alert_red(there: Desk, admin: User) -> None:
    alert = alert_of(tlp="green")
    incidents.open_incident(Actor.system(), alerts=[alert.pk], tlp="red")
    playbook = publish(graph(ticket()))
    (task,) = [one for stop in rehearsed(client_of(admin), playbook.pk, alert.number)["path"] for one in stop["tasks"]]
    assert "cleared up to TLP:AMBER" in task["reason"] and not task["requests"]
    dry = only_task(run_now(playbook, alert, dry_run=True))
    assert (dry.status, made(there)) == ("unsuccessful", []) and "TLP:RED" in dry.reason
    assert "TLP:RED" in only_task(run_now(playbook, alert)).reason


# 6: the incident that is sent to ServiceNow


def test_6_the_incident_gets_its_ticket_by_the_profile(there: Desk) -> None:
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=opening())), alert_of())
    assert run.status == "successful", run.error
    link = TicketLink.objects.get()
    assert link.incident == Incident.objects.get() == run.opened_incident
    assert (link.profile, link.state) == (profile(), "creating")
    assert TicketChange.objects.filter(link=link, kind="create").count() == 1
    assert there.asked() == [], "the outbox sends it, not the run"


@pytest.mark.parametrize("gone", [True, False])
def test_6_a_profile_that_is_not_there_any_more_is_a_problem_of_the_run(there: Desk, gone: bool) -> None:
    playbook = publish(graph(action("a", "isolate_endpoint"), target=opening()))
    TicketProfile.objects.all().delete() if gone else TicketProfile.objects.update(enabled=False)
    run = run_now(playbook, alert_of())
    why = "There is no ticket profile Security any more." if gone else "The ticket profile Security is disabled."
    assert run.error == f"The incident was not sent to ServiceNow: {why}"
    assert run.status == "partially_successful" and run.opened_incident is not None
    assert not TicketLink.objects.exists()


def test_8_an_alert_that_has_an_incident_sends_none(there: Desk) -> None:
    alert = alert_of()
    incidents.open_incident(Actor.system(), alerts=[alert.pk])
    assert run_now(publish(graph(action("a", "isolate_endpoint"), target=opening())), alert).status == "successful"
    assert not TicketLink.objects.exists()


def test_6_a_dry_run_sends_no_incident(there: Desk) -> None:
    run_now(publish(graph(action("a", "isolate_endpoint"), target=opening())), alert_of(), dry_run=True)
    assert not Incident.objects.exists() and not TicketLink.objects.exists()


# 29: rehearsal


def test_29_a_rehearsal_shows_the_ticket_and_what_becomes_of_the_incident(there: Desk, admin: User) -> None:
    alert = alert_of()
    row = publish(
        graph(action("a", "isolate_endpoint"), ticket({"assigned_to": "o.strand"}, parent="a"), target=opening())
    )
    answer = rehearsed(client_of(admin), row.pk, alert.number)
    assert "It would be sent to ServiceNow by the ticket profile Security." in answer["incident"]
    (task,) = [task for stop in answer["path"] for task in stop["tasks"] if task["action"] == "ticket"]
    assert (task["when"], task["account"]) == ("at_once", "Desk")
    (request,) = task["requests"]
    assert request["method"] == "POST" and request["url"].endswith(
        "/api/now/table/incident?" + request["url"].partition("?")[2]
    )
    assert request["body"]["short_description"].startswith(alert.number)
    assert request["body"]["assigned_to"] == "o.strand"
    assert there.asked() == [] and not Incident.objects.exists()


def rehearsed(browser: Client, playbook: int, alert: str) -> Any:
    """By the API."""
    answer = browser.post(f"/api/v1/playbooks/{playbook}/rehearse/", {"alert": alert}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_29_a_rehearsal_says_that_the_profile_is_off(there: Desk, admin: User) -> None:
    row = publish(graph(action("a", "isolate_endpoint"), ticket(parent="a"), target=opening()))
    TicketProfile.objects.update(enabled=False)
    answer = rehearsed(client_of(admin), row.pk, alert_of().number)
    assert "It would not be sent to ServiceNow: The ticket profile Security is disabled." in answer["incident"]
    (task,) = [task for stop in answer["path"] for task in stop["tasks"] if task["action"] == "ticket"]
    assert (task["when"], task["requests"]) == ("not_done", [])


def test_6_a_ticket_that_could_be_had_by_then_is_made_by_a_retry(there: Desk, responder: User) -> None:
    TicketProfile.objects.update(enabled=False)
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=opening())), alert_of())
    assert run.status == "partially_successful" and "was not sent to ServiceNow" in run.error
    retry(Actor.of(responder), run)
    run.refresh_from_db()
    assert "was not sent to ServiceNow" in run.error, "it still cannot be had"
    TicketProfile.objects.update(enabled=True)
    retry(Actor.of(responder), run)
    run.refresh_from_db()
    assert (run.status, run.error) == ("successful", "")
    assert run.opened_incident is not None and run.opened_incident.tickets.count() == 1


def test_6_a_ticket_that_somebody_had_made_meanwhile_is_enough(there: Desk, responder: User) -> None:
    TicketProfile.objects.update(enabled=False)
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=opening())), alert_of())
    TicketProfile.objects.update(enabled=True)
    assert run.opened_incident is not None
    servicenow.create_ticket(Actor.system(), run.opened_incident.pk, profile().pk)
    retry(Actor.of(responder), run)
    run.refresh_from_db()
    assert (run.status, run.error) == ("successful", "")
    assert run.opened_incident.tickets.count() == 1
