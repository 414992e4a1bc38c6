"""Saved views of the queue (casework.md 2)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from soar.accounts.models import Team


class SavedView(models.Model):
    """A named filter and order. It is a question, not an answer: whoever opens it sees what they may see.

    ``audience`` says who finds it beside the queue: its owner, the people of ``team``, or everybody."""

    class Audience(models.TextChoices):
        ME = "me"
        TEAM = "team"
        ALL = "all"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="views", db_index=False)
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True, help_text="Query string of the queue: filter and sort")
    audience = models.CharField(max_length=4, choices=Audience.choices, default=Audience.ME)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint("owner", models.functions.Lower("name"), name="view_name_unique"),
            models.CheckConstraint(
                condition=models.Q(audience="team", team__isnull=False)
                | (~models.Q(audience="team") & models.Q(team=None)),
                name="view_team_if_shared_with_it",
            ),
        ]
        indexes = [models.Index(fields=["audience"], name="view_shared", condition=~models.Q(audience="me"))]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view that a person's queue opens with."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="default_view"
    )
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"default view of {self.user_id}"
