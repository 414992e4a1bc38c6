"""Selections of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from playbooks.choices import OPEN
from soar.accounts.membership import may
from soar.accounts.models import User

if TYPE_CHECKING:
    from playbooks.models import Run  # noqa: F401  named in the class below


class RunQuerySet(models.QuerySet["Run"]):
    """Runs."""

    def visible_to(self, user: User) -> RunQuerySet:
        """Runs on alerts and incidents that the person may see, and those on neither (access.md 4)."""
        from cases.models import Alert, Incident

        if not may(user, "view_cases"):
            return self.none()
        alert = Exists(Alert.objects.filter(pk=OuterRef("alert")).visible_to(user))
        incident = Exists(Incident.objects.filter(pk=OuterRef("incident")).visible_to(user))
        return self.filter(
            Q(alert=None, incident=None) | (Q(alert__isnull=False) & alert) | (Q(incident__isnull=False) & incident)
        )

    def open(self) -> RunQuerySet:
        """Not over yet."""
        return self.filter(status__in=OPEN)

    def with_row_data(self) -> RunQuerySet:
        """What a row of a list shows."""
        return self.select_related("playbook", "sequence", "started_by").defer("input", "traceback", "result")
