"""Which account serves a capability when several could (connectors.md 2)."""

from __future__ import annotations

from django.db import models

from soar.connectors.models.account import ConnectorAccount


class Route(models.Model):
    """The first rule that fits, by ``order``, names the account. Empty fields fit everything.

    ``domain``: the end of a host's name, of an account's or mailbox's domain, or of a web address's host."""

    order = models.IntegerField(default=100)
    capability = models.CharField(max_length=40, blank=True)
    asset_group = models.CharField(max_length=100, blank=True)
    tag = models.CharField(max_length=100, blank=True)
    domain = models.CharField(max_length=255, blank=True)
    account = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE, related_name="routes")

    class Meta:
        ordering = ["order", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.order}: {self.capability or 'all'} by {self.account_id}"
