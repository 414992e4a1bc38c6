"""Whose rights an automatic run has, and what happens when they are gone (rulings 8)."""

from __future__ import annotations

from playbooks import catalog
from playbooks.models import Playbook
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User


def still_entitled(playbook: Playbook) -> bool:
    """Whether the playbook may start by itself. Code that nobody published is trusted as such.

    If the account of its publisher is disabled or lost the right, the playbook is deactivated, audited, and
    starts nothing until somebody enables it."""
    if playbook.published_by_id is None:
        return True
    user = User.objects.filter(pk=playbook.published_by_id).first()  # asked anew: the catalogue is older
    if user is not None and may(user, "author_playbooks"):
        playbook.published_by = user
        return True
    name = user.display_name() if user else "its publisher"
    deactivate(playbook, f"the account of {name}, who published it, was disabled or lost the right to.")
    return False


def deactivate(playbook: Playbook, reason: str) -> None:
    """Write the reason, once, and tell all workers."""
    if Playbook.objects.filter(pk=playbook.pk, deactivated_reason="").update(deactivated_reason=reason):
        audit.record(None, "playbook.deactivated", playbook.name, reason=reason)
        catalog.bump()
