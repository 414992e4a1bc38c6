"""Mail messages as they came, kept beside the alerts that were made of them."""

from __future__ import annotations

from django.db import models

from cases.models.alert import Alert


class AlertMessage(models.Model):
    """A message in whole, byte by byte: nothing that was read from it is needed to have it. Each once for an alert.

    It becomes evidence of the incident that the alert is linked to, with the files in it (casework.md 12)."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="messages", db_index=False)
    content = models.BinaryField()
    size = models.BigIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["alert", "sha256"], name="alert_message_once")]

    def __str__(self) -> str:
        return f"message of ALR-{self.alert_id}"
