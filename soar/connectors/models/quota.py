"""What a product says is left of the day's sandbox submissions."""

from __future__ import annotations

from django.db import models

from soar.connectors.models.account import ConnectorAccount


class SandboxQuota(models.Model):
    """The last figure that the product of an account told, and when."""

    account = models.OneToOneField(ConnectorAccount, on_delete=models.CASCADE, related_name="sandbox_quota")
    remaining = models.PositiveIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.remaining} of {self.account_id}"
