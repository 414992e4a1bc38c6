"""The house's own lists: exceptions that nothing may touch, and values that are bad or good (connectors.md 4)."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models

from soar.connectors.models.fields import NetworkField


class Entry(models.Model):
    """A value with who put it there and why. ``digest`` of type and value: values may be too long for an index."""

    type = models.CharField(max_length=20)
    value = models.CharField(max_length=2048)
    digest = models.CharField(max_length=64)
    network = NetworkField(null=True)
    reason = models.CharField(max_length=500)
    added_by = models.CharField(max_length=200, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.type} {self.value}"


class ExceptionEntry(Entry):
    """Never rated, never acted upon: beats every list."""

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest"], name="exception_once")]
        indexes = [GistIndex(fields=["network"], opclasses=["inet_ops"], name="exception_network")]


class OwnListEntry(Entry):
    """``effect``: malicious or benign."""

    effect = models.CharField(max_length=20)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest"], name="ownlist_once")]
        indexes = [GistIndex(fields=["network"], opclasses=["inet_ops"], name="ownlist_network")]
