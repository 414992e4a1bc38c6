"""What follows on a response task (response-playbooks.md 17, 17a; rulings 6): again, the inverse, cancel, decide, the
secret of what was collected; its page and the list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from cases.actors import Actor
from cases.models import Alert
from playbooks.actions import response_follow, responses
from playbooks.actions.response_choice import chosen
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.models import BlockEntry, ConnectorAccount
from tests.api import Api, problem_of, wrong_fields
from tests.approving import asked, blue_alert, told
from tests.playbook_files import work
from tests.playbook_pages import EVIL, HTMX, text_of
from tests.response_tools import Range, action, graph, make_due, publish, run_now, tiny
from tests.test_approval_decide import at_once

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
VERBS = ("resend", "inverse", "cancel", "decide", "secret", "file")


@pytest.fixture
def alert(blue: Team) -> Alert:
    return blue_alert(blue, ("domain", "evil-one.com"))


def by_hand(
    user: User, alert: Alert, name: str, kind: str = "endpoint", value: str = "LT-0042", **params: Any
) -> ResponseTask:
    """A task that a person made on the alert; queued, or what the rules make of it."""
    case, targets = chosen(Actor.of(user), {"alert": alert.pk, "targets": [{"kind": kind, "value": value}]})
    return responses.start(Actor.of(user), case, action=name, targets=targets, params=params)[0]


def failed(tiny: Range, user: User, alert: Alert) -> ResponseTask:
    """A task that the product refused."""
    tiny.shop.state["answer"] = [400, {"message": "no such endpoint"}]
    task = by_hand(user, alert, "isolate_endpoint")
    work()
    tiny.shop.state["answer"] = None
    task.refresh_from_db()
    assert task.status == "unsuccessful"
    return task


def unknown(user: User, alert: Alert) -> ResponseTask:
    """A task of which nobody knows whether it happened."""
    task = by_hand(user, alert, "isolate_endpoint")
    ResponseTask.objects.filter(pk=task.pk).update(
        status="unknown_outcome", reason="The answer was lost.", due_at=None, phase="sent", started_at=Now()
    )
    task.refresh_from_db()
    return task


INVERSES = [
    ("isolate_endpoint", "endpoint", "LT-0042", "Restore connection"),
    ("disable_account", "account", "a.voss", "Enable user account"),
    ("quarantine_message", "message", "<1@corp.example>", "Restore message"),
    ("isolate_container", "container", "web-7f", "Resume container"),
    ("revoke_cloud_access", "cloud_account", "ci-bot", "Restore access permission"),
]


@pytest.mark.parametrize(("name", "kind", "value", "label"), INVERSES)
def test_17_each_reversible_action_has_its_inverse_on_the_tasks_page(
    tiny: Range, as_responder: Client, responder: User, alert: Alert, name: str, kind: str, value: str, label: str
) -> None:
    task = by_hand(responder, alert, name, kind, value)
    work()
    assert label in text_of(as_responder.get(f"/responses/{task.pk}/")).split('id="inverse"')[1].split("</button>")[0]
    answer = as_responder.post(f"/responses/{task.pk}/inverse/")
    undo = ResponseTask.objects.get(inverse_of=task)
    assert answer["Location"] == f"/responses/{undo.pk}/"
    work()
    undo.refresh_from_db()
    assert (undo.status, undo.account, undo.alert) == ("successful", tiny.account, alert)
    assert tiny.targets(CAPABILITIES[name].inverse) == [value]
    page = text_of(as_responder.get(f"/responses/{task.pk}/"))
    assert "Undone by" in page
    assert 'id="inverse"' not in page
    twice = text_of(as_responder.post(f"/responses/{task.pk}/inverse/"), 409)
    assert f"It is undone already, by task {undo.pk} (successful)." in twice
    assert "Undoes" in text_of(as_responder.get(f"/responses/{undo.pk}/"))


def test_17_unblocking(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "block", "domain", "evil-one.com")
    work()
    assert BlockEntry.objects.get().removed_at is None
    as_responder.post(f"/responses/{task.pk}/inverse/")
    work()
    assert BlockEntry.objects.get().removed_at is not None


def test_17_a_task_of_a_playbook_is_undone_by_hand(tiny: Range, as_responder: Client, alert: Alert) -> None:
    run_now(publish(graph(action("a", "isolate_endpoint"))), alert)
    task = ResponseTask.objects.get()
    as_responder.post(f"/responses/{task.pk}/inverse/")
    work()
    assert tiny.targets("restore_endpoint") == ["LT-0042"]
    assert ResponseTask.objects.get(inverse_of=task).run is None
    assert Run.objects.get().status == "successful"


def test_17_what_cannot_be_undone(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    scan = by_hand(responder, alert, "scan_endpoint")
    assert "This cannot be undone." in text_of(as_responder.post(f"/responses/{scan.pk}/inverse/"), 409)
    waiting = by_hand(responder, alert, "isolate_endpoint")
    assert "is queued: there is nothing to undo" in text_of(as_responder.post(f"/responses/{waiting.pk}/inverse/"), 409)
    work()
    ConnectorAccount.objects.update(enabled=False)
    gone = text_of(as_responder.post(f"/responses/{waiting.pk}/inverse/"), 409)
    assert "Tiny is disabled, not for you to use, or cannot do “Restore connection”." in gone


@pytest.mark.parametrize("ends", ["rejected", "failed", "cancelled"])
def test_17_what_the_product_did_not_undo_can_be_undone_again(
    tiny: Range, as_responder: Client, responder: User, alert: Alert, ends: str
) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    work()
    tiny.shop.state["slowly"] = {"restore_endpoint": 1}
    as_responder.post(f"/responses/{task.pk}/inverse/")
    work()
    for one in tiny.shop.state["tasks"].values():
        one["ends"] = ends
    make_due()
    assert ResponseTask.objects.get(inverse_of=task).state.is_final
    tiny.shop.state["slowly"] = {}
    assert as_responder.post(f"/responses/{task.pk}/inverse/").status_code == 302
    work()
    assert ResponseTask.objects.filter(inverse_of=task).latest("pk").status == "successful"


def test_undoing_at_once_by_two_undoes_once(tiny: Range, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    work()

    def undo() -> str:
        response_follow.inverse(Actor.of(User.objects.get(pk=responder.pk)), task.pk)
        return "ok"

    assert sorted(at_once(undo, undo, undo)) == ["Conflict", "Conflict", "ok"]
    assert ResponseTask.objects.filter(inverse_of=task).count() == 1


def test_17a_a_failed_task_is_sent_again_as_a_new_one(
    tiny: Range, as_responder: Client, responder: User, alert: Alert
) -> None:
    task = failed(tiny, responder, alert)
    page = text_of(as_responder.get(f"/responses/{task.pk}/"))
    assert "no such endpoint" in page
    assert "Send again" in page
    answer = as_responder.post(f"/responses/{task.pk}/resend/")
    work()
    again = ResponseTask.objects.latest("pk")
    assert answer["Location"] == f"/responses/{again.pk}/"
    assert (again.status, again.idempotency_key != task.idempotency_key) == ("successful", True)
    task.refresh_from_db()
    assert task.status == "unsuccessful"
    refused = text_of(as_responder.post(f"/responses/{again.pk}/resend/"), 409)
    assert "only queued and failed ones are sent again" in refused


def test_sending_again_at_once_by_several_sends_once(tiny: Range, responder: User, alert: Alert) -> None:
    task = failed(tiny, responder, alert)

    def send() -> str:
        response_follow.resend(Actor.of(User.objects.get(pk=responder.pk)), task.pk)
        return "ok"

    assert sorted(at_once(send, send, send)) == ["Conflict", "Conflict", "ok"]
    assert ResponseTask.objects.count() == 2
    tiny.shop.state["answer"] = [400, {"message": "still no such endpoint"}]
    work()
    tiny.shop.state["answer"] = None
    assert send() == "ok", "that one failed too"
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_18_sending_again_asks_the_never_touch_list_of_now(
    tiny: Range, as_responder: Client, responder: User, alert: Alert
) -> None:
    task = failed(tiny, responder, alert)
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops", added_by="Ada")
    as_responder.post(f"/responses/{task.pk}/resend/")
    work()
    assert ResponseTask.objects.latest("pk").status == "pending_approval"
    assert tiny.done == []


def test_17a_a_queued_task_is_sent_at_once(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    ResponseTask.objects.filter(pk=task.pk).update(due_at=Now() + timedelta(hours=1))
    work()
    assert tiny.done == []
    as_responder.post(f"/responses/{task.pk}/resend/")
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]
    assert ResponseTask.objects.count() == 1


def test_cancel_a_queued_task(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    text = text_of(as_responder.post(f"/responses/{task.pk}/cancel/", headers=HTMX))
    assert "Cancelled by Priya Raman." in text
    work()
    task.refresh_from_db()
    assert (task.status, tiny.done) == ("cancelled", [])
    twice = text_of(as_responder.post(f"/responses/{task.pk}/cancel/"), 409)
    assert "only what has not begun can be cancelled" in twice


def test_cancel_what_waits_for_an_approval(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    NeverTouch.objects.create(by="name", value="LT-*", reason="Laptops", added_by="Ada")
    task = by_hand(responder, alert, "isolate_endpoint")
    as_responder.post(f"/responses/{task.pk}/cancel/")
    assert Approval.objects.get().status == "cancelled"
    decided = as_responder.post(f"/approvals/{Approval.objects.get().pk}/decide/", {"decide": "approve_all"})
    assert "is cancelled already" in text_of(decided, 409)
    work()
    assert tiny.done == []


def test_cancelling_a_playbooks_task_lets_its_run_end(tiny: Range, blue: Team, as_responder: Client) -> None:
    approval = asked(blue)
    as_responder.post(f"/responses/{approval.tasks.get().pk}/cancel/")
    work()
    assert (Run.objects.get().status, tiny.done) == ("unsuccessful", [])
    approval.refresh_from_db()
    assert approval.status == "cancelled"


@pytest.mark.parametrize(
    ("outcome", "status", "done"),
    [("done", "successful", 0), ("not_done", "unsuccessful", 0), ("repeat", "successful", 1)],
)
def test_6_a_person_says_what_happened(
    tiny: Range, as_responder: Client, responder: User, alert: Alert, outcome: str, status: str, done: int
) -> None:
    task = unknown(responder, alert)
    assert "A person is asked: did it happen?" in text_of(as_responder.get(f"/responses/{task.pk}/"))
    answer = as_responder.post(f"/responses/{task.pk}/decide/", {"outcome": outcome, "comment": "Looked"})
    assert answer.status_code == 302
    work()
    task.refresh_from_db()
    assert (task.status, len(tiny.done)) == (status, done)
    assert task.decision is not None
    assert (task.decision["by"], task.decision["comment"]) == ("Priya Raman", "Looked")
    assert "there is nothing to decide" in text_of(
        as_responder.post(f"/responses/{task.pk}/decide/", {"outcome": outcome}), 409
    )
    assert told(alert, "response.finished" if outcome != "repeat" else "response.decided")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Choose what happened."),
        ({"outcome": "maybe"}, "outcome is one of"),
        ({"outcome": "done", "comment": "x" * 5001}, "5000"),
    ],
)
def test_a_wrong_decision(
    tiny: Range, as_responder: Client, responder: User, alert: Alert, given: dict[str, str], said: str
) -> None:
    task = unknown(responder, alert)
    assert said in text_of(as_responder.post(f"/responses/{task.pk}/decide/", given), 400)
    task.refresh_from_db()
    assert task.status == "unknown_outcome"


def test_17a_the_archives_password_is_shown_once_asked_and_audited(
    tiny: Range, as_responder: Client, as_analyst: Client, responder: User, alert: Alert
) -> None:
    task = by_hand(responder, alert, "scan_endpoint")
    assert "nothing to show" in text_of(as_responder.post(f"/responses/{task.pk}/secret/"), 409)
    task.secret = {"location": "https://files.example/1.zip", "password": "s3cret-zip"}
    task.save(update_fields=["secret"])
    for page in (as_responder.get(f"/responses/{task.pk}/"), as_analyst.get(f"/responses/{task.pk}/")):
        assert "s3cret-zip" not in text_of(page)
    assert as_analyst.post(f"/responses/{task.pk}/secret/").status_code == 403
    assert AuditEntry.objects.filter(verb="response.secret_shown").count() == 0
    shown = as_responder.post(f"/responses/{task.pk}/secret/")
    assert "s3cret-zip" in text_of(shown)
    assert shown["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(verb="response.secret_shown")
    assert (entry.actor_name, entry.target) == ("Priya Raman", f"task {task.pk}")
    assert "s3cret-zip" not in str(entry.data)
    assert "s3cret-zip" not in text_of(as_responder.get(f"/responses/{task.pk}/"))
    detail = Api(responder).get(f"/response-tasks/{task.pk}/").json()
    assert (detail["has_secret"], "s3cret-zip" in str(detail)) == (True, False)


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_and_how(
    tiny: Range,
    as_analyst: Client,
    as_viewer: Client,
    as_stranger: Client,
    client: Client,
    responder: User,
    alert: Alert,
    verb: str,
) -> None:
    task = unknown(responder, alert)
    url, given = f"/responses/{task.pk}/{verb}/", {"outcome": "done"}
    assert as_analyst.get(url).status_code == 405
    for other in (as_analyst, as_viewer):
        assert "permission to approve and run response actions" in text_of(other.post(url, given), 403)
    assert as_stranger.post(url, given).status_code == 404
    assert client.post(url, given).status_code == 302
    task.refresh_from_db()
    assert (task.status, ResponseTask.objects.count()) == ("unknown_outcome", 1)


def test_a_viewer_reads_and_is_offered_nothing(
    tiny: Range, as_viewer: Client, as_stranger: Client, responder: User, alert: Alert
) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    page = text_of(as_viewer.get(f"/responses/{task.pk}/"))
    assert "<form" not in page.split('id="response"')[1].split("</main>")[0]
    assert as_stranger.get(f"/responses/{task.pk}/").status_code == 404
    assert as_stranger.get(f"/responses/{task.pk}/live/").status_code == 404
    assert f"/responses/{task.pk}/" in text_of(as_viewer.get("/responses/"))
    assert f"/responses/{task.pk}/" not in text_of(as_stranger.get("/responses/"))


def test_the_page_follows_its_task(tiny: Range, as_viewer: Client, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "isolate_endpoint")
    page = text_of(as_viewer.get(f"/responses/{task.pk}/"))
    sig = page.split("/live/?sig=")[1].split('"')[0]
    assert as_viewer.get(f"/responses/{task.pk}/live/", {"sig": sig}, headers=HTMX).status_code == 204
    work()
    fresh = text_of(as_viewer.get(f"/responses/{task.pk}/live/", {"sig": sig}, headers=HTMX))
    assert "Successful" in fresh
    assert "hx-get" not in fresh.split("</h1>")[0]


def test_17a_the_list_is_filtered(tiny: Range, as_responder: Client, responder: User, alert: Alert, blue: Team) -> None:
    hand = by_hand(responder, alert, "scan_endpoint")
    run_now(publish(graph(action("a", "disable_account"))), alert)
    of_run = ResponseTask.objects.get(run__isnull=False)
    pages = {
        "action=scan_endpoint": {hand.pk},
        "q=VOSS": {of_run.pk},
        "by=priya": {hand.pk},
        "origin=playbook": {of_run.pk},
        "origin=hand": {hand.pk},
        "status=successful,queued": {hand.pk, of_run.pk},
        "status=rejected": set(),
        f"alert={alert.number}": {hand.pk, of_run.pk},
        f"run={of_run.run_id}": {of_run.pk},
        "time=1h": {hand.pk, of_run.pk},
        "status=none&q=voss": {of_run.pk},
    }
    for query, wanted in pages.items():
        for headers in ({}, HTMX):
            text = text_of(as_responder.get(f"/responses/?{query}", headers=headers))
            found = {pk for pk in (hand.pk, of_run.pk) if f'id="task-{pk}"' in text}
            assert found == wanted, query
    assert "there is no “none”" in text_of(as_responder.get("/responses/?status=none"))
    assert text_of(as_responder.get("/responses/?cursor=nonsense&q=%00&by=%00&alert=x"))


def test_17a_actions_required(
    tiny: Range, blue: Team, as_responder: Client, as_stranger: Client, responder: User, alert: Alert
) -> None:
    unknown(responder, alert)
    approval = asked(blue)
    text = text_of(as_responder.get("/responses/"))
    assert '<span class="pill t-violet">2</span>' in text
    assert '<span class="count ask t-violet" id="nav-n-approval-list">1</span>' in text
    asked_ = text_of(as_responder.get("/responses/?status=pending_approval,unknown_outcome"))
    assert asked_.count('id="task-') == 2
    assert "1</b> waits for you" in text_of(as_responder.get("/approvals/"))
    assert '<span class="count ask' not in text_of(as_stranger.get("/responses/"))
    as_responder.post(f"/approvals/{approval.pk}/decide/", {"decide": "reject_all"})
    page = text_of(as_responder.get("/approvals/"))
    assert '<span class="count ask' not in page
    assert "Nothing waits for you" in page


def test_targets_are_shown_not_run(tiny: Range, as_responder: Client, responder: User, alert: Alert) -> None:
    task = by_hand(responder, alert, "isolate_endpoint", value=EVIL)
    work()
    for address in (f"/responses/{task.pk}/", "/responses/", f"/alerts/{alert.number}/"):
        assert EVIL not in text_of(as_responder.get(address))


def test_the_api(tiny: Range, responder: User, analyst: User, stranger: User, alert: Alert) -> None:
    api, task = Api(responder), failed(tiny, responder, alert)
    path = f"/response-tasks/{task.pk}"
    for verb in ("resend", "inverse", "cancel"):
        problem_of(Api(analyst).post(f"{path}/{verb}/"), 403)
        problem_of(Api(stranger).post(f"{path}/{verb}/"), 404)
        problem_of(api.get(f"{path}/{verb}/"), 405)
    assert wrong_fields(api.post(f"{path}/resend/", {"x": 1})) == {"x"}
    again = api.post(f"{path}/resend/")
    assert (again.status_code, again.json()["status"]) == (201, "queued")
    new = f"/response-tasks/{again.json()['id']}"
    assert api.post(f"{new}/cancel/").json()["status"] == "cancelled"
    problem_of(api.post(f"{new}/cancel/"), 409)
    problem_of(api.post(f"{new}/inverse/"), 409)
    lost = unknown(responder, alert)
    assert wrong_fields(api.post(f"/response-tasks/{lost.pk}/decide/", {"outcome": "x"})) == {"outcome"}
    done = api.post(f"/response-tasks/{lost.pk}/decide/", {"outcome": "done", "comment": "Seen"})
    assert done.json()["status"] == "successful"
    assert api.post(f"/response-tasks/{lost.pk}/inverse/").json()["action"] == "restore_endpoint"
