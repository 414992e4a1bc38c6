"""Warning lists: values that are known, for good or merely by name (connectors.md 4, response-playbooks.md 13)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from soar.connectors.models.fields import NetworkField


class WarningList(models.Model):
    """One list. ``effect``: benign (known good) or context (worth knowing, says nothing about good or bad).

    ``type``: string, hostname, cidr, substring, regex, as in the MISP format; ``attributes``: what it is about.
    """

    name = models.CharField(max_length=300)
    slug = models.CharField(max_length=100)
    version = models.PositiveBigIntegerField(default=0)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=30, blank=True)
    type = models.CharField(max_length=20)
    attributes = ArrayField(models.CharField(max_length=60), default=list)
    effect = models.CharField(max_length=20)
    enabled = models.BooleanField(default=True)
    entry_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField(null=True)
    bundled = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["slug"], name="warninglist_slug_once")]

    def __str__(self) -> str:
        return self.name


class WarningName(models.Model):
    """A host name or hash, normalised. ``below``: the names under it are meant as well. No key of its own: compact."""

    pk = models.CompositePrimaryKey("value", "list")
    value = models.CharField(max_length=255)
    list = models.ForeignKey(WarningList, on_delete=models.CASCADE, db_index=False)
    below = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.value


class WarningNetwork(models.Model):
    """A network of addresses."""

    network = NetworkField()
    list = models.ForeignKey(WarningList, on_delete=models.CASCADE, db_index=False)

    class Meta:
        default_permissions = ()
        indexes = [GistIndex(fields=["network"], opclasses=["inet_ops"], name="warningnetwork_network")]

    def __str__(self) -> str:
        return str(self.network)


class WarningPattern(models.Model):
    """A regular expression, without its slashes; never told apart by upper and lower case."""

    pattern = models.CharField(max_length=1000)
    list = models.ForeignKey(WarningList, on_delete=models.CASCADE)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.pattern
