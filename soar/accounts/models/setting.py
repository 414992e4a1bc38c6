"""What admins set in the portal itself, for all people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Setting(models.Model):
    """One setting that differs from its default; what there is to set is told by soar/accounts/portal.py."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
