"""``manage.py user create | reset-factors | end-sessions USERNAME`` (contract: Commands)."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from soar.accounts.actions.factors import reset_factors
from soar.accounts.actions.sessions import end_all_sessions
from soar.accounts.actions.users import create_user
from soar.accounts.models import User


class Command(BaseCommand):
    """Each verb prints JSON alone on stdout (rulings 26)."""

    help = "Make a person, help one who has lost their second factor, end somebody's sessions."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a person; the password is SOAR_NEW_PASSWORD, or made")
        create.add_argument("--role", action="append", default=[], help="name of a role; may be given several times")
        create.add_argument("--team", action="append", default=[], help="name of a team; made if it is not there")
        reset = verbs.add_parser("reset-factors", help="take all second factors off, and end the sessions")
        end = verbs.add_parser("end-sessions", help="sign a person out everywhere; tokens stay")
        for verb in (create, reset, end):
            verb.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when a value is refused."""
        name = options["username"]
        match options["verb"]:
            case "create":
                told = _create(name, options["role"], options["team"])
            case "reset-factors":
                told = {"username": name, "removed": reset_factors(None, _person(name))}
            case _:
                told = {"username": name, "ended": end_all_sessions(None, _person(name))}
        self.stdout.write(json.dumps(told))


def _create(name: str, roles: list[str], teams: list[str]) -> dict[str, Any]:
    given = os.environ.get("SOAR_NEW_PASSWORD") or None
    try:
        user, password = create_user(name, password=given, roles=roles, teams=teams)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return {"username": user.username, "password": password}


def _person(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no person called {name!r}.")
    return user
