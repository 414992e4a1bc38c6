"""What people own of playbooks: those that run with their rights (rulings 8; soar.accounts.owning)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy

from playbooks.models import Playbook
from soar.accounts.models import Team, User
from soar.accounts.owning import Held


class _Playbooks:
    def of_user(self, viewer: User | None, user: User) -> Held | None:
        """Enabled playbooks that they published last. Whoever publishes one next takes it over; nobody else can."""
        rows = Playbook.objects.filter(published_by=user, enabled=True)
        label = gettext_lazy("enabled playbooks that run with their rights")
        return Held("playbooks", label, rows, url=reverse("playbook-list"), movable=False)

    def of_team(self, viewer: User | None, team: Team) -> Held | None:
        """Playbooks belong to no team."""
        return None

    def hand_over(self, actor: User, user: User, to: User) -> int:
        """Nothing: rights are not handed on."""
        return 0

    def move(self, actor: User | None, team: Team, to: Team | None) -> int:
        """Nothing."""
        return 0


playbooks = _Playbooks()
