"""One call to another product, written down before it is made (connectors.md 3)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from soar.connectors.models.account import ConnectorAccount


class Attempt(models.Model):
    """Request and answer without secrets. One that stays ``in_progress`` was cut off: its outcome is unknown.

    ``status``: in_progress, successful, unsuccessful (surely without effect or refused), unknown_outcome.
    """

    account = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE, related_name="attempts")
    operation = models.CharField(max_length=100)
    idempotency_key = models.CharField(max_length=200, blank=True)
    request = models.JSONField(default=dict)
    response = models.JSONField(null=True)
    status = models.CharField(max_length=30, default="in_progress")
    error = models.TextField(blank=True)
    permanent = models.BooleanField(null=True)
    cause = models.UUIDField(null=True)
    thread = models.CharField(max_length=200, blank=True, help_text="Of a mail: what it is about")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["account", "-started_at"], name="attempt_account"),
            models.Index(fields=["cause"], name="attempt_cause", condition=models.Q(cause__isnull=False)),
            models.Index(fields=["account", "thread"], name="attempt_thread", condition=~models.Q(thread="")),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.status}"
