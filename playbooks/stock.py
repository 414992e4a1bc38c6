"""What this portal has that a playbook may speak of, each kind of thing read once: the validator and the form of the
same page ask for the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from cases.models import IncidentTemplate, TicketProfile
from playbooks.models import DetectionModel, Playbook, Script
from soar.accounts.membership import workers
from soar.accounts.models import User
from soar.connectors import notify
from soar.connectors.models import ConnectorAccount

MOST = 5000
OFFERED = (
    "name", "enabled", "assignment_group", "assigned_to", "short_description", "instance__slug",
    "instance__account__name", "instance__account__enabled",
)  # fmt: skip


class Stock:
    """Read at the first use of each, in one query; seven in all. Not to be kept: make one for each answer."""

    @cached_property
    def models(self) -> list[tuple[str, int]]:
        """Detection models, by name with their severity."""
        return list(DetectionModel.objects.values_list("name", "severity")[:MOST])

    @cached_property
    def people(self) -> list[User]:
        """Who may work on cases."""
        return list(workers().only("username", "first_name", "last_name"))

    @cached_property
    def accounts(self) -> list[ConnectorAccount]:
        """All connectors, by name."""
        return list(ConnectorAccount.objects.all())

    @property
    def channels(self) -> list[str]:
        """Names of the enabled chats and webhooks."""
        return [one.name for one in notify.enabled_among(self.accounts, mail=False)]

    @property
    def mail_ready(self) -> bool:
        """Whether e-mail can be sent."""
        return bool(notify.enabled_among(self.accounts, mail=True))

    @cached_property
    def scripts(self) -> list[Script]:
        """Scripts of the library, without their texts."""
        return list(Script.objects.filter(removed=False).only("name", "language", "systems"))

    @cached_property
    def templates(self) -> list[str]:
        """Names of incident templates."""
        return list(IncidentTemplate.objects.current().values_list("name", flat=True))

    @cached_property
    def profiles(self) -> list[TicketProfile]:
        """Ticket profiles in their order with what is offered of them: whether they are on, and what tickets get."""
        rows = TicketProfile.objects.select_related("instance__account").order_by("order", "pk")
        return list(rows.only(*OFFERED)[:MOST])

    @cached_property
    def playbooks(self) -> list[Playbook]:
        """All playbooks by name, those that are drawn with what is published."""
        rows = Playbook.objects.select_related("current").order_by("name")
        return list(rows.only("name", "kind", "present", "current__definition"))

    @property
    def calls(self) -> dict[str, set[str]]:
        """Which playbooks the response playbooks run, as they are published now."""
        drawn = {one.name: set(_run_by(one)) for one in self.playbooks if one.kind == "response"}
        return {name: found for name, found in drawn.items() if found}


def _run_by(playbook: Playbook) -> Iterator[str]:
    """Names of the playbooks that this one runs."""
    for node in playbook.current.definition.get("nodes", []) if playbook.current else []:
        for use in node.get("actions", []):
            if use.get("action") == "run_playbook":
                yield use["params"].get("playbook", "")
