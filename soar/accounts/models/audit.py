"""The audit log: who did what to the portal itself."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One row for a login, a change of people, permissions, secrets, sources, playbooks (access.md 7).

    Append-only: a trigger of the database refuses UPDATE, and DELETE outside a purge."""

    at = models.DateTimeField(db_default=models.functions.Now())
    actor_id = models.BigIntegerField(null=True, help_text="Id of the user; no foreign key, the row outlives them")
    actor_name = models.CharField(max_length=200)
    verb = models.CharField(max_length=60, help_text="Dotted kind: user.created, source.token_rotated")
    target = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["verb", "-id"], name="audit_verb")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.target}"
