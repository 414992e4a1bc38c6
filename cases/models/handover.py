"""A shift handed over to the next one (casework.md 17)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from cases import search_words
from cases.querysets import HandOverQuerySet
from soar.accounts.models import Team


class HandOver(models.Model):
    """What one shift left to the next, signed by whoever led it; never changed afterwards but for who took it over.

    ``since``: the hand-over before, or when this shift began. ``facts``: figures of then, ids of incidents under
    ``opened``, ``ended``, ``changed`` (older ones that went on), ``open``, and of timeline entries under ``told`` (what
    was done to those that went on); whoever reads them later is shown those that they may see. ``cut`` names lists
    that were longer than what is kept. Without a team it is everybody's."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    since = models.DateTimeField()
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.TextField(help_text="Markdown")
    facts = models.JSONField(default=dict)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(null=True)

    objects: ClassVar[HandOverQuerySet] = HandOverQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        indexes = [search_words.index(search_words.HAND_OVER, "handover_words")]

    def __str__(self) -> str:
        return f"hand-over of {self.signed_at:%Y-%m-%d %H:%M}"
