"""Deciding on an approval (response-playbooks.md 20 to 22): all or some, once, in time, by who may."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from guardian.shortcuts import assign_perm

from cases.actors import Actor
from cases.models import Alert, AlertAsset, Incident
from playbooks.actions import approvals
from playbooks.models import Approval, NeverTouch, ResponseTask, Run, Vote
from playbooks.response import sweeping
from soar.accounts.models import Team, User
from tests.api import Api, problem_of, wrong_fields
from tests.approving import asked, blue_alert, run_out, second_responder, statuses, told
from tests.factories import make_asset, make_incident
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import HTMX, text_of
from tests.response_tools import Range, action, graph, publish, run_now, tasks_of, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
TWO = (("url", "http://evil-one.com/a"), ("url", "http://evil-two.com/b"))


def decide(client: Client, approval: Approval, word: str, **more: Any) -> Any:
    return client.post(f"/approvals/{approval.pk}/decide/", {"decide": word, **more})


def ids(approval: Approval) -> list[int]:
    return list(approval.tasks.order_by("pk").values_list("pk", flat=True))


def test_20_nothing_is_done_before_and_all_after_the_approval(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    assert (approval.status, statuses(approval), tiny.done) == ("pending", {"LT-0042": "pending_approval"}, [])
    assert decide(as_responder, approval, "approve", task=ids(approval), comment="Seen it").status_code == 302
    work()
    approval.refresh_from_db()
    assert (approval.status, tiny.targets("isolate_endpoint")) == ("approved", ["LT-0042"])
    assert Run.objects.get().status == "successful"
    entry = told(approval.alert, "approval.approved")[0]
    assert (entry.actor_name, entry.text, entry.data["count"]) == ("Priya Raman", "Seen it", 1)


def test_20_reject_all(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue, "sandbox_url", alert=blue_alert(blue, *TWO))
    decide(as_responder, approval, "reject_all", comment="Not now")
    work()
    approval.refresh_from_db()
    assert (approval.status, tiny.done) == ("rejected", [])
    assert set(statuses(approval).values()) == {"rejected"}
    assert "Rejected by Priya Raman. Not now" in ResponseTask.objects.all()[0].reason
    assert Run.objects.get().status == "unsuccessful"


def test_20_some_now_and_the_others_later(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue, "sandbox_url", alert=blue_alert(blue, *TWO))
    first, second = ids(approval)
    decide(as_responder, approval, "approve", task=[first])
    work()
    approval.refresh_from_db()
    assert (approval.status, len(tiny.done)) == ("partly", 1)
    again = text_of(decide(as_responder, approval, "reject", task=[first]), 409)
    assert "is successful already. Nothing was decided." in again
    decide(as_responder, approval, "reject", task=[second])
    work()
    approval.refresh_from_db()
    assert (approval.status, len(tiny.done)) == ("mixed", 1)
    assert Run.objects.get().status == "partially_successful"


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_21_a_second_decision_is_refused(
    tiny: Range, blue: Team, as_responder: Client, responder: User, verb: str
) -> None:
    approval = asked(blue)
    decide(as_responder, approval, "approve", task=ids(approval))
    text = text_of(decide(as_responder, approval, f"{verb}_all"), 409)
    assert "This approval is approved already by Priya Raman. Nothing was decided." in text
    assert "approved already" in problem_of(Api(responder).post(f"/approvals/{approval.pk}/{verb}/"), 409)["detail"]
    assert Vote.objects.count() == 1
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_21_a_decision_after_the_end_expires_it(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    run_out(approval)
    text = text_of(decide(as_responder, approval, "approve", task=ids(approval)), 409)
    assert "This approval expired at" in text
    approval.refresh_from_db()
    assert (approval.status, statuses(approval)) == ("expired", {"LT-0042": "expired"})
    again = text_of(decide(as_responder, approval, "approve_all"), 409)
    assert "its tasks can never run" in again
    work()
    assert (tiny.done, Vote.objects.count(), Run.objects.get().status) == ([], 0, "unsuccessful")
    assert len(told(approval.alert, "approval.expired")) == 1


def test_21_who_may(
    tiny: Range, blue: Team, as_analyst: Client, as_viewer: Client, as_stranger: Client, author: User, client: Client
) -> None:
    approval = asked(blue)
    url = f"/approvals/{approval.pk}/decide/"
    for other in (as_analyst, as_viewer, client_of(author)):
        refused = other.post(url, {"decide": "approve_all"})
        assert "permission to approve and run response actions is missing" in text_of(refused, 403)
    assert as_stranger.post(url, {"decide": "approve_all"}).status_code == 404
    assert client.post(url, {"decide": "approve_all"}).status_code == 302
    assert as_analyst.get(url).status_code == 405
    approval.refresh_from_db()
    assert (approval.status, Vote.objects.count(), tiny.done) == ("pending", 0, [])


def test_21_who_may_only_look_at_a_restricted_incident_decides_nothing(
    tiny: Range, blue: Team, responder: User, as_responder: Client
) -> None:
    alert = blue_alert(blue)
    incident = make_incident("Secret", alert, team=blue)
    approval = asked(blue, alert=alert)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(pk=alert.pk).update(restricted=True)
    assert decide(as_responder, approval, "approve_all").status_code == 404
    assign_perm("view_incident", responder, incident)
    assert "it is restricted" in text_of(as_responder.get(f"/approvals/{approval.pk}/"))
    assert decide(as_responder, approval, "approve_all").status_code == 403
    assign_perm("edit_incident", responder, incident)
    assert decide(as_responder, approval, "approve_all").status_code == 302


def test_22_a_link_decides_nothing(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    for address in (f"/approvals/{approval.pk}/", f"/approvals/{approval.pk}/?decide=approve_all"):
        assert as_responder.get(address).status_code == 200
    approval.refresh_from_db()
    assert (approval.status, Vote.objects.count()) == ("pending", 0)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_responder.cookies
    assert strict.post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all"}).status_code == 403


def test_21_two_people(tiny: Range, blue: Team, responder: User) -> None:
    approval = asked(blue, two=True, by=responder)
    first, second = client_of(responder), client_of(second_responder())
    decide(first, approval, "approve_all", comment="I started it")
    work()
    approval.refresh_from_db()
    assert (approval.status, tiny.done) == ("pending", [])
    assert "Another person must approve it too" in text_of(decide(first, approval, "approve_all"), 409)
    page = text_of(first.get(f"/approvals/{approval.pk}/"))
    assert "You have decided. Another person must approve it too." in page
    assert 'name="decide"' not in page
    assert decide(second, approval, "approve_all").status_code == 302
    work()
    approval.refresh_from_db()
    assert (approval.status, tiny.targets("isolate_endpoint")) == ("approved", ["LT-0042"])


def test_21_one_of_two_people_rejects(tiny: Range, blue: Team, responder: User) -> None:
    approval = asked(blue, two=True)
    decide(client_of(responder), approval, "approve_all")
    decide(client_of(second_responder()), approval, "reject_all")
    work()
    approval.refresh_from_db()
    assert (approval.status, tiny.done) == ("rejected", [])


def test_18_what_may_not_be_touched_is_approved_with_a_reason(tiny: Range, blue: Team, as_responder: Client) -> None:
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops of the board", added_by="Ada")
    approval = asked(blue)
    assert approval.reason == "Never-touch list: Laptops of the board (name LT-*)"
    pk = ids(approval)[0]
    text = text_of(decide(as_responder, approval, "approve", task=[pk], **{f"reason-{pk}": " "}), 422)
    assert "LT-0042 is on the never-touch list: say why it may be touched." in text
    assert Vote.objects.count() == 0
    decide(as_responder, approval, "approve", task=[pk], **{f"reason-{pk}": "Chair agreed by phone"})
    work()
    assert Vote.objects.get().comment == "Chair agreed by phone"
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]
    assert told(approval.alert, "approval.approved")[0].data["reasons"] == {str(pk): "Chair agreed by phone"}


@pytest.mark.parametrize(
    ("given", "told_"),
    [
        ({}, "Choose: approve or reject."),
        ({"decide": "maybe"}, "Choose: approve or reject."),
        ({"decide": "approve"}, "Tick at least one task."),
        ({"decide": "approve", "task": ["0"]}, "Task 0 is not of this approval."),
        ({"decide": "approve", "task": ["x", "-1", "9" * 30]}, "Tick at least one task."),
        ({"decide": "approve_all", "comment": "x" * 5001}, "At most 5000 characters"),
    ],
)
def test_what_is_refused_stands_on_the_page(
    tiny: Range, blue: Team, as_responder: Client, given: dict[str, Any], told_: str
) -> None:
    approval = asked(blue)
    url = f"/approvals/{approval.pk}/decide/"
    assert told_ in text_of(as_responder.post(url, given), 422)
    partial = text_of(as_responder.post(url, given, headers=HTMX), 422)
    assert told_ in partial
    assert partial.lstrip().startswith("<form")
    assert Vote.objects.count() == 0


def test_by_htmx_the_form_comes_back(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    answer = as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "approve_all"}, headers=HTMX)
    text = text_of(answer)
    assert 'id="approval-state" hx-swap-oob' in text
    assert "It is decided." in text


def test_the_api(tiny: Range, blue: Team, responder: User, analyst: User, stranger: User) -> None:
    approval = asked(blue, "sandbox_url", alert=blue_alert(blue, *TWO))
    first, second = ids(approval)
    api, path = Api(responder), f"/approvals/{approval.pk}"
    listed = Api(analyst).get("/approvals/", status="pending").json()["results"]
    assert [(row["id"], len(row["tasks"]), row["needed"]) for row in listed] == [(approval.pk, 2, 1)]
    assert Api(stranger).get("/approvals/").json()["results"] == []
    problem_of(Api(stranger).get(f"{path}/"), 404)
    problem_of(Api(stranger).post(f"{path}/approve/"), 404)
    problem_of(Api(analyst).post(f"{path}/approve/"), 403)
    problem_of(Api(responder, scopes=("view_cases",)).post(f"{path}/approve/"), 403)
    assert wrong_fields(api.post(f"{path}/approve/", {"tasks": [0]})) == {"tasks"}
    assert wrong_fields(api.post(f"{path}/approve/", {"tasks": []})) == {"tasks"}
    assert wrong_fields(api.post(f"{path}/approve/", {"tasks": ["x"]})) == {"tasks.0"}
    assert wrong_fields(api.post(f"{path}/approve/", {"what": 1})) == {"what"}
    problem_of(api.get(f"{path}/approve/"), 405)
    problem_of(api.get("/approvals/", status="none"), 400)
    answer = api.post(f"{path}/approve/", {"tasks": [first], "comment": "Yes"}, {"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["status"]) == (200, "partly")
    same = api.post(f"{path}/approve/", {"tasks": [first], "comment": "Yes"}, {"Idempotency-Key": "k1"})
    assert (same.status_code, same.json()["status"]) == (200, "partly")
    problem_of(api.post(f"{path}/approve/", {"tasks": [first]}), 409)
    body = api.post(f"{path}/reject/", {"tasks": [second]}).json()
    assert (body["status"], [vote["approve"] for vote in body["votes"]]) == ("mixed", [True, False])
    assert api.get("/approvals/", status="pending").json()["results"] == []
    assert len(api.get("/approvals/", status="mixed,rejected").json()["results"]) == 1


def test_21_two_at_once_have_one_outcome(tiny: Range, blue: Team, responder: User) -> None:
    approval = asked(blue)
    people = [responder, second_responder()]
    outcomes = at_once(
        *(
            lambda person=person, yes=yes: _say(person, approval, yes)
            for person, yes in zip(people, (True, False), strict=True)
        )
    )
    assert sorted(outcomes) == ["Conflict", "ok"]
    work()
    approval.refresh_from_db()
    assert Vote.objects.count() == 1
    assert (approval.status, len(tiny.done)) in {("approved", 1), ("rejected", 0)}


def test_21_the_same_person_at_once_votes_once(tiny: Range, blue: Team, responder: User) -> None:
    approval = asked(blue, two=True)
    outcomes = at_once(*[lambda: _say(responder, approval, True)] * 4)
    assert sorted(outcomes) == ["Conflict", "Conflict", "Conflict", "ok"]
    assert Vote.objects.count() == 1


@pytest.mark.parametrize("wait", [0, 4, 8, 12])
def test_21_at_the_very_moment_of_expiry_there_is_one_outcome(
    tiny: Range, blue: Team, responder: User, wait: int
) -> None:
    approval = asked(blue)
    Approval.objects.filter(pk=approval.pk).update(expires_at=Now() + timedelta(milliseconds=wait))
    at_once(lambda: _say(responder, approval, True), sweeping.expire_due, sweeping.expire_due)
    sweeping.expire_due()
    work()
    approval.refresh_from_db()
    done = len(tiny.done)
    assert (approval.status, Vote.objects.count(), done) in {("approved", 1, 1), ("expired", 0, 0)}
    assert Run.objects.get().status == ("successful" if done else "unsuccessful")


def _say(person: User, approval: Approval, yes: bool) -> str:
    verb = approvals.approve if yes else approvals.reject
    verb(Actor.of(User.objects.get(pk=person.pk)), approval.pk)
    return "ok"


def at_once(*acts: Any) -> list[str]:
    """Run them in threads that begin together; the name of what each raised, or what it returned."""
    gate, outcomes = threading.Barrier(len(acts)), []

    def one(act: Any) -> None:
        try:
            gate.wait()
            outcomes.append(act())
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_18_what_protects_a_host_protects_what_runs_on_it(tiny: Range, blue: Team) -> None:
    alert = blue_alert(blue)
    process = {"type": "process", "name": "mimikatz.exe", "host": "LT-0042"}
    Alert.objects.filter(pk=alert.pk).update(entities=[*alert.entities, process])
    AlertAsset.objects.create(alert=alert, asset=make_asset("LT-0042", tags=["board"]))
    NeverTouch.objects.create(by="tag", value="board", reason="The board's own", added_by="Ada")
    run = run_now(publish(graph(action("a", "terminate_process"))), Alert.objects.get(pk=alert.pk))
    assert tasks_of(run) == [("terminate_process", "mimikatz.exe", "pending_approval")]
    assert Approval.objects.get().reason == "Never-touch list: The board's own (tag board)"
