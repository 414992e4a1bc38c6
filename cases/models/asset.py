"""Assets: the organisation's machines, one row for each name, linked to the alerts that name them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from cases.choices import Criticality
from cases.models.alert import Alert
from cases.models.incident import Incident
from cases.querysets import AssetQuerySet

NAME_AT_MOST = 255
GROUP_AT_MOST = 100


class Asset(models.Model):
    """An endpoint by its name. ``key`` is the name in lower case: names are unique without case.

    Alerts fill in ``type``, ``system`` and ``addresses`` where nothing is known; ``groups``, ``criticality`` and
    ``tags`` are set by people and programs alone. ``listed`` assets were entered by somebody: the inventory, which
    everybody who may see cases sees. The others exist for a person only through an alert or incident (rulings 21)."""

    name = models.CharField(max_length=NAME_AT_MOST)
    key = models.CharField(max_length=2 * NAME_AT_MOST, help_text="The name in lower case")
    type = models.CharField(max_length=40, blank=True, help_text="server, laptop, workstation ...")
    system = models.CharField(max_length=200, blank=True, help_text="Operating system")
    addresses = ArrayField(models.CharField(max_length=45), default=list, blank=True)
    groups = ArrayField(models.CharField(max_length=GROUP_AT_MOST), default=list, blank=True)
    criticality = models.SmallIntegerField(choices=Criticality.choices, default=Criticality.UNKNOWN)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    listed = models.BooleanField(default=False, help_text="Entered by somebody, not only named by alerts")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(db_default=models.functions.Now())
    version = models.PositiveIntegerField(default=1)
    demo = models.BooleanField(default=False)

    objects: ClassVar[AssetQuerySet] = AssetQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key"], name="asset_key_unique")]
        indexes = [
            models.Index(fields=["-criticality", "-id"], name="asset_criticality"),
            GinIndex(fields=["key"], name="asset_search", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["addresses"], name="asset_addresses"),
            GinIndex(fields=["groups"], name="asset_groups", condition=models.Q(listed=True)),
            GinIndex(fields=["tags"], name="asset_tags", condition=models.Q(listed=True)),
        ]

    def __str__(self) -> str:
        return self.name


class AssetGroup(models.Model):
    """A group of assets: the one spelling of a name that is unique without case. Assets hold the names themselves, so
    that what asks for an asset's groups needs no second query."""

    name = models.CharField(max_length=GROUP_AT_MOST)
    key = models.CharField(max_length=2 * GROUP_AT_MOST)

    class Meta:
        default_permissions = ()
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["key"], name="asset_group_key_unique")]

    def __str__(self) -> str:
        return self.name


class AlertAsset(models.Model):
    """That an alert names an asset."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="asset_links", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="alert_links", db_index=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["alert", "asset"], name="alert_asset_once")]
        indexes = [models.Index(fields=["asset", "-alert"], name="asset_alerts")]

    def __str__(self) -> str:
        return f"{self.asset_id} in ALR-{self.alert_id}"


class IncidentAsset(models.Model):
    """An asset that somebody put on an incident itself (casework.md 6)."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="asset_links", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="incident_links")
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["incident", "asset"], name="incident_asset_once")]

    def __str__(self) -> str:
        return f"{self.asset_id} in INC-{self.incident_id}"


class AssetChange(models.Model):
    """One change of an asset by a person or program: ``data`` is ``{"field": [old, new]}``, or {} for its making."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="changes", db_index=False)
    at = models.DateTimeField()
    verb = models.CharField(max_length=12, help_text="created, changed, removed")
    how = models.CharField(max_length=12, blank=True, help_text="import, or nothing")
    actor_id = models.BigIntegerField(null=True, help_text="Id of the user; no foreign key, the row outlives them")
    actor_name = models.CharField(max_length=200)
    data = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["asset", "-id"], name="asset_changes")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.verb} by {self.actor_name}"


class AssetImport(models.Model):
    """A file of assets between its preview and the decision: what was looked at is what will be done."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    text = models.TextField()
    plan = models.CharField(max_length=64, help_text="Digest of what the preview said")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} by {self.user_id}"
