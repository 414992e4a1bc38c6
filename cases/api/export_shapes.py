"""What calls for exports give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields
from cases.api.shapes import page_of
from cases.models import ExportStatus

EXPORT_STATUS = ExportStatus.values


class ExportOptions(s.Serializer[Any]):
    """What was asked for."""

    template = s.CharField(help_text="Of the report, for the formats that have one")
    evidence = s.BooleanField()
    notes = s.BooleanField()
    observables = s.BooleanField()
    tlp = s.CharField(help_text="The limit; empty: none")


class Export(s.Serializer[Any]):
    """An export that a worker makes."""

    id = s.IntegerField()
    incident = s.CharField(help_text="Number of the incident")
    url = s.URLField()
    file = s.URLField(allow_null=True, help_text="Where to download it; null until it is there, and after its day")
    format = s.CharField()
    options = ExportOptions()
    status = fields.Words(EXPORT_STATUS)
    progress = s.IntegerField(help_text="Percent")
    message = s.CharField(help_text="Why it failed")
    name = s.CharField(help_text="Of the file")
    size = s.IntegerField(allow_null=True, help_text="Bytes")
    sha256 = s.CharField()
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)
    expires_at = s.DateTimeField(allow_null=True, help_text="Until when the file is kept")


class ReportTemplateName(s.Serializer[Any]):
    """A template of reports."""

    slug = s.CharField()
    name = s.CharField()
    description = s.CharField()


class ExportFormat(s.Serializer[Any]):
    """A format of exports."""

    name = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    content_type = s.CharField()
    extension = s.CharField()
    slow = s.BooleanField(help_text="Made by a worker: 202 and a job")
    templated = s.BooleanField(help_text="Takes `template`")
    hint = s.CharField()


class ExportChoices(s.Serializer[Any]):
    """What an incident can be exported as."""

    formats = ExportFormat(many=True)
    templates = ReportTemplateName(many=True)


EXPORT_PAGE = page_of(Export)
