"""Who was named in a text, and which entries stand on top of a timeline (casework.md 13)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from cases.models.timeline import TimelineEntry


class Mention(models.Model):
    """A person named with ``@`` in the words of an entry, who could see its subject when it was written; also one of a
    team that was named. Written in the entry's transaction. What notifies is the entry itself: ``data["mentions"]``.

    Entries go only by ``cases.purge``, which takes these rows first: the database knows of no cascade."""

    entry = models.ForeignKey(TimelineEntry, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["entry", "user"], name="mention_once")]
        indexes = [models.Index(fields=["user", "-entry"], name="mention_of_user")]

    def __str__(self) -> str:
        return f"user {self.user_id} in entry {self.entry_id}"


class TimelinePin(models.Model):
    """An entry that stands on top of its timeline. The timeline itself is never changed: this is a row beside it, and
    that it was pinned, and by whom, is an entry like any other."""

    entry = models.OneToOneField(TimelineEntry, on_delete=models.DO_NOTHING, related_name="pin")
    pinned_by = models.CharField(max_length=200)
    pinned_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"pinned entry {self.entry_id}"
