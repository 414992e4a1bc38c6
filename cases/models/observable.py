"""Observables: one row per (type, value) in the whole system, linked to alerts and incidents."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Left

from cases.choices import Risk
from cases.models.alert import Alert
from cases.models.incident import Incident
from cases.querysets import ObservableQuerySet

# Searching by the beginning of a value compares this much of it: whole values are longer than an index takes.
PREFIX_LENGTH = 60


class Observable(models.Model):
    """An address, name, hash or the like (ingest-and-api.md 11), in its normal form.

    ``rating`` keeps the rule, the evidence and the time of the last rating (response-playbooks.md 13)."""

    type = models.CharField(max_length=20)
    value = models.TextField()
    digest = models.BinaryField(max_length=16, help_text="Of the value: values are longer than an index takes")
    risk = models.SmallIntegerField(choices=Risk.choices, default=Risk.UNRATED)
    rating = models.JSONField(default=dict, blank=True)
    rated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects: ClassVar[ObservableQuerySet] = ObservableQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest", "type"], name="observable_unique")]
        indexes = [
            models.Index(OpClass(Left("value", PREFIX_LENGTH), "text_pattern_ops"), name="observable_begins"),
            models.Index(fields=["risk", "-id"], name="observable_rated", condition=models.Q(risk__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"


class AlertObservable(models.Model):
    """That an alert names an observable, and as what (``source_ip``, ``hash``, ``text``)."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="observable_links", db_index=False)
    observable = models.ForeignKey(Observable, on_delete=models.PROTECT, related_name="alert_links", db_index=False)
    role = models.CharField(max_length=30, blank=True)
    highlighted = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["alert", "observable"], name="alert_observable_once")]
        indexes = [models.Index(fields=["observable", "-alert"], name="observable_alerts")]

    def __str__(self) -> str:
        return f"{self.observable_id} in ALR-{self.alert_id}"


class IncidentObservable(models.Model):
    """An observable that somebody, or a playbook, put on an incident itself."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="observable_links", db_index=False)
    observable = models.ForeignKey(Observable, on_delete=models.PROTECT, related_name="incident_links")
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["incident", "observable"], name="incident_observable_once")]

    def __str__(self) -> str:
        return f"{self.observable_id} in INC-{self.incident_id}"
