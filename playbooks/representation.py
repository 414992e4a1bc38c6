"""Playbooks and runs as JSON (contract.md, rulings 27). The API and the command line share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playbooks import script_pins
from playbooks.graph.schema import read
from playbooks.jsonable import mask
from playbooks.models import Playbook, ResponseTask, Run, Step
from playbooks.publishers import warnings
from playbooks.response_representation import task_dict
from soar.lib.clock import iso


def playbook_dict(playbook: Playbook) -> dict[str, Any]:
    """A playbook. ``state`` is empty if it can run, else the sentence why it does not."""
    return {
        "id": playbook.pk,
        "name": playbook.name,
        "kind": playbook.kind,
        "description": playbook.description,
        "trigger": playbook.trigger,
        "conditions": playbook.conditions,
        "order": playbook.order,
        "cron": playbook.cron,
        "on_failure": playbook.on_failure,
        "enabled": playbook.enabled,
        "state": playbook.hindrance,
        "deactivated_reason": playbook.deactivated_reason,
        "minutes_saved": playbook.minutes_saved,
        "module": playbook.module,
        "load_error": playbook.load_error,
        "modified_at": iso(playbook.modified_at),
        "modified_by": playbook.modified_by.username if playbook.modified_by else None,
        "published_by": playbook.published_by.username if playbook.published_by else None,
        "version": playbook.current.number if playbook.current else None,
        "draft_number": playbook.draft_number if playbook.kind == "response" else None,
        "archived": playbook.kind == "response" and not playbook.present,
    }


def whole_playbook(playbook: Playbook) -> dict[str, Any]:
    """A playbook with its draft (``graph``, rulings 13) and whether that is what runs; null for a Python playbook.
    ``warnings``: what an automatic run of the published version would fail at for want of its publisher's rights, and
    scripts that are not what they were when it was published."""
    current = playbook.current
    published = current is not None and current.definition == playbook.draft
    drawn = playbook.kind == "response"
    more = {
        "graph": playbook.draft,
        "published": published if drawn else None,
        "warnings": warnings(playbook) + _scripts(playbook),
    }
    return {**playbook_dict(playbook), **more}


def _scripts(playbook: Playbook) -> list[str]:
    graph = read(playbook.current.definition)[0] if playbook.current and playbook.current.scripts else None
    return [one.message for one in script_pins.problems(playbook.current, graph)] if graph else []


def run_dict(run: Run, steps: list[Step] | None = None, tasks: Sequence[ResponseTask] = ()) -> dict[str, Any]:
    """A run; with ``steps`` when given (the list of runs leaves them out), and of a response playbook with its
    response tasks, its rated objects and its report."""
    body = {
        "id": run.pk,
        "playbook": {
            "id": run.playbook_id,
            "name": run.playbook.name,
            "kind": run.playbook.kind,
            "version": run.version.number if run.version else None,
        },
        "alert": f"ALR-{run.alert_id}" if run.alert_id else None,
        "incident": f"INC-{run.incident_id}" if run.incident_id else None,
        "status": run.status,
        "trigger": run.trigger,
        "started_by": run.started_by.username if run.started_by else None,
        "dry_run": run.dry_run,
        "queued_at": iso(run.queued_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "sequence": _sequence(run),
        "cause": str(run.cause),
        "result": mask(run.result),
        "error": run.error,
        "withheld": run.withheld,
    }
    if steps is None:
        return body
    whole = {"tasks": [task_dict(task) for task in tasks], "objects": run.targets or [], "report": run.report}
    return {**body, "steps": [step_dict(step) for step in steps], **whole}


def _sequence(run: Run) -> dict[str, Any] | None:
    if run.sequence is None:
        return None
    return {"id": run.sequence_id, "position": run.position, "total": run.sequence.total}


def step_dict(step: Step) -> dict[str, Any]:
    """A recorded call; secrets masked in arguments and result."""
    return {
        "id": step.pk,
        "position": step.position,
        "parent": step.parent_id,
        "name": step.name,
        "key": step.key,
        "kind": step.kind,
        "status": step.status,
        "arguments": step.arguments,
        "result": mask(step.result),
        "error": step.error,
        "attempts": step.attempts,
        "idempotent": step.idempotent,
        "started_at": iso(step.started_at),
        "finished_at": iso(step.finished_at),
        "decision": step.decision,
    }
