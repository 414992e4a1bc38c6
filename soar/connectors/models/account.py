"""One account of another product: where it is, how to sign in, how it does (connectors.md 1)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from soar.accounts.models.grant import GrantFields
from soar.lib.crypto import DecryptionError, EncryptedJSONField, masked


class AccountManager(models.Manager["ConnectorAccount"]):
    """Those that are there. Leaves the secrets in the database until somebody asks for them: a lost key must not take
    the list down. What was removed is reached from its history (an attempt's ``account``) and by ``everything``."""

    def get_queryset(self) -> models.QuerySet[ConnectorAccount]:
        return super().get_queryset().filter(removed_at=None).defer("secrets")


class EverythingManager(models.Manager["ConnectorAccount"]):
    """Those that were removed too, for what looks at the past."""

    def get_queryset(self) -> models.QuerySet[ConnectorAccount]:
        return super().get_queryset().defer("secrets")


class ConnectorAccount(models.Model):
    """Settings, encrypted secrets and health. ``kind`` is plain text, judged by soar/connectors/registry.py.

    ``removed_at``: it is a record of the past, off and without secrets; its name may be another's."""

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True)
    verify_tls = models.BooleanField(default=True)
    proxy = models.CharField(max_length=300, blank=True)
    timeout_seconds = models.PositiveIntegerField(default=30)
    rate_per_minute = models.PositiveIntegerField(default=0, help_text="Calls a minute at most; 0 is no limit")
    allow_internal = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    disabled_reason = models.TextField(blank=True, help_text="Why Soar itself disabled it; empty when a person did")
    restricted = models.BooleanField(default=False, help_text="Only people with a grant may use it")
    last_check_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=200, blank=True, default="", db_default="")

    objects: ClassVar[AccountManager] = AccountManager()
    everything: ClassVar[models.Manager[ConnectorAccount]] = EverythingManager()

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = [
            ("use_connectoraccount", "Use the connector"),
            ("manage_connectoraccount", "Manage the connector"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="connector_name_once", condition=models.Q(removed_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=models.Q(removed_at__isnull=True) | models.Q(enabled=False), name="connector_removed_is_off"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    def readable_secrets(self) -> dict[str, Any]:
        """The secrets; none where their key is lost, so that the account can still be seen and be given new ones."""
        try:
            return dict(self.secrets)
        except DecryptionError:
            return {}

    def masked_secrets(self) -> dict[str, Any]:
        """The names of the secrets, each with what may be shown of it."""
        return {key: masked(value) for key, value in self.secrets.items()}


class ConnectorUserPermission(GrantFields, UserObjectPermissionBase):
    """A person's grant on one account: use or manage (rulings 20)."""

    content_object = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class ConnectorGroupPermission(GrantFields, GroupObjectPermissionBase):
    """A team's or role's grant on one account."""

    content_object = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
