"""``manage.py token create USERNAME [--name N] [--scopes a,b] [--days N]`` (contract: Commands)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from soar.accounts.actions.users import SCOPES, create_token
from soar.accounts.models import User

DAYS_AT_MOST = 3650


class Command(BaseCommand):
    """Prints ``{"token"}`` alone on stdout (rulings 26); the token is shown this once."""

    help = "Make a personal API token."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb so far: create."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a token for a person")
        create.add_argument("username")
        create.add_argument("--name", default="Command line")
        create.add_argument("--scopes", default="", help=f"comma-separated, of: {', '.join(sorted(SCOPES))}")
        create.add_argument("--days", type=int, help="how long it works; without, until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when a value is refused."""
        days = options["days"]
        if days is not None and not 1 <= days <= DAYS_AT_MOST:
            raise CommandError(f"--days is 1 to {DAYS_AT_MOST}.")
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        until = timezone.now() + timedelta(days=days) if days else None
        try:
            _, token = create_token(user, options["name"], actor=None, scopes=scopes, expires_at=until)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps({"token": token}))
