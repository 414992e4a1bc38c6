"""Exports of incidents that a worker makes."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_noop as _

from cases.models.incident import Incident

KEPT_FOR = timedelta(hours=24)


class ExportStatus(models.TextChoices):
    """The words of jobs (contract.md)."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    SUCCESSFUL = "successful", _("Ready")
    UNSUCCESSFUL = "unsuccessful", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class ExportJob(models.Model):
    """One export of one incident in one format (casework.md 16), seen by whoever asked for it alone.

    ``attempt`` counts the workers that have taken it: only the last one may write. ``file`` is the name of the made
    file in the data folder (``cases.reporting.store``), gone with the row's ``expires_at``. ``scopes`` are those of
    the token that asked; null is all that the user may."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scopes = ArrayField(models.CharField(max_length=50), null=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="+")
    format = models.CharField(max_length=20, help_text="A name of cases.reporting.formats")
    options = models.JSONField(default=dict)
    status = models.CharField(max_length=24, choices=ExportStatus.choices, default=ExportStatus.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent")
    message = models.TextField(blank=True, help_text="Why it failed")
    name = models.CharField(max_length=255, blank=True, help_text="Of the download")
    file = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(null=True, help_text="Bytes")
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["user", "-id"], name="export_job_user")]

    def __str__(self) -> str:
        return f"export {self.pk} of INC-{self.incident_id} as {self.format}"

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it but its end."""
        return self.status not in (ExportStatus.QUEUED, ExportStatus.IN_PROGRESS)


class ReportTemplate(models.Model):
    """A template of reports that an admin wrote; those that come with the product are files
    (``cases.reporting.templates``). ``body`` is a Django template for the inside of a page (rulings 29).
    ``version`` goes up with every saving: it finds stale forms."""

    slug = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by_name = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["slug"], name="report_template_slug_once")]

    def __str__(self) -> str:
        return self.name


class ReportTemplateVersion(models.Model):
    """A template as it was saved once; never changed."""

    template = models.ForeignKey(ReportTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    body = models.TextField()
    saved_at = models.DateTimeField()
    saved_by_name = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="report_template_version_once")]

    def __str__(self) -> str:
        return f"{self.template_id} version {self.number}"
