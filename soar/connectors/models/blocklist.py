"""The built-in block list: what firewalls and proxies pull from us and block (connectors.md 4)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from soar.connectors.models.fields import NetworkField


class BlockEntry(models.Model):
    """A value, who put it there and why. ``removed_at``: it is a record of the past and may come anew as another row.

    ``reference``: what it was done for, as text (``INC-12``, ``run 7``): cases and playbooks are not known here."""

    type = models.CharField(max_length=20)
    value = models.CharField(max_length=2048)
    digest = models.CharField(max_length=64)
    network = NetworkField(null=True)
    reason = models.CharField(max_length=500)
    reference = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    added_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=200, blank=True)
    removal_reason = models.CharField(max_length=500, blank=True)

    withheld = False  # in memory: what it was done for is nothing for the reader (soar.connectors.blocklist.search)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=models.Q(removed_at__isnull=True), name="blocklist_once"
            )
        ]
        indexes = [
            models.Index(fields=["type", "id"], name="blocklist_feed", condition=models.Q(removed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"


class FeedToken(models.Model):
    """Lets one firewall pull the feed of one type. Only the digest is kept."""

    type = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["type", "id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest"], name="feedtoken_once")]

    def __str__(self) -> str:
        return f"{self.type} {self.name}"
