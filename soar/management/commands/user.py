"""``manage.py user create USERNAME [--role ROLE ...] [--team TEAM ...]`` (contract: Commands)."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from soar.accounts.actions.users import create_user


class Command(BaseCommand):
    """Prints ``{"username", "password"}`` alone on stdout (rulings 26). The password comes from
    ``SOAR_NEW_PASSWORD``, else it is made."""

    help = "Make a person with roles and teams. The password is taken from SOAR_NEW_PASSWORD, or made."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb so far: create."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a person")
        create.add_argument("username")
        create.add_argument("--role", action="append", default=[], help="name of a role; may be given several times")
        create.add_argument("--team", action="append", default=[], help="name of a team; made if it is not there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when a value is refused."""
        given = os.environ.get("SOAR_NEW_PASSWORD") or None
        try:
            user, password = create_user(
                options["username"], password=given, roles=options["role"], teams=options["team"]
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps({"username": user.username, "password": password}))
