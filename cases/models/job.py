"""Work on many alerts that goes on after its request was answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

UNDO_FOR = timedelta(hours=24)


class BulkJob(models.Model):
    """One verb on many alerts, with its progress (contract: ``POST /alerts/bulk/``).

    The alerts are given by id (``alerts``) or by ``query``, a filter's query string as it was meant at ``created_at``
    in ``time_zone``; then alerts behind ``cut_off``, an id, are not touched, nor those that do not match any more when
    their turn comes (``skipped``). ``position`` is how many are dealt with. A worker that dies is followed by one that
    goes on with the batches that are not done. ``scopes`` are those of the token that asked; null is all that the user
    may. ``undo_of``: it puts back what that job changed."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        SUCCESSFUL = "successful"
        PARTIALLY_SUCCESSFUL = "partially_successful"
        UNSUCCESSFUL = "unsuccessful"
        CANCELLED = "cancelled"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scopes = ArrayField(models.CharField(max_length=50), null=True)
    action = models.CharField(max_length=20)
    fields = models.JSONField(default=dict)
    alerts = ArrayField(models.BigIntegerField(), default=list)
    query = models.TextField(null=True)
    cut_off = models.BigIntegerField(null=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    total = models.PositiveIntegerField(default=0, help_text="Alerts meant; of a filter counted when the work begins")
    collected_at = models.DateTimeField(null=True, help_text="The alerts stand in batches since then")
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0, help_text="Alerts whose former values are kept for an undo")
    refused_count = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list, help_text="[{number, message}], the first thousand")
    incident = models.CharField(max_length=24, blank=True, help_text="Number of the incident linked to or opened")
    undo_of = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="undone_by")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["user", "-id"], name="bulk_job_user")]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.action} on {self.total} alerts"

    @property
    def undo_until(self) -> datetime | None:
        """Until when it can be undone, if it changed anything that can be."""
        return self.finished_at + UNDO_FOR if self.finished_at and self.changed and self.undo_of_id is None else None


class BulkBatch(models.Model):
    """Some hundred alerts of a job, dealt with in one transaction. ``before`` is what an undo needs, by alert id:
    ``{"entry", "version", "was": {field: value}, "now": {field: value}}``; kept for a day."""

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField()
    alerts = ArrayField(models.BigIntegerField())
    before = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="bulk_batch_unique")]

    def __str__(self) -> str:
        return f"batch {self.number} of job {self.job_id}"
