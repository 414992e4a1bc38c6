"""What an analyst said of a suggestion."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DismissedSuggestion(models.Model):
    """*Not related*, remembered (casework.md 8): the key names the shared value that made the suggestion."""

    key = models.CharField(max_length=64)
    value = models.CharField(max_length=300)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    last_alert_id = models.BigIntegerField(help_text="Newer alerts with the same value make a new suggestion")
    dismissed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key"], name="dismissed_suggestion_once")]

    def __str__(self) -> str:
        return self.value
