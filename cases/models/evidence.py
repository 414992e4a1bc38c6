"""Files kept as evidence of an incident, and who read them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from cases import search_words
from cases.choices import Tlp
from cases.models.incident import Incident
from cases.querysets import EvidenceQuerySet

LIVE = models.Q(removed_at=None)
EVIDENCE_AT_MOST = 500  # pieces of one incident, removed ones included


class Evidence(models.Model):
    """One file of an incident (casework.md 12). Whoever sees the incident sees its evidence.

    The bytes are in the data folder under their SHA-256 (``cases.evidence_store``). A removed piece keeps its row:
    name, hashes, who brought it and who took it away; its bytes go when nothing else has the same.
    ``version`` goes up with every change: it is the ETag and finds stale forms."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="evidence", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tlp = models.CharField(max_length=12, choices=Tlp.choices, default=Tlp.AMBER)
    size = models.BigIntegerField(help_text="Bytes")
    content_type = models.CharField(max_length=100, help_text="By content (cases.evidence_types)")
    md5 = models.CharField(max_length=32)
    sha1 = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    added_by_name = models.CharField(max_length=200, help_text="A person, or a playbook")
    added_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    removed_by_name = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True)
    remove_reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[EvidenceQuerySet] = EvidenceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        verbose_name_plural = "evidence"
        constraints = [
            models.UniqueConstraint(fields=["incident", "sha256"], condition=LIVE, name="evidence_once_per_incident"),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="evidence_not_empty"),
        ]
        indexes = [
            search_words.index(search_words.EVIDENCE, "evidence_words"),
            models.Index(fields=["incident", "-id"], name="evidence_incident"),
            models.Index(fields=["sha256"], name="evidence_sha256"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_removed(self) -> bool:
        """Only the tombstone is left."""
        return self.removed_at is not None


class EvidenceAccess(models.Model):
    """That somebody read a piece of evidence: the part of the chain of custody that is not on the timeline.

    Append-only like the timeline, by the same trigger. The actor is plain columns: the row outlives the person."""

    evidence = models.ForeignKey(Evidence, on_delete=models.CASCADE, related_name="accesses", db_index=False)
    verb = models.CharField(max_length=20, help_text="viewed, downloaded, downloaded_zip")
    actor_type = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        indexes = [models.Index(fields=["evidence", "-id"], name="evidence_access")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.evidence_id}"
