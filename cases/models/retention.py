"""How long things are kept, and what is kept whatever the rules say (access.md 9)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cases.models.incident import Incident
from cases.models.source import AlertSource


class LegalHold(models.Model):
    """An incident that nothing deletes: no rule, no person, nothing of its alerts, payloads and evidence. The database
    refuses it as well. A lifted hold stays as a row."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="holds")
    reason = models.TextField()
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["incident"], condition=models.Q(lifted_at=None), name="hold_one_active"),
        ]

    def __str__(self) -> str:
        return f"legal hold on INC-{self.incident_id}"


class RetentionRule(models.Model):
    """Deletes ``what`` is older than ``days`` and fits: severities (numbers; empty: all) and source (None: all).

    ``what`` is one of cases.retention.KINDS, plain text. A rule that is off does nothing. ``position`` is the last key
    that the pass under way has looked at; a pass goes on where it was stopped."""

    what = models.CharField(max_length=20)
    days = models.PositiveIntegerField()
    severities = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    enabled = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    position = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True, help_text="When the pass under way began")
    finished_at = models.DateTimeField(null=True, help_text="When the last pass ended")
    deleted_now = models.BigIntegerField(default=0, help_text="By the pass under way, or by the last one")
    deleted = models.BigIntegerField(default=0, help_text="In all")
    error = models.TextField(blank=True, help_text="What the last pass could not delete, and why")

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(days__gt=0), name="retention_days")]

    def __str__(self) -> str:
        return f"rule {self.pk}: {self.what} after {self.days} days"
