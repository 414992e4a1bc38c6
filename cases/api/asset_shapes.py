"""What calls of assets take and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Flag, Text, Texts
from cases.api.shapes import Anything, IncidentSighting, page_of
from cases.asset_csv import BYTES_AT_MOST
from cases.choices import Criticality

CRITICALITY = Criticality.words()


class AssetChanges(Body):
    """Facts of an asset; lists replace what is there. The name may only be spelt anew."""

    name = Text(max_length=255, required=False)
    type = Text(max_length=40, required=False, allow_blank=True)
    system = Text(max_length=200, required=False, allow_blank=True)
    addresses = Texts(required=False, most=50)
    groups = Texts(required=False, most=50)
    criticality = fields.Words(CRITICALITY, required=False)
    tags = Texts(required=False, most=50)


class NewAsset(AssetChanges):
    """An asset; only the name is needed."""

    name = Text(max_length=255)


class ImportFile(Body):
    """The text of a CSV file; its first line names the columns."""

    csv = Text(max_length=BYTES_AT_MOST)
    dry_run = Flag(required=False)


class Asset(s.Serializer[Any]):
    """An asset: one for each name."""

    id = s.IntegerField()
    url = s.URLField()
    name = s.CharField()
    type = s.CharField()
    system = s.CharField(help_text="Operating system")
    addresses = s.ListField(child=s.CharField())
    groups = s.ListField(child=s.CharField())
    criticality = fields.Words(CRITICALITY)
    tags = s.ListField(child=s.CharField())
    listed = s.BooleanField(help_text="In the inventory; false: only named by alerts or incidents that you may see")
    created_at = s.DateTimeField(allow_null=True, help_text="Of one that only alerts name, since when you see one")
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class NamingAlert(s.Serializer[Any]):
    """An alert that names the asset."""

    id = s.IntegerField()
    number = s.CharField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.alert_status()
    received_at = s.DateTimeField()


class AssetSightings(s.Serializer[Any]):
    """The newest hundred alerts and incidents that you may see."""

    alerts = NamingAlert(many=True)
    incidents = IncidentSighting(many=True)


class AssetDetail(Asset):
    """An asset and where it was named."""

    sightings = AssetSightings()


class AssetDifference(s.Serializer[Any]):
    """What the file changes of one asset."""

    name = s.CharField()
    changes = Anything(help_text="{field: [old, new]}")


class FileProblem(s.Serializer[Any]):
    """What is wrong with a line; 1 is the header."""

    line = s.IntegerField()
    column = s.CharField()
    message = s.CharField()


class Imported(s.Serializer[Any]):
    """What the file did, or would do; the first thousand changes and problems."""

    dry_run = s.BooleanField()
    created = s.IntegerField()
    changed = s.IntegerField()
    same = s.IntegerField()
    changes = AssetDifference(many=True)
    problems = FileProblem(many=True)


ASSET_PAGE = page_of(Asset)
