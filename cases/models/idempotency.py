"""Answers kept for clients that retry."""

from __future__ import annotations

from django.db import models


class IdempotencyKey(models.Model):
    """The answer given for an ``Idempotency-Key``: 24 h per token, same answer; another body under the
    same key is 409 (rulings 16). ``holder`` is ``source:<id>`` or ``token:<id>`` or ``user:<id>``."""

    holder = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    body_digest = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True, help_text="Null while the first request is under way")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now(), db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["holder", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.holder} {self.key}"
