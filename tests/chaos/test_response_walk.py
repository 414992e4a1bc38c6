"""kill -9 at every boundary of a small response playbook: before every statement and around every commit of the worker.

No task is done twice at the product, none is forgotten; the run ends, or waits for a person with the reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from playbooks import catalog, tasks
from playbooks.actions import approvals
from playbooks.actions.runs import run_by_hand
from playbooks.models import Approval, Playbook, ResponseTask, Run
from playbooks.response import crew
from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.actions import create_account
from tests.playbook_files import work
from tests.response_tools import KIND, action, alert_of, condition, graph, publish

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
STEP = int(os.environ.get("SOAR_CHAOS_STEP", "1"))
MOST = 3000
ASK = {"method": "channel", "subject_prefix": "", "recipients": [], "channels": ["SOC"], "two_people": False}
ENDED = ("successful", "partially_successful", "unsuccessful", "needs_decision")


class Range:
    """The product and the channel, in a process of their own."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-m", "tests.response_range"]
        self.process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.urls = json.loads(self.process.stdout.readline())

    def state(self, kind: str) -> dict[str, Any]:
        """What became of it all."""
        with urllib.request.urlopen(f"{self.urls[kind]['control']}/state") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def reset(self, slowly: dict[str, int]) -> None:
        """As new; these capabilities take their time."""
        for kind in self.urls:
            self._post(kind, "reset", {})
        self._post("tiny", "arrange", {"slowly": slowly})

    def _post(self, kind: str, verb: str, body: Any) -> None:
        request = urllib.request.Request(
            f"{self.urls[kind]['control']}/{verb}", data=json.dumps(body).encode(), method="POST"
        )
        urllib.request.urlopen(request).close()


@pytest.fixture
def range_(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Range]:
    """Product and channel with their accounts, a lease of one second."""
    settings.LEASE_SECONDS = 1
    settings.PLAYBOOK_DIRS = []
    monkeypatch.setitem(registry.KINDS, "tiny", KIND)
    catalog.forget()
    made = Range()
    try:
        inside = {"allow_internal": True}
        create_account(None, "tiny", "Tiny", {"url": made.urls["tiny"]["url"], **inside}, {})
        create_account(None, "slack", "SOC", {"url": made.urls["slack"]["url"], "cleared": "red", **inside}, {})
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        catalog.forget()


def small() -> Playbook:
    """A condition, an action that is polled for and changes of the case, one that asks, and a message."""
    opening: dict[str, Any] = {"owners": [], "close_on_success": {"determination": "malicious"}, "ticket_profile": None}
    return publish(
        graph(
            condition("c", ("severity", "is", ["medium"])),
            action("a", "isolate_endpoint", ("comment", {"text": "walked"}), parent="c"),
            action("b", "disable_account", parent="a", approval=ASK),
            {**action("n", ("channel", {"channels": ["SOC"]}), parent="b"), "type": "notify", "risk": []},
            target={"open_incident": opening},
        )
    )


def test_the_walk(range_: Range, responder: User) -> None:
    playbook, seen = small(), Counter[str]()
    for boundary in range(1, MOST, STEP):
        range_.reset({"isolate_endpoint": 1})
        run = run_by_hand(Actor.system(), playbook, alert=alert_of().pk)
        finished = in_a_child(partial(live, run.pk, responder), kill_at=boundary)
        for _ in range(12):
            lapse()
            assert in_a_child(partial(live, run.pk, responder)), "the second worker ended badly"
            run.refresh_from_db()
            if run.status in ENDED:
                break
        check(run, range_, boundary)
        seen[run.status] += 1
        if finished:
            break
    else:
        raise AssertionError(f"no run ended within {MOST} boundaries")
    print(f"{boundary} boundaries: {dict(seen)}")
    assert seen["successful"] > sum(seen.values()) / 2, seen


def live(run: int, responder: User) -> None:
    """What worker, scheduler and a responder do until the run stands still."""
    for _ in range(8):
        tasks.sweep()
        tasks.due()
        work()
        for approval in Approval.objects.filter(run=run, status__in=("pending", "partly")):
            approvals.approve(Actor.of(responder), approval.pk)
            work()
        ResponseTask.objects.filter(run=run, status__in=("queued", "in_progress"), lease_owner="").update(due_at=Now())
        if Run.objects.get(pk=run).status in ENDED:
            return


def lapse() -> None:
    """As if the second of every lease, and the minute of every doorbell, had passed."""
    past = Now() - timedelta(seconds=2)
    Run.objects.filter(lease_until__isnull=False).update(lease_until=past)
    Run.objects.filter(status__in=("queued", "in_progress")).update(rung_at=Now() - timedelta(minutes=5))
    ResponseTask.objects.filter(lease_until__isnull=False).update(lease_until=past, due_at=past)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue")  # the doorbells are lost: rows are the truth


def in_a_child(what: Any, kill_at: int = 0) -> bool:
    """Do it in a process of its own, killed at its n-th boundary. Whether it came to its end."""
    connections.close_all()
    child = os.fork()
    if not child:
        os._exit(_child(what, kill_at))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, f"the worker failed at boundary {kill_at}"
    return True


def _child(what: Any, kill_at: int) -> int:
    try:
        if kill_at:
            arm(kill_at)
        what()
        crew.Crew.rest()
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


def arm(kill_at: int) -> None:
    """Have this process killed at its n-th boundary: a statement about to be sent, a commit about to be made or just
    made."""
    count, lock = 0, threading.Lock()

    def tick() -> None:
        nonlocal count
        with lock:
            count += 1
            if count >= kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    really_execute, really_commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def execute(self: Any, *given: Any, **named: Any) -> Any:
        tick()
        return really_execute(self, *given, **named)

    def commit(self: Any) -> None:
        tick()
        really_commit(self)
        tick()

    psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    psycopg.Connection.commit = commit  # type: ignore[method-assign]


def check(run: Run, range_: Range, boundary: int) -> None:
    """Nothing twice, nothing forgotten, and a reason where a person must decide."""
    where = f"killed at boundary {boundary}, {run.status}"
    assert run.status in ENDED, where
    rows = list(ResponseTask.objects.filter(run=run).order_by("position"))
    done = Counter(one["capability"] for one in range_.state("tiny")["done"])
    assert not [name for name, number in done.items() if number > 1], f"{where}: done twice: {done}"
    for task in rows:
        if task.capability and task.status == "successful":
            assert done[task.capability] == 1, f"{where}: {task} counts as done and was not"
        if task.status == "unknown_outcome":
            assert task.reason, where
    reports = [one for one in range_.state("slack")["messages"] if "Approval needed" not in json.dumps(one)]
    assert len(reports) <= 1, f"{where}: the report was sent {len(reports)} times"
    assert len([task.action for task in rows]) == len({task.action for task in rows}), f"{where}: a node ran twice"
    alert = Alert.objects.get(runs=run)
    notes = TimelineEntry.objects.filter(incident=alert.incident_id, kind="comment", text="walked").count()
    assert notes == 1, f"{where}: {notes} notes"
    if run.status == "needs_decision":
        assert any(task.status == "unknown_outcome" for task in rows), where
    else:
        assert run.status == "successful", (where, [(task.action, task.status, task.reason) for task in rows])
        assert done == {"isolate_endpoint": 1, "disable_account": 1} and len(reports) == 1, where
        assert alert.incident is not None and alert.incident.status == 4, where
