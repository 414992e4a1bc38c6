"""The audit log: who did what to the portal itself."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper


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
    request = models.CharField(max_length=64, db_default="", blank=True, help_text="Id of the request, as in the log")
    via = models.CharField(max_length=120, db_default="", blank=True, help_text="Name of the API token that was used")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["verb", "-id"], name="audit_verb"),
            models.Index(fields=["actor_id", "-id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),
            # Upper, because that is what Django makes of icontains.
            GinIndex(OpClass(Upper("target"), "gin_trgm_ops"), name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.target}"


class AuditStream(models.Model):
    """A receiver that the log is sent to as it grows: ``file`` or ``syslog`` (soar.accounts.audit_stream).

    From the moment its row is there, the database itself notes each new entry as unsent for it."""

    name = models.CharField(max_length=20, unique=True)
    sent_at = models.DateTimeField(null=True, help_text="When it last took something")
    failing_since = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, db_default="", blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class AuditUnsent(models.Model):
    """An entry that a receiver has not taken yet."""

    stream = models.ForeignKey(AuditStream, on_delete=models.CASCADE, db_index=False)
    entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="unsent")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["stream", "entry"], name="audit_unsent_once")]

    def __str__(self) -> str:
        return f"{self.entry_id} for {self.stream_id}"
