"""Who may do what with one playbook: by role, or by what is granted on it (access.md 3, rulings 20)."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actors import Actor
from cases.errors import Forbidden, Missing
from playbooks.models import Playbook, PlaybookGroupPermission, PlaybookUserPermission
from playbooks.selectors import playbook_named
from soar.accounts.levels import Kind
from soar.accounts.membership import may
from soar.accounts.models import User

# Levels, each contains the former; with the scope that a token needs for it.
PLAYBOOK = Kind(
    "playbook",
    {"view": "view_cases", "run": "run_playbooks", "edit": "author_playbooks", "manage": "author_playbooks"},
    lambda: (PlaybookUserPermission, PlaybookGroupPermission),
)
# The permission of the product that gives a level on all playbooks.
BY_ROLE = {"view": "view_cases", "run": "run_playbooks", "edit": "author_playbooks", "manage": "manage_people"}
LACKING = {
    "run": gettext_noop("The permission to run playbooks is missing."),
    "edit": gettext_noop("The permission to write and enable playbooks is missing."),
    "manage": gettext_noop("The permission to manage access to this playbook is missing."),
}


def holding(user: User, level: str) -> QuerySet[Playbook]:
    """The playbooks on which this person holds ``level``: by role, or by a grant that has not expired."""
    if not may(user, "view_cases"):
        return Playbook.objects.none()
    return Playbook.objects.filter(Q() if may(user, BY_ROLE[level]) else PLAYBOOK.granted(user, level))


def holds(user: User, playbook: Playbook, level: str) -> bool:
    """Whether this person holds ``level`` on the playbook."""
    if not may(user, "view_cases"):
        return False
    return may(user, BY_ROLE[level]) or PLAYBOOK.is_granted(user, playbook, level)


def holds_any(user: User, level: str) -> bool:
    """Whether there may be a playbook on which this person holds ``level``."""
    return may(user, "view_cases") and (may(user, BY_ROLE[level]) or PLAYBOOK.any_granted(user, level))


def playbook_for(who: Actor | User, playbook: Playbook | str | int, level: str = "view") -> Playbook:
    """The playbook, by itself, name or id, for somebody who holds ``level`` on it. None as the person (the system, a
    playbook that nobody published) may all. Raises Missing for who does not see it, Forbidden for who sees it only."""
    user = who.user if isinstance(who, Actor) else who
    if user is not None and not may(user, "view_cases"):
        raise Missing(_("There is no such playbook."))
    row = playbook if isinstance(playbook, Playbook) else playbook_named(playbook)
    if user is not None and not holds(user, row, level):
        raise Forbidden(_(LACKING[level]))
    return row
