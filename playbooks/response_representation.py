"""Approvals and response tasks in JSON (rulings 27)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from playbooks.models import Approval, ResponseTask, Vote
from playbooks.response_words import label_of
from soar.lib.clock import iso


def approval_dict(approval: Approval, tasks: Sequence[ResponseTask], votes: Sequence[Vote]) -> dict[str, Any]:
    """An approval with its tasks and what was said to them."""
    return {
        "id": approval.pk,
        "number": f"AP-{approval.pk}",
        "url": f"{settings.SOAR_URL}/approvals/{approval.pk}/",
        "title": approval.title,
        "question": approval.question,
        "reason": approval.reason,
        "status": approval.status,
        "needed": approval.needed,
        "run": approval.run_id,
        "playbook": approval.run.playbook.name if approval.run else None,
        "alert": f"ALR-{approval.alert_id}" if approval.alert_id else None,
        "incident": f"INC-{approval.incident_id}" if approval.incident_id else None,
        "requested_by": approval.requested_by.username if approval.requested_by else None,
        "created_at": iso(approval.created_at),
        "expires_at": iso(approval.expires_at),
        "decided_at": _time(approval.decided_at),
        "tasks": [task_dict(task) for task in tasks],
        "votes": [_vote(vote) for vote in votes],
    }


def task_dict(task: ResponseTask) -> dict[str, Any]:
    """A response task. Neither request nor answer: those are in ``task_detail``."""
    return {
        "id": task.pk,
        "url": f"{settings.SOAR_URL}/responses/{task.pk}/",
        "run": task.run_id,
        "node": task.node or None,
        "alert": f"ALR-{task.alert_id}" if task.alert_id else None,
        "incident": f"INC-{task.incident_id}" if task.incident_id else None,
        "action": task.action,
        "label": label_of(task.action, task.capability),
        "target": {"kind": task.target_kind, "value": task.target_value},
        "risk": task.risk or None,
        "params": {name: value for name, value in task.params.items() if name != "undoes"},
        "connector": task.account.name if task.account else None,
        "status": task.status,
        "reason": task.reason,
        "message": task.message,
        "remote": task.remote,
        "attempts": task.attempts,
        "approval": task.approval_id,
        "inverse_of": task.inverse_of_id,
        "origin": task.origin,
        "created_by": task.created_by.username if task.created_by else None,
        "dry_run": task.dry_run,
        "cause": str(task.cause),
        "created_at": iso(task.created_at),
        "started_at": _time(task.started_at),
        "finished_at": _time(task.finished_at),
        "deadline_at": _time(task.deadline_at),
    }


def task_detail(task: ResponseTask) -> dict[str, Any]:
    """A response task with the object, the request that was sent, the answer, and what came of it."""
    shown = {name: task.target.get(name) for name in ("type", "facts", "asset", "rule", "evidence")}
    return {
        **task_dict(task),
        "object": shown,
        "request": task.request,
        "answer": task.answer,
        "data": {name: value for name, value in task.data.items() if name != "minutes"},
        "has_secret": bool(task.secret),
        "decision": task.decision,
    }


def _vote(vote: Vote) -> dict[str, Any]:
    return {
        "task": vote.task_id,
        "user": vote.user.username,
        "approve": vote.approve,
        "comment": vote.comment,
        "at": iso(vote.at),
    }


def _time(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None
