"""What every object grant carries beside guardian's own columns: until when, by whom, since when, why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

REASON_AT_MOST = 300


class GrantFields(models.Model):
    """Mixed into guardian's direct-foreign-key tables (access.md 3, 5), after guardian's own base, whose Meta counts.

    A grant of a level is one row for each level up to it, all with the same of these columns: so the codename of a
    level answers whether it is held. A row that has expired counts for nothing, whether or not it was tidied up."""

    expires_at = models.DateTimeField(null=True, blank=True, help_text="Counts for nothing from then on")
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    reason = models.CharField(max_length=REASON_AT_MOST, blank=True, default="", db_default="")
    rule = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="By which stated rule; empty: by hand"
    )

    class Meta:
        abstract = True


def current(prefix: str = "") -> Q:
    """That a grant has not expired, by the clock of the database. ``prefix`` leads to the grant (``grants__``)."""
    return Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": Now()})
