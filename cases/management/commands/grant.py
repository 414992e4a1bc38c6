"""``manage.py grant INC-N USERNAME LEVEL`` (contract: Commands)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.actions.access import INCIDENT
from cases.errors import CaseError
from soar.accounts.access import actions
from soar.lib import clock


class Command(BaseCommand):
    """Prints ``{"incident", "id", "user" or "group", "level", "expires_at"}`` alone on stdout (rulings 26)."""

    help = "Give a person, or with --group a team or role, a level on an incident."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The incident, who, and the level."""
        parser.add_argument("incident", help="INC-7")
        parser.add_argument("name", metavar="USERNAME", help="a user name; with --group the name of a team or role")
        parser.add_argument("level", help=", ".join(INCIDENT.levels))
        parser.add_argument("--group", action="store_true")
        parser.add_argument("--days", type=int, help="days until it ends")
        parser.add_argument("--reason", default="", help="stands in the audit log and on the timeline")

    def handle(self, *args: Any, **options: Any) -> None:
        """The same action as the page's. Raises CommandError with the reason when it is refused."""
        what = "group" if options["group"] else "user"
        days = options["days"]
        if days is not None and not 0 < days <= 36_500:
            raise CommandError("Days are a number from 1 to 36500.")
        until = clock.now() + timedelta(days=days) if days is not None else None
        try:
            holder = actions.holder_named(**{what: options["name"]})
            made, _new = actions.grant(
                None,
                INCIDENT,
                options["incident"],
                holder,
                options["level"],
                expires_at=until,
                reason=options["reason"],
            )
        except CaseError as error:
            raise CommandError(error.message) from error
        end = clock.iso(made.expires_at)
        answer = {"incident": options["incident"].upper(), "id": made.id, what: made.key, "level": made.level}
        self.stdout.write(json.dumps({**answer, "expires_at": end}))
