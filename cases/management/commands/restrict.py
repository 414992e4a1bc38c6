"""``manage.py restrict INC-N`` (contract: Commands)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.actions import restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.errors import CaseError
from soar.accounts.access.rows import grants_on


class Command(BaseCommand):
    """Prints ``{"incident", "restricted", "grants": {username: level}}`` alone on stdout (rulings 26)."""

    help = "Let only an incident's own grants count, for it and its alerts; or, with --off, roles and teams again."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The incident."""
        parser.add_argument("incident", help="INC-7")
        parser.add_argument("--off", action="store_true", help="take the restriction away")
        parser.add_argument("--reason", default="", help="stands in the audit log and on the timeline")

    def handle(self, *args: Any, **options: Any) -> None:
        """The same action as the page's. Raises CommandError with the reason when it is refused."""
        switch = restriction.unrestrict if options["off"] else restriction.restrict
        try:
            incident = switch(Actor.system(), options["incident"], reason=options["reason"])
        except CaseError as error:
            raise CommandError(error.message) from error
        given = {one.key: one.level for one in grants_on(INCIDENT, incident)}
        answer = {"incident": incident.number, "restricted": incident.restricted, "grants": given}
        self.stdout.write(json.dumps(answer))
