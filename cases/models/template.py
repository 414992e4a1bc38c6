"""Templates: what an incident of a kind begins with."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from cases.choices import Severity


class TemplateQuerySet(models.QuerySet["IncidentTemplate"]):
    """Templates."""

    def current(self) -> TemplateQuerySet:
        """Those that can be used."""
        return self.filter(deleted_at=None)


class IncidentTemplate(models.Model):
    """Default severity, TLP, tags and checklist for a kind of incident (casework.md 10).

    One that incidents, custom fields or ticket profiles refer to is kept when it is deleted (``deleted_at``), under a
    name that says so: nobody can use it any more, but what its incidents need to be closed they need still, also after
    a reopening, and no rule that names it comes to mean all incidents.

    ``tasks`` is a list of ``{"title", "description", "required", "due_minutes"}``, in order: it is read and written
    as a whole, and what is made of it lives on its own (``IncidentTask``). ``due_minutes`` counts from the moment the
    template is used; null is no due time. ``cases.actions.template_fields`` checks the shape."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=40, help_text="A word of cases.choices.IncidentKind")
    severity = models.SmallIntegerField(choices=Severity.choices, null=True, help_text="Null: as the alerts have it")
    tlp = models.CharField(max_length=12, blank=True, help_text="Empty: as the alerts have it")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    tasks = models.JSONField(default=list, blank=True)
    custom_fields = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), blank=True, help_text="Values to begin with"
    )
    changed_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(db_default=models.functions.Now())
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)

    objects: ClassVar[TemplateQuerySet] = TemplateQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = [Lower("name")]
        constraints = [models.UniqueConstraint(Lower("name"), name="template_name_unique")]

    def __str__(self) -> str:
        return self.name
