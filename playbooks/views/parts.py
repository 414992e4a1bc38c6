"""What the pages of playbooks and runs share: who may what, living workers, signatures of what a page shows."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.urls import NoReverseMatch, reverse

from cases.views.parts import check_may, person_of, signed_in_reader
from playbooks.models import Playbook, Run
from playbooks.permissions import holds
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.accounts.roles import BUILTIN
from soar.lib.heartbeat import SILENT
from soar.models import Heartbeat

__all__ = ["check_may", "person_of", "signed_in_reader"]
Context = dict[str, Any]


def rights_of(user: User, playbook: Playbook | None = None) -> Context:
    """What the person may do here, with one playbook or all, and who else may: for the hint beside what is not
    offered."""
    return {
        "may_run": holds(user, playbook, "run") if playbook else may(user, "run_playbooks"),
        "may_author": holds(user, playbook, "edit") if playbook else may(user, "author_playbooks"),
        "runners": holders("run_playbooks"),
        "authors": holders("author_playbooks"),
    }


def holders(permission: str) -> str:
    """The built-in roles that have the permission: "Analyst, Responder"."""
    return ", ".join(name for name, (_text, rights) in BUILTIN.items() if permission in rights)


def workers_alive() -> int:
    """How many workers gave a sign of life lately, as /readyz knows it."""
    return Heartbeat.objects.filter(name="worker", at__gt=Now() - timedelta(seconds=SILENT)).count()


def signature(*parts: object) -> str:
    """A short text that changes with what a page shows: the poll's cursor."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=9).hexdigest()


def subject_url(run: Run) -> str:
    """The page of what the run works on, or nothing."""
    if run.alert_id:
        return page("alert-detail", f"ALR-{run.alert_id}")
    return page("incident-detail", f"INC-{run.incident_id}") if run.incident_id else ""


def page(name: str, number: str) -> str:
    """The address of a page of cases, or nothing in an installation without it."""
    try:
        return reverse(name, args=[number])
    except NoReverseMatch:
        return ""
