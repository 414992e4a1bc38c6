"""A grant on many things at once, made by a worker."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models

from soar.accounts.models.grant import REASON_AT_MOST


class GrantJob(models.Model):
    """One level for one person or group on the things of a kind that are named in ``things``, by id (access.md 5).

    ``position`` is how many are dealt with; each is one transaction with its place, so that a worker that dies is
    followed by one that goes on. The rights are those of ``user`` at that moment, within ``scopes`` of the token that
    asked (null: all)."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        SUCCESSFUL = "successful"
        PARTIALLY_SUCCESSFUL = "partially_successful"
        UNSUCCESSFUL = "unsuccessful"
        CANCELLED = "cancelled"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scopes = ArrayField(models.CharField(max_length=50), null=True)
    kind = models.CharField(max_length=20, help_text="A name of settings.GRANTABLE")
    things = ArrayField(models.BigIntegerField())
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    to_group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    level = models.CharField(max_length=20)
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=REASON_AT_MOST, blank=True, default="")
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0, help_text="Had this grant already")
    refused_count = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list, help_text="[{thing, message}], the first thousand")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["user", "-id"], name="grant_job_user")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_user__isnull=True) ^ models.Q(to_group__isnull=True), name="grant_job_one_holder"
            )
        ]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.level} on {len(self.things)} of {self.kind}"

    @property
    def total(self) -> int:
        """How many things are meant."""
        return len(self.things)
