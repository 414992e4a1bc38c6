"""The keys that sign exports (rulings 14)."""

from __future__ import annotations

from django.db import models

from soar.lib.crypto import EncryptedTextField


class SigningKey(models.Model):
    """An Ed25519 key pair. One is in use; those before it keep their public half, so that what they signed can still
    be checked. The private half (32 bytes in hex) is encrypted at rest and goes when the key is replaced."""

    key_id = models.CharField(max_length=16, help_text="The first 16 hex digits of the SHA-256 of the public key")
    public_key = models.CharField(max_length=64, help_text="32 bytes in hex")
    private_key = EncryptedTextField(null=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    retired_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True, help_text="Signs")

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["active"], condition=models.Q(active=True), name="signing_key_one_active"),
            models.CheckConstraint(
                condition=models.Q(active=True) | models.Q(private_key__isnull=True),
                name="signing_key_retired_cannot_sign",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id
