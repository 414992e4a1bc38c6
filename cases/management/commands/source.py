"""``manage.py source create NAME --kind KIND [--team TEAM] [--days N]`` (contract: Commands), and ``source read``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cases.actions import pulls, sources
from cases.actors import Actor
from cases.errors import CaseError
from cases.ingest.registry import KINDS
from soar.accounts.actions.users import ensure_team


class Command(BaseCommand):
    """``create`` prints ``{"slug", "token", "url"}`` alone on stdout (rulings 26); the token is shown this once.
    ``read`` has a source read with a connector and prints ``{"slug", "connector", "every_seconds"}``."""

    help = "Make an alert source, or have one read."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two verbs: create, read."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a source and its first token")
        create.add_argument("name")
        create.add_argument("--kind", required=True, help=", ".join(KINDS))
        create.add_argument("--team", help="name of the team that owns its alerts; made if it is not there")
        create.add_argument("--days", type=int, help="how long its token works; without, until it is revoked")
        read = verbs.add_parser("read", help="read a source's alerts with a connector instead of waiting for them")
        read.add_argument("slug")
        read.add_argument("connector", help="name of a connector of the product that the source is of")
        read.add_argument("--every", type=int, default=60, help="seconds between two readings")
        read.add_argument("--look-back", type=int, default=24, help="hours before now that the first reading begins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when a value is refused."""
        try:
            answer = _create(options) if options["verb"] == "create" else _read(options)
        except CaseError as error:
            raise CommandError(error.message) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps(answer))


@transaction.atomic
def _create(options: dict[str, Any]) -> dict[str, Any]:
    team = ensure_team(options["team"]) if options["team"] else None
    fields = {"name": options["name"], "kind": options["kind"], "team": team, "token_days": options["days"]}
    source, token = sources.create(Actor.system(), fields=fields)
    return {"slug": source.slug, "token": token, "url": ingest_url(source.slug)}


def _read(options: dict[str, Any]) -> dict[str, Any]:
    row = pulls.set_pull(
        Actor.system(),
        options["slug"],
        account=options["connector"],
        every_seconds=options["every"],
        look_back_hours=options["look_back"],
    )
    return {"slug": options["slug"], "connector": options["connector"], "every_seconds": row.every_seconds}


def ingest_url(slug: str) -> str:
    """Where a sender posts to."""
    return f"{settings.SOAR_URL}/api/v1/ingest/{slug}/"
