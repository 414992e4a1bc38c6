"""What went from one incident to another: merges and splits, with all that an undo needs (casework.md 9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_noop as _

from cases.models.incident import Incident
from soar.lib import clock

UNDO_FOR = timedelta(hours=24)


class IncidentMove(models.Model):
    """One merge of ``source`` into ``target``, or one split of ``target`` off ``source``.

    ``moved`` holds by name what went, as ids with what is needed to see whether it was changed since; ``before`` of a
    merge what ``source`` was, of a split the severity that ``target`` began with. ``left`` is what an undo could not
    put back, in words."""

    class Kind(models.TextChoices):
        MERGE = "merge", _("Merge")
        SPLIT = "split", _("Split")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="moves_out")
    target = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="moves_in")
    moved = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    undone_by_name = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True)
    left = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(source=models.F("target")), name="move_between_two"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} INC-{self.source_id} INC-{self.target_id}"

    @property
    def undo_until(self) -> datetime:
        """Until when it can be undone."""
        return self.made_at + UNDO_FOR

    @property
    def can_undo(self) -> bool:
        """Whether its time has not passed and nobody has undone it. Rights and holds are asked when it is done."""
        return self.undone_at is None and clock.now() < self.undo_until
