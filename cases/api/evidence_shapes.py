"""What calls for evidence take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.evidence import DESCRIPTION_AT_MOST
from cases.api import fields
from cases.api.fields import Body, Text
from cases.api.shapes import page_of
from cases.evidence_upload import NAME_AT_MOST


class NewEvidence(s.Serializer[Any]):
    """A form (``multipart/form-data``) with one file."""

    file = s.FileField(help_text="At most SOAR_EVIDENCE_MB (100) MiB")
    description = s.CharField(required=False, max_length=DESCRIPTION_AT_MOST)
    tlp = fields.tlp(required=False, help_text="The incident's, if it is not given")


class EvidenceChanges(Body):
    """What can be changed of a piece of evidence."""

    name = Text(max_length=NAME_AT_MOST, required=False)
    description = Text(max_length=DESCRIPTION_AT_MOST, required=False, allow_blank=True)
    tlp = fields.tlp(required=False)


class Evidence(s.Serializer[Any]):
    """A piece of evidence of an incident."""

    id = s.IntegerField()
    incident = s.CharField(help_text="Number of its incident")
    url = s.URLField()
    file = s.URLField(allow_null=True, help_text="Where to download it; null when it was removed")
    name = s.CharField()
    description = s.CharField()
    tlp = fields.tlp()
    size = s.IntegerField(help_text="Bytes")
    content_type = s.CharField(help_text="By content")
    md5 = s.CharField()
    sha1 = s.CharField()
    sha256 = s.CharField()
    added_by = s.CharField(help_text="Name of the person or playbook")
    added_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    removed_by = s.CharField(allow_null=True)
    removed_at = s.DateTimeField(allow_null=True)
    remove_reason = s.CharField()
    version = s.IntegerField()


class EvidenceAccess(s.Serializer[Any]):
    """A reading of a piece of evidence."""

    id = s.IntegerField()
    verb = fields.Words(("viewed", "downloaded", "downloaded_zip"))
    actor = s.CharField(help_text="Name of the person or playbook")
    address = s.IPAddressField(allow_null=True)
    at = s.DateTimeField()


EVIDENCE_PAGE = page_of(Evidence)
ACCESS_PAGE = page_of(EvidenceAccess)
