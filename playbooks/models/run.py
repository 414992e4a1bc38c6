"""Runs and their recorded steps. These rows are the truth; the queue is only a doorbell."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models import Alert, Incident
from playbooks.choices import OPEN, RunStatus, StartedBy, StepStatus
from playbooks.models.acting import ActingUser
from playbooks.models.playbook import Playbook, PlaybookVersion
from playbooks.querysets import RunQuerySet


class Sequence(models.Model):
    """All playbooks that matched one timeline entry, one after another (python-playbooks.md 3).

    ``entry_id`` is the timeline entry: unique, so that a doorbell that rings twice starts nothing twice."""

    entry_id = models.BigIntegerField(null=True)
    trigger = models.CharField(max_length=20)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    total = models.PositiveIntegerField()
    cause = models.UUIDField()
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["entry_id"], name="sequence_entry_once")]

    def __str__(self) -> str:
        return f"sequence {self.pk}"


class Run(models.Model):
    """One run of one playbook. ``lease_owner`` may work on it until ``lease_until``; then anybody may take it over.

    ``input`` holds what could change of the alert, as it was at the start: a run that begins again after a
    crash must see the same and go the same way."""

    playbook = models.ForeignKey(Playbook, on_delete=models.PROTECT, related_name="runs", db_index=False)
    version = models.ForeignKey(PlaybookVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, null=True, related_name="runs", db_index=False)
    position = models.PositiveIntegerField(default=1)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="runs", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="runs", db_index=False)
    status = models.CharField(max_length=24, choices=RunStatus.choices, default=RunStatus.QUEUED)
    trigger = models.CharField(max_length=12, choices=StartedBy.choices)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    acting_user = ActingUser(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Whose rights count (rulings 8); empty: the code itself is trusted",
    )
    scopes = ArrayField(models.CharField(max_length=50), null=True, help_text="Of the token that asked; null: all")
    dry_run = models.BooleanField(default=False)
    depth = models.PositiveSmallIntegerField(default=0, help_text="How many runs led to this one")
    queued_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    input = models.JSONField(null=True)
    cause = models.UUIDField()
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True, help_text="When a worker was last told of it")
    attempts = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    # Of response playbooks alone.
    entry_id = models.BigIntegerField(null=True, help_text="The timeline entry that started it")
    targets = models.JSONField(null=True, help_text="The objects, with ratings and evidence (playbooks/response)")
    opened_incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    report = models.JSONField(null=True, help_text="What the run tells at its end (response-playbooks.md 24)")

    withheld = False  # set where the values of its record were kept from a reader (playbooks/disclosure.py)

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "position"], name="run_position_once", condition=Q(sequence__isnull=False)
            ),
            models.CheckConstraint(condition=Q(alert=None) | Q(incident=None), name="run_one_subject"),
            # A doorbell that rings twice starts nothing twice.
            models.UniqueConstraint(
                fields=["entry_id", "playbook"], name="run_entry_once", condition=Q(entry_id__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="run_open", condition=Q(status__in=OPEN)),
            models.Index(fields=["alert", "-id"], name="run_alert", condition=Q(alert__isnull=False)),
            models.Index(fields=["incident", "-id"], name="run_incident", condition=Q(incident__isnull=False)),
            models.Index(fields=["playbook", "-id"], name="run_playbook"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def state(self) -> RunStatus:
        """The status with its label and tone."""
        return RunStatus(self.status)


class Step(models.Model):
    """One recorded call. (run, name, key) is what a replay finds it by (python-playbooks.md 5).

    Of a response playbook: one node that was reached (kind ``node``, ``name`` the node's id, ``key`` its type), or the
    rating of the objects (kind ``rating``); ``result`` says what arrived and where it went (playbooks/response).

    ``arguments`` are masked and for people; ``arguments_digest`` is of the real ones. ``stale``: the changed
    code no longer makes this call."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    position = models.PositiveIntegerField(help_text="In the order in which the calls were made")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=500)
    kind = models.CharField(max_length=10, help_text="action, helper, node, rating")
    arguments = models.JSONField(default=dict)
    arguments_digest = models.CharField(max_length=32)
    status = models.CharField(max_length=24, choices=StepStatus.choices)
    attempts = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    idempotent = models.BooleanField(default=False)
    timeout = models.FloatField(default=30)
    idempotency_key = models.UUIDField(default=uuid.uuid4)
    decision = models.JSONField(null=True, help_text="What a person decided: outcome, by, comment, at")
    stale = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "name", "key"], name="step_call_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.key}"

    @property
    def state(self) -> StepStatus:
        """The status with its label and tone."""
        return StepStatus(self.status)


class ScheduleSlot(models.Model):
    """That a scheduled playbook was started for this moment: unique, however many schedulers there are."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["playbook", "at"], name="schedule_slot_once")]

    def __str__(self) -> str:
        return f"{self.playbook_id} at {self.at:%Y-%m-%d %H:%M}"
