"""Access tokens that products gave for an account's secrets, so that all processes use the same one."""

from __future__ import annotations

from django.db import models

from soar.connectors.models.account import ConnectorAccount
from soar.lib.crypto import EncryptedTextField


class AccessToken(models.Model):
    """The OAuth tokens of an account. ``fingerprint``: of the settings and secrets they were given for; when those
    change, they are worth nothing. ``refresh_token``: the newest, which may have taken the place of the account's."""

    account = models.OneToOneField(ConnectorAccount, on_delete=models.CASCADE, related_name="access")
    fingerprint = models.CharField(max_length=64)
    token = EncryptedTextField()
    refresh_token = EncryptedTextField(default="", blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"token of {self.account_id}"
