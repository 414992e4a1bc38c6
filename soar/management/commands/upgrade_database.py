"""``manage.py upgrade_database``: the embedded database under a newer major version (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from soar.embedded.errors import EmbeddedError, InUse
from soar.embedded.upgrade import remove_old, upgrade


class Command(BaseCommand):
    """With the portal stopped. The old data are kept until ``--remove-old``."""

    help = "Bring the embedded database to the major version of PostgreSQL that is here now."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The old programs, or the end of the old data."""
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            "--from", dest="programs", type=Path, metavar="FOLDER", help="bin folder of the old PostgreSQL"
        )
        either.add_argument("--remove-old", action="store_true", help="delete the data that an upgrade has kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason; then nothing was changed."""
        if not settings.EMBEDDED:
            raise CommandError("DATABASE_URL is set: that database is not Soar's own, upgrade it by its own means.")
        try:
            if options["remove_old"]:
                remove_old(self._say)
            elif upgrade(options["programs"] and options["programs"].expanduser().resolve(), self._say):
                self._say("Next: start the portal, run manage.py verify_timeline, and when all is well")
                self._say("manage.py upgrade_database --remove-old.")
        except InUse as error:
            raise CommandError(f"{error} Stop the portal first.") from error
        except EmbeddedError as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
