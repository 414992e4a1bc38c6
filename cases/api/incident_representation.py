"""How what belongs to an incident reads in JSON: its tasks and its evidence. Calls and exports share it."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from cases.choices import TaskStatus
from cases.models import Evidence, IncidentTask
from soar.lib.clock import iso


def task_dict(task: IncidentTask) -> dict[str, Any]:
    """A task in JSON."""
    return {
        "id": task.pk,
        "incident": f"INC-{task.incident_id}",
        "url": f"{settings.SOAR_URL}/incidents/INC-{task.incident_id}/#task-{task.pk}",
        "title": task.title,
        "description": task.description,
        "status": TaskStatus(task.status).word,
        "required": task.required,
        "assignee": task.assignee.username if task.assignee else None,
        "due_at": iso(task.due_at),
        "position": task.position,
        "done_by": task.done_by_name or None,
        "done_at": iso(task.done_at),
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
        "version": task.version,
    }


def evidence_dict(piece: Evidence) -> dict[str, Any]:
    """A piece in JSON."""
    removed = piece.is_removed
    return {
        "id": piece.pk,
        "incident": f"INC-{piece.incident_id}",
        "url": f"{settings.SOAR_URL}/evidence/{piece.pk}/",
        "file": None if removed else f"{settings.SOAR_URL}/api/v1/evidence/{piece.pk}/file/",
        "name": piece.name,
        "description": piece.description,
        "tlp": piece.tlp,
        "size": piece.size,
        "content_type": piece.content_type,
        "md5": piece.md5,
        "sha1": piece.sha1,
        "sha256": piece.sha256,
        "added_by": piece.added_by_name,
        "added_at": iso(piece.added_at),
        "updated_at": iso(piece.updated_at),
        "removed_by": piece.removed_by_name or None,
        "removed_at": iso(piece.removed_at),
        "remove_reason": piece.remove_reason,
        "version": piece.version,
    }
