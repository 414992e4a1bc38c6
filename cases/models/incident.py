"""An incident: the case that related alerts are worked in."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper

from cases import search_words
from cases.choices import Determination, Findings, IncidentStatus, Pap, Severity, Tlp
from cases.models.template import IncidentTemplate
from cases.querysets import IncidentQuerySet
from cases.sla.calendar import NEVER
from soar.accounts.models import Team

OPEN = models.Q(status__lt=IncidentStatus.RESOLVED)
OWNERS_AT_MOST = 50


class Incident(models.Model):
    """casework.md 6. ``version`` goes up with every change of its own fields."""

    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True, help_text="Markdown")
    severity = models.SmallIntegerField(choices=Severity.choices)
    status = models.SmallIntegerField(choices=IncidentStatus.choices, default=IncidentStatus.OPEN)
    determination = models.SmallIntegerField(choices=Determination.choices, default=Determination.UNKNOWN)
    findings = models.CharField(max_length=24, choices=Findings.choices, blank=True, default="")
    resolve_reason = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, through="IncidentOwner", related_name="incidents")
    restricted = models.BooleanField(default=False, help_text="Only its own grants count (access.md 3)")
    tlp = models.CharField(max_length=12, choices=Tlp.choices, default=Tlp.AMBER)
    pap = models.CharField(max_length=12, choices=Pap.choices, default=Pap.AMBER)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    techniques = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    custom_fields = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text="Values, by key",
    )
    alert_count = models.PositiveIntegerField(default=0)
    template = models.ForeignKey(IncidentTemplate, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    contained_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    cause = models.UUIDField(default=uuid.uuid4)
    # Set together: it went into another incident and is a closed husk since. The other one may be gone by now.
    merged_into = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    merged_at = models.DateTimeField(null=True)
    # Of a husk, while what it is in is restricted: only that one's grants count. Written by cases.actions.sight alone.
    access_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    merged_count = models.PositiveIntegerField(default=0, db_default=0, help_text="How many went into this one")
    version = models.PositiveIntegerField(default=1)
    timeline_count = models.PositiveIntegerField(default=0)
    timeline_head = models.BinaryField(max_length=32, null=True)
    demo = models.BooleanField(default=False)
    # What its clocks come to, so that lists sort and filter by it (casework.md 11); written by cases.sla.clocks alone.
    sla_due_at = models.DateTimeField(
        default=NEVER, db_default=NEVER, help_text="When the next target is due; the year 9999: none"
    )
    sla_risk_at = models.DateTimeField(default=NEVER, db_default=NEVER, help_text="When the first clock is at risk")
    sla_paused_at = models.DateTimeField(null=True)
    sla_missed = models.BooleanField(default=False, db_default=False, help_text="A clock stopped after it was due")
    sla_version = models.PositiveIntegerField(null=True, help_text="Of the policy; null: without clocks until now")

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        # Levels of an object grant, each contains the former (rulings 20).
        permissions = [
            ("view_incident", "View"),
            ("comment_incident", "Comment"),
            ("edit_incident", "Edit"),
            ("close_incident", "Close"),
            ("delete_incident", "Delete"),
            ("manage_incident", "Manage access"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__lt=IncidentStatus.RESOLVED)
                | ~models.Q(determination=0)
                | models.Q(merged_at__isnull=False),
                name="incident_resolved_needs_determination",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None)
                | models.Q(merged_at__isnull=False, status=IncidentStatus.CLOSED)
                & ~models.Q(merged_into=models.F("id")),
                name="incident_merged_is_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["-severity", "-id"], name="incident_open_severity", condition=OPEN),
            models.Index(fields=["updated_at", "id"], name="incident_updated"),
            # Upper, because that is what Django makes of icontains.
            GinIndex(OpClass(Upper("title"), "gin_trgm_ops"), name="incident_search"),
            search_words.index(search_words.INCIDENT, "incident_said"),
            GinIndex(fields=["tags"], name="incident_tags"),
            models.Index(
                fields=["merged_into"], name="incident_merged_into", condition=models.Q(merged_into__isnull=False)
            ),
            models.Index(fields=["access_of"], name="incident_access_of", condition=models.Q(access_of__isnull=False)),
            GinIndex(fields=["techniques"], name="incident_techniques"),
            GinIndex(fields=["custom_fields"], name="incident_custom_fields"),
            models.Index(fields=["sla_due_at", "id"], name="incident_due", condition=OPEN),
            models.Index(
                fields=["sla_version", "id"], name="incident_sla_version", condition=OPEN | models.Q(sla_version=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def number(self) -> str:
        """``INC-<id>`` (rulings 15)."""
        return f"INC-{self.pk}"

    @property
    def is_merged(self) -> bool:
        """A husk: what it held is in another incident, and nothing in it changes any more (casework.md 9)."""
        return self.merged_at is not None


class IncidentOwner(models.Model):
    """One of at most 50 owners; at most one of them leads."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="owner_rows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_rows")
    lead = models.BooleanField(default=False)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["-lead", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "user"], name="incident_owner_once"),
            models.UniqueConstraint(fields=["incident"], condition=models.Q(lead=True), name="incident_one_lead"),
        ]

    def __str__(self) -> str:
        return f"{self.user} of INC-{self.incident_id}"
