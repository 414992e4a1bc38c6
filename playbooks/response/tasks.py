"""Rows of response tasks: made, claimed with a lease, put off, settled. The same for playbooks and by hand (17b).

A task is due by ``due_at`` whatever it waits for: its first call, another try, the next question to the product, or
the end of a silent worker's lease. So one index finds all work, and a task that waits costs nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from cases.models import Alert, Incident
from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS
from playbooks.models import Approval, ResponseTask, Run, Step
from playbooks.response.task_rows import insert
from soar.accounts.models import User
from soar.connectors import attempts
from soar.connectors.models import ConnectorAccount
from soar.lib import rows
from soar.lib.database import UNHURRIED, prepared
from soar.lib.queue import enqueue_many

PERFORM_TASK = "playbooks.tasks.perform"
DEADLINE = timedelta(minutes=30)
# Whatever the next commit is, a call's attempt or the task's end, it waits for this one too.
_CLAIM = f"""
WITH next AS (
    SELECT id, phase, lease_owner FROM playbooks_responsetask
    WHERE status IN ('queued', 'in_progress') AND due_at <= clock_timestamp()
        AND (account_id IS NULL OR NOT account_id = ANY(%(busy)s::bigint[])) {{only}}
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
), task AS (
    UPDATE playbooks_responsetask task SET status = 'in_progress', lease_owner = %(owner)s,
        lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        due_at = clock_timestamp() + %(lease)s * interval '1 second',
        attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp()),
        phase = CASE WHEN task.phase = '' THEN 'sent' ELSE task.phase END, version = version + 1,
        updated_at = clock_timestamp()
    FROM next WHERE task.id = next.id RETURNING task.*, next.phase AS was, next.lease_owner AS former
)
SELECT {UNHURRIED}, was, former, {rows.columns(ResponseTask, "task")}, {rows.columns(ConnectorAccount, "account")}
FROM task LEFT JOIN connectors_connectoraccount account ON account.id = task.account_id"""  # noqa: S608  our own names
LOCK_HELD = """
SELECT FROM playbooks_responsetask
WHERE id = %(held_task)s AND lease_owner = %(held_by)s AND status = 'in_progress' FOR NO KEY UPDATE"""
# For the first call that acts: and only while the never-touch list has nothing new.
LOCK_AS_LISTED = f"""{LOCK_HELD.removesuffix(" FOR NO KEY UPDATE")}
    AND NOT EXISTS (SELECT FROM playbooks_nevertouch WHERE id <> ALL(%(held_rules)s::bigint[])) FOR NO KEY UPDATE"""
CLAIM = _CLAIM.format(only="")
CLAIM_THIS = _CLAIM.format(only="AND id = %(task)s")
_ENDS_AT = 3 + rows.width(ResponseTask)


class LostLease(Exception):
    """Another worker has the task, or a person decided: nothing more is written of it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task that this process may work on as ``owner``. ``phase``: how far it was before (ResponseTask.phase);
    ``lost``: its former worker fell silent in the middle."""

    task: ResponseTask
    owner: str
    phase: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ended. ``status``: successful, unsuccessful, rejected, cancelled, no_action or unknown_outcome.

    ``reason``: why it was not done; ``message``: what the product said. ``found``: objects for the next node, as
    ``{"kind", "value", "facts"}`` (rulings 12)."""

    status: str
    reason: str = ""
    message: str = ""
    remote: str = ""
    request: Any = None
    answer: Any = None
    data: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict)
    found: Sequence[Mapping[str, Any]] = ()


def draft(
    *,
    action: str,
    cause: uuid.UUID,
    target: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    run: Run | None = None,
    step: Step | None = None,
    alert: Alert | None = None,
    incident: Incident | None = None,
    node: str = "",
    position: int = 0,
    account: ConnectorAccount | None = None,
    status: str = TaskStatus.QUEUED,
    reason: str = "",
    approval: Approval | None = None,
    inverse_of: ResponseTask | None = None,
    origin: str = "playbook",
    created_by: User | None = None,
    acting_user: User | None = None,
    deadline: timedelta = DEADLINE,
    dry_run: bool = False,
) -> ResponseTask:
    """A task that is not saved yet. ``target``: the object as in ``run.targets`` (``{"kind", "value", "facts"}`` at
    least), None for what acts on the case or sends a message. ``action``: of ``graph.actions.ACTIONS``, or the name of
    a capability (an inverse)."""
    spec = ACTIONS.get(action)
    given = dict(target or {})
    return ResponseTask(
        run=run,
        step=step,
        alert=alert,
        incident=incident,
        node=node,
        position=position,
        action=action,
        capability=spec.capability if spec else action,
        target_kind=given.get("kind", ""),
        target_value=given.get("value", ""),
        target=given,
        risk=given.get("risk", ""),
        params=dict(params or {}),
        account=account,
        status=status,
        reason=reason,
        approval=approval,
        inverse_of=inverse_of,
        origin=origin,
        created_by=created_by,
        acting_user=acting_user,
        cause=cause,
        data={"minutes": deadline.total_seconds() / 60},
        dry_run=dry_run,
    )


def another(first: ResponseTask, *, target: Mapping[str, Any] | None, **values: Any) -> ResponseTask:
    """A draft as ``first`` for another object; ``values`` of columns that differ besides. A node may have hundreds."""
    given = dict(target or {})
    about = {"target": given, "target_kind": given.get("kind", ""), "target_value": given.get("value", "")}
    own = {"risk": given.get("risk", ""), "data": dict(first.data), "idempotency_key": uuid.uuid4()}
    return rows.like(first, **about, **own, **values)


def create(tasks: Iterable[ResponseTask]) -> list[ResponseTask]:
    """Save drafts in one statement, and ring the workers if any of them is queued. In a transaction of the caller."""
    drafts = list(tasks)
    if drafts:
        insert(drafts)
    ring(sum(task.status == TaskStatus.QUEUED for task in drafts))
    return drafts


def ring(count: int) -> None:
    """Tell the workers that so many tasks are due, in the caller's transaction."""
    enqueue_many((PERFORM_TASK, ()) for _ in range(min(count, settings.TASK_WORKERS)))


def release(tasks: Iterable[int]) -> int:
    """Queue tasks that waited for an approval, or that are to be done again; their deadline begins now."""
    found = list(ResponseTask.objects.filter(pk__in=list(tasks)).only("pk", "data"))
    for row in found:
        minutes = float(row.data.get("minutes") or DEADLINE.total_seconds() / 60)
        ResponseTask.objects.filter(pk=row.pk).update(
            status=TaskStatus.QUEUED,
            due_at=Now(),
            deadline_at=Now() + timedelta(minutes=minutes),
            finished_at=None,
            lease_owner="",
            lease_until=None,
            version=F("version") + 1,
            updated_at=Now(),
        )
    ring(len(found))
    return len(found)


def claim(owner: str, *, task: int | None = None, busy: Sequence[int] = ()) -> Claimed | None:
    """Take the task that has been due for longest (or this one, if it is due), committed when it returns.

    ``busy``: accounts of which this process has enough calls under way. None if there is nothing to be had."""
    values = {"owner": owner, "lease": settings.LEASE_SECONDS, "busy": list(busy), "task": task}
    with prepared() as cursor:
        row = cursor.execute(CLAIM if task is None else CLAIM_THIS, values, prepare=True).fetchone()
    if row is None:
        return None
    found = rows.made(ResponseTask, row[3:_ENDS_AT])
    if found.account_id is not None:
        found.account = rows.made(ConnectorAccount, row[_ENDS_AT:])
    return Claimed(found, owner, row[1], lost=bool(row[2]))


def hold(held: Claimed, rules: Sequence[int] | None = None) -> attempts.Hold:
    """What calls of the task need: that it is still ours, and for the first that acts, that the never-touch list has no
    rules but these (their ids)."""
    values: dict[str, Any] = {"held_task": held.task.pk, "held_by": held.owner}
    if rules is None:
        return attempts.Hold(LOCK_HELD, values)
    return attempts.Hold(LOCK_HELD, values | {"held_rules": list(rules)}, first=LOCK_AS_LISTED)


def renew(held: Iterable[Claimed]) -> set[int]:
    """Prolong the leases. Returns the ids of the tasks that are still ours."""
    owners = [one.owner for one in held]
    until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    ours = ResponseTask.objects.filter(lease_owner__in=owners, status=TaskStatus.IN_PROGRESS)
    ours.update(lease_until=until, due_at=until)
    return set(ours.values_list("pk", flat=True))


def put_off(held: Claimed, seconds: float, *, status: str, phase: str, **values: Any) -> None:
    """Let the task go and try or ask again after ``seconds``, at the deadline at the latest. Raises LostLease."""
    _write(held, {**values, "status": status, "phase": phase}, due=seconds)


def wait_for(held: Claimed, approval: Approval, why: str, data: Mapping[str, Any]) -> None:
    """Let the task go until people have decided on it; nobody looks at it before. Raises LostLease."""
    given = {"approval_id": approval.pk, "reason": why, "data": dict(data)}
    _write(held, {**given, "status": TaskStatus.PENDING_APPROVAL.value, "phase": ""})
    held.task.approval = approval


def end(held: Claimed, ending: Ending) -> None:
    """The row alone, in a transaction of the caller, who then goes on with the run. Raises LostLease."""
    final = TaskStatus(ending.status).is_final
    kept = {name: value for name in ("remote", "message") if (value := getattr(ending, name))}
    kept |= {name: value for name in ("request", "answer") if (value := getattr(ending, name)) is not None}
    if ending.secret:
        kept["secret"] = ending.secret
    data = {**held.task.data, **ending.data}
    if ending.found:
        data["found"] = [dict(one) for one in ending.found]
    values = {"status": ending.status, "reason": ending.reason[:5000], "phase": "", "data": data, **kept}
    _write(held, values, final=final)


def _write(held: Claimed, values: dict[str, Any], *, due: float | None = None, final: bool = False) -> None:
    """Write what became of a task that is still ours; afterwards it is nobody's. ``due``: seconds until it is looked at
    again, at the deadline at the latest."""
    statement = _written(tuple(sorted(values)), final=final)
    told = {"pk": held.task.pk, "owner": held.owner, "due": due, **rows.given(ResponseTask, values)}
    with prepared() as cursor:
        if cursor.execute(statement, told, prepare=True).rowcount != 1:
            raise LostLease
    for name, value in {**values, "lease_owner": "", "lease_until": None}.items():
        setattr(held.task, name, value)


@cache
def _written(names: tuple[str, ...], *, final: bool) -> str:
    return f"""
UPDATE playbooks_responsetask SET version = version + 1, updated_at = statement_timestamp(), lease_owner = '',
    lease_until = NULL, due_at = CASE WHEN %(due)s::float8 IS NOT NULL
        THEN least(statement_timestamp() + %(due)s::float8 * interval '1 second', deadline_at) END,
    finished_at = {"statement_timestamp()" if final else "NULL"}, {rows.assigned(ResponseTask, names)}
WHERE id = %(pk)s AND lease_owner = %(owner)s AND status = 'in_progress'"""  # noqa: S608  our own names
