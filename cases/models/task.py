"""What is to be done in an incident."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from cases import search_words
from cases.choices import TaskStatus
from cases.models.incident import Incident
from cases.querysets import TaskQuerySet

OPEN = models.Q(status=TaskStatus.OPEN)
TASKS_AT_MOST = 200


class IncidentTask(models.Model):
    """One line of an incident's checklist (casework.md 10). Whoever sees the incident sees its tasks.

    ``position`` counts from 1 without gaps within the incident; the incident's row lock guards it.
    ``version`` goes up with every change: it is the ETag and finds stale forms."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, help_text="Markdown")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="tasks", db_index=False
    )
    due_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField()
    required = models.BooleanField(default=False, help_text="The incident cannot be resolved while this is open")
    status = models.SmallIntegerField(choices=TaskStatus.choices, default=TaskStatus.OPEN)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    done_by_name = models.CharField(max_length=200, blank=True, help_text="A person, or a playbook")
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[TaskQuerySet] = TaskQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=TaskStatus.OPEN, done_at=None)
                | models.Q(status=TaskStatus.DONE, done_at__isnull=False),
                name="task_done_has_a_time",
            ),
        ]
        indexes = [
            search_words.index(search_words.TASK, "task_words"),
            models.Index(fields=["incident", "position"], name="task_incident"),
            models.Index(fields=["assignee", "due_at"], name="task_open_assignee", condition=OPEN),
            models.Index(fields=["assignee", "-id"], name="task_assignee", condition=models.Q(assignee__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Still to be done."""
        return self.status == TaskStatus.OPEN
