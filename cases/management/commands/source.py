"""``manage.py source create NAME --kind KIND [--team TEAM]`` (contract: Commands)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cases.actions import sources
from cases.actors import Actor
from cases.errors import CaseError
from cases.ingest.registry import KINDS
from soar.accounts.actions.users import ensure_team


class Command(BaseCommand):
    """Prints ``{"slug", "token", "url"}`` alone on stdout (rulings 26); the token is shown this once."""

    help = "Make an alert source."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb so far: create."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a source and its first token")
        create.add_argument("name")
        create.add_argument("--kind", required=True, help=", ".join(KINDS))
        create.add_argument("--team", help="name of the team that owns its alerts; made if it is not there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when a value is refused."""
        try:
            with transaction.atomic():
                team = ensure_team(options["team"]) if options["team"] else None
                fields = {"name": options["name"], "kind": options["kind"], "team": team}
                source, token = sources.create(Actor.system(), fields=fields)
        except CaseError as error:
            raise CommandError(error.message) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps({"slug": source.slug, "token": token, "url": ingest_url(source.slug)}))


def ingest_url(slug: str) -> str:
    """Where a sender posts to."""
    return f"{settings.SOAR_URL}/api/v1/ingest/{slug}/"
