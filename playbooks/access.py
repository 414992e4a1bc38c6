"""Who may be let in to playbooks by name: view < run < edit < manage (access.md 3, rulings 20)."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.models import Playbook
from playbooks.permissions import BY_ROLE, PLAYBOOK, holds
from soar.accounts.access.kinds import Grantable, Has, Way, by_id
from soar.accounts.models import User


class PlaybookKind(Grantable):
    """Playbooks. Whoever reads cases sees them all: a grant gives more than that."""

    name, rule, model = "playbook", PLAYBOOK, Playbook
    needed = "view_cases"
    noun, plural = gettext_lazy("the playbook"), gettext_lazy("Playbooks")

    def found(self, ref: str) -> QuerySet[Playbook]:
        """By its id."""
        return by_id(Playbook.objects.all(), ref)

    def title(self, obj: Playbook) -> str:
        """Its name."""
        return obj.name

    def url(self, obj: Playbook) -> str:
        """Its page."""
        return reverse("playbook-detail", args=[obj.pk])

    def sees(self, user: User, obj: Playbook) -> bool:
        """Whoever reads cases."""
        return holds(user, obj, "view")

    def manages(self, user: User, obj: Playbook) -> bool:
        """By role or grant."""
        return holds(user, obj, "manage")

    def holds(self, user: User, obj: Playbook, level: str) -> bool:
        """By role or grant; who manages people and writes no playbooks lets nobody write them."""
        return holds(user, obj, "edit" if level == "manage" else level)

    def ways(self, obj: Playbook, has: Has) -> list[Way]:
        """Whoever reads cases."""
        return [Way("everybody", _("Everybody"), has("view_cases"), _("Playbooks are seen by all who read cases"))]

    def role_levels(self, has: Has) -> list[tuple[str, Q]]:
        """What roles give on every playbook."""
        return [(level, has(BY_ROLE[level])) for level in ("manage", "edit", "run")]


PLAYBOOK_ACCESS = PlaybookKind()
