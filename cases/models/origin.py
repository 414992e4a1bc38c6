"""Where incidents that were imported came from."""

from __future__ import annotations

from django.db import models

from cases.models.incident import Incident


class IncidentOrigin(models.Model):
    """That an incident was imported, and which case of which product it was: no case is imported twice."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="origin")
    product = models.CharField(max_length=20, help_text="soar, thehive, iris")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what tells the case from all others there")
    ref = models.CharField(max_length=300, help_text="Its number there, for people")
    imported_by = models.CharField(max_length=200)
    imported_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["product", "digest"], name="incident_origin_once")]

    def __str__(self) -> str:
        return f"{self.product} {self.ref}"
