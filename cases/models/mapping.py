"""What an admin has taught a source: its mapping in versions, and the samples that each version has to read."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from cases.models.source import AlertSource


class SourceMapping(models.Model):
    """One version of a source's mapping; never changed once written. ``mapping`` is what
    ``cases.ingest.mapping.document`` checks; an empty object maps nothing."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="mappings", db_index=False)
    number = models.PositiveIntegerField()
    mapping = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField(db_default=models.functions.Now())
    restored_from = models.PositiveIntegerField(null=True, help_text="Number of the version that it repeats")
    misfits = models.PositiveIntegerField(default=0, help_text="Samples that it was saved in spite of")

    class Meta:
        ordering = ["-number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="source_mapping_number")]

    def __str__(self) -> str:
        return f"mapping {self.number} of {self.source_id}"


class SourceSample(models.Model):
    """A payload that every new version of the mapping is tried on."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="samples", db_index=False)
    name = models.CharField(max_length=100)
    body = models.TextField(help_text="JSON as it came")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint("source", Lower("name"), name="source_sample_name")]

    def __str__(self) -> str:
        return self.name
