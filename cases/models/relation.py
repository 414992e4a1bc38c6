"""Typed links between incidents (casework.md 6)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Greatest, Least

from cases.choices import RelationKind
from cases.models.incident import Incident


class IncidentRelation(models.Model):
    """``incident`` is a duplicate of, a child of, caused by or related to ``other``. One row tells both directions:
    seen from ``other`` it is the inverse. Of each kind there is one between two incidents, whichever way round."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="relations", db_index=False)
    other = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="relations_in", db_index=False)
    kind = models.CharField(max_length=12, choices=RelationKind.choices)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["kind", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(incident=models.F("other")), name="relation_between_two"),
            models.UniqueConstraint(
                Least("incident", "other"), Greatest("incident", "other"), "kind", name="relation_once"
            ),
        ]
        indexes = [
            models.Index(fields=["incident"], name="relation_incident"),
            models.Index(fields=["other"], name="relation_other"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.incident_id} {self.kind} INC-{self.other_id}"
