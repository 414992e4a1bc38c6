"""What scripts, never-touch rules and detection models look like in JSON, and what their verbs take."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Text, Words
from cases.api.shapes import page_of
from playbooks.never_touch import BY
from playbooks.script_files import LANGUAGES, SYSTEMS
from soar.connectors.capabilities import KINDS_OF_TARGET

LANGUAGE = tuple(LANGUAGES.values())
TARGET_KINDS = list(KINDS_OF_TARGET)


class NewScript(Body):
    """A script: ``name`` with its ending (.ps1, .sh), the whole text, and for Bash its operating systems."""

    name = Text(max_length=200)
    text = Text(max_length=1024 * 1024)
    systems = s.ListField(child=Words(SYSTEMS), required=False, max_length=2)
    description = Text(max_length=2000, required=False, allow_blank=True)


class ScriptRow(s.Serializer[Any]):
    """A script in a list."""

    id = s.IntegerField()
    name = s.CharField()
    language = Words(LANGUAGE)
    systems = s.ListField(child=s.CharField())
    description = s.CharField()
    sha256 = s.CharField()
    size = s.IntegerField()
    uploaded_by = s.CharField()
    uploaded_at = s.DateTimeField()
    removed = s.BooleanField()


class Script(ScriptRow):
    """A script with its text."""

    text = s.CharField()


class NewNeverTouch(Body):
    """A rule: by what, the value, why, and for which kinds of target (none: for all)."""

    by = Words(BY)
    value = Text(max_length=300)
    reason = Text(max_length=500)
    kinds = s.ListField(child=Words(KINDS_OF_TARGET), required=False, max_length=len(KINDS_OF_TARGET))


class NeverTouch(s.Serializer[Any]):
    """A rule of the never-touch list."""

    id = s.IntegerField()
    by = Words(BY)
    value = s.CharField()
    kinds = s.ListField(child=s.CharField())
    reason = s.CharField()
    added_by = s.CharField()
    added_at = s.DateTimeField()


class NewModel(Body):
    """A custom detection model."""

    name = Text(max_length=300)
    severity = fields.severity()


class ModelChange(Body):
    """The severity set by hand; null lets the alerts decide."""

    severity = fields.severity(allow_null=True)


class DetectionModel(s.Serializer[Any]):
    """A detection model."""

    id = s.IntegerField()
    name = s.CharField()
    severity = fields.severity()
    severity_set = s.BooleanField()
    custom = s.BooleanField()
    source = s.CharField(allow_null=True)  # type: ignore[assignment]
    last_seen_at = s.DateTimeField(allow_null=True)
    alert_count = s.IntegerField()


SCRIPT_PAGE = page_of(ScriptRow)
NEVER_TOUCH_PAGE = page_of(NeverTouch)
MODEL_PAGE = page_of(DetectionModel)
