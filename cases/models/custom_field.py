"""Fields that an installation adds to its incidents."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from cases.models.template import IncidentTemplate

FIELDS_AT_MOST = 100


class CustomField(models.Model):
    """What is asked of an incident besides its own fields (casework.md 6). The values stand in
    ``Incident.custom_fields`` under ``key``, which is for good: programs and values hang on it. ``kind`` is a word of
    ``cases.custom_fields.kinds``.

    ``everywhere``, or on incidents of these templates alone: a field of a template that is deleted does not become one
    for all. ``retired_at``: asked for no more, its values stay."""

    key = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    required = models.BooleanField(default=False, help_text="An incident cannot be resolved or closed without it")
    help_text = models.CharField(max_length=500, blank=True)
    position = models.PositiveIntegerField(default=0)
    everywhere = models.BooleanField(default=True)
    templates = models.ManyToManyField(IncidentTemplate, related_name="fields", blank=True)
    retired_at = models.DateTimeField(null=True)
    changed_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(db_default=models.functions.Now())
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="custom_field_key_unique"),
            models.UniqueConstraint(Lower("name"), name="custom_field_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name
