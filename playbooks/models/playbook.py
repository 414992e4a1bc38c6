"""A playbook as the portal knows it. Of a Python playbook the file is the truth; the row is its shadow."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from playbooks.choices import OnFailure, Trigger


class Playbook(models.Model):
    """One playbook. ``enabled`` is the toggle on the page: the code's own ``enabled=`` counts only when the
    playbook is first seen (rulings 7). ``load_error`` and ``present`` say what is wrong with the file."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, default="python", help_text="python, response")
    description = models.TextField(blank=True)
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    conditions = models.JSONField(default=dict)
    order = models.IntegerField(default=1000)
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, UTC; with trigger schedule")
    on_failure = models.CharField(max_length=10, choices=OnFailure.choices, default=OnFailure.CONTINUE)
    enabled = models.BooleanField(default=True)
    folder = models.CharField(max_length=1000, blank=True, help_text="The playbook folder of the settings")
    module = models.CharField(max_length=500, blank=True, help_text="The file, relative to the folder")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the file's text")
    present = models.BooleanField(default=True, help_text="Still in the files")
    load_error = models.TextField(blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    modified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    modified_at = models.DateTimeField(db_default=models.functions.Now())
    created_at = models.DateTimeField(db_default=models.functions.Now())
    minutes_saved = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Minutes of a person's work that a successful run saves, as its team says"
    )
    deactivated_reason = models.TextField(blank=True, help_text="Starts nothing while this is set (rulings 8)")
    # Of a response playbook alone: the graph that is being drawn, and the version that runs.
    draft = models.JSONField(null=True, help_text="The graph as its author left it (rulings 13); may be incomplete")
    draft_number = models.PositiveIntegerField(default=0, help_text="Goes up with every change of the draft")
    current = models.ForeignKey(
        "PlaybookVersion", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        # Levels of an object grant, each contains the former (rulings 20).
        permissions = [
            ("view_playbook", "View"),
            ("run_playbook", "Run"),
            ("edit_playbook", "Edit"),
            ("manage_playbook", "Manage access"),
        ]
        constraints = [models.UniqueConstraint(Lower("name"), name="playbook_name_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def hindrance(self) -> str:
        """Why nobody can run it by hand, as a sentence; empty if it can run."""
        return self.off or (_("Its file cannot be loaded.") if self.load_error else "")

    @property
    def off(self) -> str:
        """Why nothing starts it, as a sentence; empty if alerts, incidents or the clock do. A file that cannot be
        loaded is no reason: some worker may have it, and what was to run is to be seen in any case."""
        if not self.enabled:
            return _("It is disabled.")
        if self.deactivated_reason:
            return _("It is deactivated: %(deactivated_reason)s") % {"deactivated_reason": self.deactivated_reason}
        if self.kind == "response":
            return "" if self.current_id else _("It was never published.")
        return "" if self.present else _("It is no longer in the files.")


# Those without a hindrance.
CAN_RUN = Q(enabled=True, deactivated_reason="") & (
    Q(kind="response", current__isnull=False) | ~Q(kind="response") & Q(load_error="", present=True)
)


class PlaybookVersion(models.Model):
    """The text that a playbook had: what a run really executed can be read later.

    ``scripts``: of a response playbook, the SHA-256 of each script that its graph names, by that name, as it was at
    publishing (``script_pins``); null in versions of before that was kept."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    source = models.TextField()
    definition = models.JSONField(default=dict, help_text="Of a response playbook: its graph (rulings 13)")
    scripts = models.JSONField(null=True, help_text="Of a response playbook: the hashes of the scripts that it names")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["-number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["playbook", "number"], name="playbook_version_number"),
            models.UniqueConstraint(fields=["playbook", "digest"], name="playbook_version_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_id} version {self.number}"


class LoadError(models.Model):
    """A file, or a function in it, that could not be loaded: shown with its traceback, breaks nothing else."""

    path = models.CharField(max_length=1000)
    name = models.CharField(max_length=200, blank=True)
    message = models.TextField()
    traceback = models.TextField(blank=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["path", "name"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class CodeGeneration(models.Model):
    """One row. The number changes with every reload, toggle or edit: workers compare it before each task.

    It follows the clock, so that a number is never used twice, not even after the table was emptied."""

    number = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)
