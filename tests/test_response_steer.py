"""People cancel and retry runs of response playbooks, and say what became of a task (rulings 6, spec 27)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from playbooks.actions import approvals
from playbooks.actions.decide import decide
from playbooks.actions.runs import cancel, retry, run_by_hand
from playbooks.models import Approval, ResponseTask, Run
from soar.accounts.models import User
from tests.api import Api
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
    tasks_of,
    tiny,
)

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
ASK = {"method": "email", "subject_prefix": "", "recipients": ["duty@example.com"], "channels": []}
SERIES = action("a", "isolate_endpoint"), action("b", "disable_account", parent="a")


def undecided(tiny: Range) -> Run:
    """A run whose first task is of unknown outcome."""
    tiny.fault("before")
    return run_now(publish(graph(*SERIES)), alert_of())


def statuses(run: Run) -> list[str]:
    return [status for _, _, status in tasks_of(run)]


# -- decide


@pytest.mark.parametrize(("outcome", "status"), [("done", "successful"), ("not_done", "partially_successful")])
def test_rulings_6_a_person_says_what_happened(tiny: Range, responder: User, outcome: str, status: str) -> None:
    run = undecided(tiny)
    decide(Actor.of(responder), run, run.tasks.get().pk, outcome, "Looked at the console")
    work()
    run.refresh_from_db()
    assert run.status == status and tiny.targets("disable_account") == ["a.voss"]
    task: Any = run.tasks.get(action="isolate_endpoint")
    assert task.decision["by"] == "Priya Raman" and task.decision["comment"] == "Looked at the console"
    assert not tiny.targets("isolate_endpoint")


def test_rulings_6_do_it_again_with_the_same_key(tiny: Range, responder: User) -> None:
    run = undecided(tiny)
    key = str(run.tasks.get().idempotency_key)
    decide(Actor.of(responder), run, run.tasks.get().pk, "repeat")
    work()
    run.refresh_from_db()
    assert run.status == "successful"
    assert [one["key"] for one in tiny.done if one["capability"] == "isolate_endpoint"] == [key]


def test_deciding_is_refused(tiny: Range, responder: User, analyst: User, stranger: User) -> None:
    run = undecided(tiny)
    pk = run.tasks.get().pk
    with pytest.raises(Refused):
        decide(SYSTEM, run, pk, "maybe")
    with pytest.raises(Missing):
        decide(SYSTEM, run, 10**9, "done")
    with pytest.raises(Forbidden):
        decide(Actor.of(analyst), run, pk, "repeat")
    decide(Actor.of(responder), run, pk, "done")
    with pytest.raises(Conflict):
        decide(Actor.of(responder), run, pk, "done")


def test_the_api_decides(tiny: Range, responder: User, viewer: User) -> None:
    run = undecided(tiny)
    url = f"/api/v1/runs/{run.pk}/tasks/{run.tasks.get().pk}/decide/"
    assert Api(viewer).post(url, {"outcome": "done"}).status_code == 403
    assert Api(responder).post(url, {"outcome": "perhaps"}).status_code == 400
    answer = Api(responder).post(url, {"outcome": "done", "comment": "seen"})
    assert answer.status_code == 200 and answer.json()["tasks"][0]["status"] == "successful"
    assert Api(responder).post(url, {"outcome": "done"}).status_code == 409


# -- cancel


def test_27_cancel_stops_what_has_not_begun(tiny: Range, responder: User) -> None:
    tiny.fault("429", times=3)
    run = run_now(publish(graph(*SERIES)), alert_of())
    cancel(Actor.of(responder), run)
    run.refresh_from_db()
    assert run.status == "cancelled" and run.error == "Cancelled by Priya Raman." and statuses(run) == ["cancelled"]
    make_due()
    assert not tiny.done
    assert run.alert is not None and run.alert.timeline.filter(kind="run.finished").count() == 1
    with pytest.raises(Conflict):
        cancel(Actor.of(responder), run)


def test_27_what_the_product_took_is_asked_for_to_its_end(tiny: Range) -> None:
    tiny.shop.state["slowly"] = {"isolate_endpoint": 1}
    run = run_now(publish(graph(*SERIES)), alert_of())
    cancel(SYSTEM, run)
    run.refresh_from_db()
    assert (run.status, run.cancel_requested) == ("in_progress", True)
    make_due()
    run.refresh_from_db()
    assert (run.status, statuses(run)) == ("cancelled", ["successful"]) and not tiny.targets("disable_account")


def test_27_cancelling_withdraws_the_approvals(tiny: Range, responder: User) -> None:
    run = run_now(publish(graph(action("a", "isolate_endpoint", approval=ASK))), alert_of())
    cancel(SYSTEM, run)
    assert (only_task(run).status, Approval.objects.get().status) == ("cancelled", "cancelled")
    with pytest.raises(Conflict):
        approvals.approve(Actor.of(responder), Approval.objects.get().pk)


def test_27_a_run_that_has_not_begun(tiny: Range) -> None:
    run = run_by_hand(SYSTEM, publish(graph(*SERIES)), alert=alert_of().pk)
    cancel(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert run.status == "cancelled" and not tiny.done


def test_cancelling_a_run_that_asks_ends_it_and_the_task_can_be_decided_on_later(tiny: Range, responder: User) -> None:
    run = undecided(tiny)
    assert run.error and run.error == run.tasks.get().reason
    cancel(Actor.of(responder), run)
    run.refresh_from_db()
    assert (run.status, statuses(run)) == ("cancelled", ["unknown_outcome"])
    decide(Actor.of(responder), run, run.tasks.get().pk, "done")
    work()
    run.refresh_from_db()
    assert (run.status, statuses(run)) == ("cancelled", ["successful"]) and not tiny.done


# -- retry


def test_27_retry_runs_only_what_failed(tiny: Range, responder: User) -> None:
    names = [("domain", f"evil-{name}.com") for name in ("one", "two", "three")]
    tiny.fault("403")
    run = run_now(publish(graph(action("a", "sandbox_url"))), alert_of(*names))
    before = [one["key"] for one in tiny.done]
    assert sorted(statuses(run)) == ["successful", "successful", "unsuccessful"]
    retry(Actor.of(responder), run)
    work()
    run.refresh_from_db()
    assert (run.status, set(statuses(run))) == ("successful", {"successful"})
    assert len(tiny.done) == 3 and [one["key"] for one in tiny.done][:2] == before
    with pytest.raises(Conflict):
        retry(Actor.of(responder), run)


def test_27_after_a_stop_the_rest_of_the_series_follows(tiny: Range) -> None:
    tiny.fault("403")
    run = run_now(
        publish(graph(action("a", "isolate_endpoint", on_failure="stop"), action("b", "disable_account", parent="a"))),
        alert_of(),
    )
    assert statuses(run) == ["unsuccessful", "no_action"]
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, statuses(run)) == ("successful", ["successful", "successful"])


def test_27_retrying_a_cancelled_run_goes_on_and_asks_again(tiny: Range, responder: User) -> None:
    nodes = action("a", "isolate_endpoint", approval=ASK), action("b", "scan_endpoint", parent="a")
    run = run_now(publish(graph(*nodes)), alert_of())
    cancel(SYSTEM, run)
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert run.status == "pending_approval" and not tiny.done
    approvals.approve(Actor.of(responder), Approval.objects.filter(status="pending").get().pk)
    work()
    run.refresh_from_db()
    assert (run.status, statuses(run)) == ("successful", ["successful", "successful"])


def test_27_what_was_rejected_stays_so(tiny: Range, responder: User) -> None:
    run = run_now(publish(graph(action("a", "isolate_endpoint", approval=ASK))), alert_of())
    approvals.reject(Actor.of(responder), Approval.objects.get().pk)
    retry(SYSTEM, run)
    work()
    run.refresh_from_db()
    assert (run.status, statuses(run), tiny.done) == ("unsuccessful", ["rejected"], [])


def test_retry_is_refused(tiny: Range, analyst: User) -> None:
    run = undecided(tiny)
    with pytest.raises(Conflict, match="First decide"):
        retry(SYSTEM, run)
    with pytest.raises(Forbidden):
        retry(Actor.of(analyst), run)


# -- by hand


def test_rulings_20_an_analyst_runs_no_destructive_playbook_by_hand(
    tiny: Range, analyst: User, responder: User
) -> None:
    alert = alert_of()
    hard, soft = publish(graph(action("a", "isolate_endpoint"))), publish(graph(action("a", "scan_endpoint")))
    asking = publish(graph(action("a", "isolate_endpoint", approval=ASK)))
    with pytest.raises(Forbidden, match="Isolate endpoint"):
        run_by_hand(Actor.of(analyst), hard, alert=alert.pk)
    assert run_now(soft, alert, Actor.of(analyst)).status == "successful"
    assert run_now(asking, alert, Actor.of(analyst)).status == "pending_approval"
    assert run_now(hard, alert, Actor.of(responder)).status == "successful"


def test_by_hand_it_needs_an_alert(tiny: Range) -> None:
    with pytest.raises(Refused, match="runs on an alert"):
        run_by_hand(SYSTEM, publish(graph(*SERIES)))


def test_contract_the_run_in_json(tiny: Range, responder: User) -> None:
    playbook = publish(graph(*SERIES))
    client = Api(responder)
    answer = client.post(f"/api/v1/alerts/{alert_of().pk}/run/", {"playbook": playbook.name})
    assert answer.status_code == 201
    work()
    run: dict[str, Any] = client.get(f"/api/v1/runs/{answer.json()['id']}/").json()
    assert (run["status"], run["playbook"]["kind"], run["playbook"]["version"]) == ("successful", "response", 1)
    assert [step["name"] for step in run["steps"]] == ["rating", "a", "b"]
    first = run["tasks"][0]
    assert first["action"] == "isolate_endpoint" and first["target"] == {"kind": "endpoint", "value": "LT-0042"}
    assert (first["status"], first["node"], first["connector"], first["attempts"]) == ("successful", "a", "Tiny", 1)
    assert run["objects"][0]["value"] == "evil-one.com" and run["report"]["summary"]["tasks"] == 2
    assert ResponseTask.objects.count() == 2
