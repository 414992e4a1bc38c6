"""Work on many alerts that goes on after its request was answered."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class BulkJob(models.Model):
    """One verb on many alerts, with its progress (contract: ``POST /alerts/bulk/``).

    ``position`` is how many of ``alerts`` are dealt with: a worker that dies is followed by one that goes on there.
    ``scopes`` are those of the token that asked; null is all that the user may."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        SUCCESSFUL = "successful"
        PARTIALLY_SUCCESSFUL = "partially_successful"
        UNSUCCESSFUL = "unsuccessful"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scopes = ArrayField(models.CharField(max_length=50), null=True)
    action = models.CharField(max_length=20)
    fields = models.JSONField(default=dict)
    alerts = ArrayField(models.BigIntegerField())
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list, help_text="[{number, message}], the first thousand")
    incident = models.CharField(max_length=24, blank=True, help_text="Number of the incident linked to or opened")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"job {self.pk}: {self.action} on {len(self.alerts)} alerts"
