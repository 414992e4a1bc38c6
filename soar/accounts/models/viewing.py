"""Who looks at the portal as somebody else (access.md 5)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Viewing(models.Model):
    """One time that ``viewer`` sees what ``person`` sees. Over at ``until``, or when ``ended_at`` is set; the log of
    it is the audit log, so rows may go with either of them."""

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    started_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["viewer"], condition=Q(ended_at=None), name="viewing_one_at_a_time"),
            models.CheckConstraint(condition=~Q(viewer=F("person")), name="viewing_of_another"),
        ]
        indexes = [models.Index(fields=["until"], condition=Q(ended_at=None), name="viewing_open")]

    def __str__(self) -> str:
        return f"{self.viewer_id} as {self.person_id}"
