"""A practice product for response playbooks, and what makes, starts and works runs in tests.

The product is a stand-in over real HTTP; its connector is as small as a connector can be."""

from __future__ import annotations

import hashlib
import itertools
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.db.models.functions import Now

from cases.actors import Actor
from cases.models import Alert
from playbooks import catalog, tasks
from playbooks.actions.runs import run_by_hand
from playbooks.models import Approval, Playbook, PlaybookVersion, ResponseTask, Run, Step, Vote
from playbooks.response import approving, crew
from playbooks.response.locking import together
from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CAPABILITIES, Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.responder import Responder
from soar.lib.http import RemoteError, json_or_error
from soar.standins.server import Server
from tests.factories import make_alert
from tests.playbook_files import work
from tests.response_range import Shop

_numbers = itertools.count(1)


class Tiny(Responder):
    """Does everything by one POST. Blocking may be repeated, the rest not."""

    kind = "tiny"
    serves: ClassVar[frozenset[str]] = frozenset(CAPABILITIES) - {"block", "unblock"}
    repeatable: ClassVar[frozenset[str]] = frozenset({"scan_endpoint"})

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        sent = {"target": target.value, "kind": target.kind, "params": params}
        return self._answer(self.call(capability, "POST", f"do/{capability}", json=sent, idempotency_key=key), sent)

    def poll(self, capability: str, reference: str) -> Result:
        return self._answer(self.call(f"{capability}.poll", "GET", f"task/{reference}"))

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        answer = self.call(f"{capability}.recall", "GET", f"recall/{key}")
        return None if answer.status == 404 else self._answer(answer)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        sent = {"target": target.value, "params": params}
        return [self.preview("POST", f"do/{capability}", json=sent)["request"]]

    def _answer(self, answer: Any, sent: dict[str, Any] | None = None) -> Result:
        if answer.status >= 500:
            text = f"The product answered {answer.status}."
            raise ConnectorError(text, permanent=False, status=answer.status, outcome_unknown=sent is not None)
        try:
            body = json_or_error(answer)
        except RemoteError as error:
            unknown = answer.ok and sent is not None
            raise ConnectorError(
                error.message,
                permanent=answer.status != 429 and not unknown,
                status=answer.status,
                outcome_unknown=unknown,
            ) from None
        return Result(
            body["state"],
            body.get("message", ""),
            reference=body.get("reference", ""),
            remote=body["state"],
            request=sent or {},
            answer=body,
            data=body.get("data", {}),
        )


class Range:
    """The practice product in reach of a test: its state, its faults, its account."""

    def __init__(self, server: Server, account: ConnectorAccount) -> None:
        self.shop, self.account = server.standins["tiny"], account
        self.control = server.urls["tiny"]["control"]

    @property
    def done(self) -> list[dict[str, Any]]:
        """What was really done, in order."""
        done: list[dict[str, Any]] = self.shop.state["done"]
        return done

    def targets(self, capability: str) -> list[str]:
        """On what a capability was used."""
        return [one["target"] for one in self.done if one["capability"] == capability]

    def fault(self, kind: str, **more: Any) -> None:
        """Order a fault (soar/standins/base.py)."""
        body = json.dumps({"kind": kind, **more}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.control}/fault", data=body))


KIND = Kind(name="tiny", label="Tiny product", connector=Tiny, secrets=(Setting("token", "Token"),))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, transactional_db: None, settings: Any) -> Iterator[Range]:
    """The practice product with an enabled account, and no Python playbooks; threads of the crew end soon."""
    settings.PLAYBOOK_DIRS = []
    catalog.forget()
    monkeypatch.setitem(registry.KINDS, "tiny", KIND)
    with Server([Shop()]) as server:
        account = ConnectorAccount.objects.create(
            kind="tiny", name="Tiny", settings={"url": server.urls["tiny"]["url"]}, allow_internal=True
        )
        yield Range(server, account)
        crew.Crew.rest()
        catalog.forget()


def action(id: str, *names: str | tuple[str, Mapping[str, Any]], parent: str = "target", **more: Any) -> dict[str, Any]:
    """An action node; ``names`` of actions, or pairs of name and params."""
    risk = more.pop("risk", ["highly_suspicious", "suspicious", "unrated"])
    used = [
        {"action": one, "params": {}} if isinstance(one, str) else {"action": one[0], "params": one[1]} for one in names
    ]
    return {"id": id, "type": "action", "parent": parent, "side": "right", "risk": risk, "actions": used, **more}


def condition(id: str, *rows: tuple[str, str, list[str]], parent: str = "target", **more: Any) -> dict[str, Any]:
    """A condition node."""
    listed = [{"parameter": name, "operator": how, "values": values} for name, how, values in rows]
    return {"id": id, "type": "condition", "parent": parent, "side": "right", "conditions": listed, **more}


def graph(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A graph that takes every alert, run by hand unless ``trigger`` says otherwise."""
    target = {
        "severities": ["informational", "low", "medium", "high", "critical"],
        "models": [],
        "filter_by_risk": True,
    }
    target |= {"open_incident": None, **more.pop("target", {})}
    trigger = {"type": "manual", "periods": [], "time_zone": "UTC", **more.pop("trigger", {})}
    return {"name": "P", "description": "", "trigger": trigger, "target": target, "nodes": list(nodes), **more}


def publish(document: dict[str, Any], name: str = "", by: User | None = None) -> Playbook:
    """A published, enabled response playbook."""
    title = name or f"Response {next(_numbers)}"
    row = Playbook.objects.create(name=title, kind="response", trigger="webhook", published_by=by, draft=document)
    version = PlaybookVersion.objects.create(
        playbook=row,
        number=1,
        digest=hashlib.sha256(json.dumps(document).encode()).hexdigest(),
        source="",
        definition={**document, "name": title},
    )
    row.current = version
    row.save()
    catalog.bump()
    return row


def alert_of(*observables: tuple[str, str], **fields: Any) -> Alert:
    """An alert on host LT-0042 by account a.voss."""
    host = {"name": "LT-0042", "type": "endpoint", "system": "", "addresses": ["198.51.100.42"], "guid": "g-1"}
    account = {"type": "account", "name": "a.voss"}
    return make_alert(
        observables=observables or (("domain", "evil-one.com"),),
        **{"hostname": "LT-0042", "username": "a.voss", "entities": [host, account], **fields},
    )


def run_now(playbook: Playbook, alert: Alert, actor: Actor | None = None, **more: Any) -> Run:
    """Run by hand and do all that is queued."""
    run = run_by_hand(actor or Actor.system(), playbook, alert=alert.pk, **more)
    work()
    run.refresh_from_db()
    return run


def states(run: Run) -> dict[str, dict[str, Any]]:
    """Of each node that was reached, by its id: its status, how many objects arrived, and how many of its tasks have
    which status; of a condition for how many objects it was true and false."""
    found = {}
    for step in Step.objects.filter(run=run, kind="node"):
        result = step.result or {}
        counts: dict[str, int] = dict(Counter(step.tasks.values_list("status", flat=True)))
        if "true" in result:
            counts = {"true": len(result["true"]), "false": len(result["false"])}
        found[step.name] = {"status": step.status, "arrived": len(result.get("arrived", [])), "counts": counts}
    return found


def tasks_of(run: Run) -> list[tuple[str, str, str]]:
    """(action, target, status) of a run's tasks, in order."""
    rows = ResponseTask.objects.filter(run=run).order_by("position", "pk")
    return [(row.action, row.target_value, row.status) for row in rows]


def only_task(run: Run) -> ResponseTask:
    """The one task of the run."""
    return ResponseTask.objects.get(run=run)


def result_of(run: Run, node: str) -> Any:
    """What is recorded of a node."""
    return run.steps.get(name=node).result


def make_due(**which: Any) -> None:
    """As if the time that tasks wait for had passed; then all that is due is done. What is in a worker's hands stays
    there: its time is its lease."""
    waiting = ResponseTask.objects.filter(status__in=("queued", "in_progress"), lease_owner="", **which)
    waiting.update(due_at=Now())
    tasks.due()
    work()


def silence(task: ResponseTask) -> None:
    """As if the worker of this task had died: its lease has run out."""
    ResponseTask.objects.filter(pk=task.pk).update(lease_until=Now(), due_at=Now())


def vote(approval: Approval, user: User, *, approve: bool = True, task: ResponseTask | None = None) -> None:
    """One person decides, on one task or on all of them."""

    def write() -> None:
        locked = approving.locked(approval.pk)
        assert locked is not None
        wanted: list[ResponseTask | None] = [task] if task else list(locked.tasks.all()) or [None]
        for one in wanted:
            Vote.objects.create(approval=locked, task=one, user=user, approve=approve)
        approving.decide(locked, list(Vote.objects.filter(approval=locked).select_related("user")))

    together(write)
    work()


def queue_rows() -> int:
    """How many doorbells of playbooks wait: not those by which people are told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soar_queue WHERE task LIKE 'playbooks.%'")
        return int(cursor.fetchone()[0])
