"""``manage.py warninglists import | list``: the bundled warning lists. JSON alone on stdout."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from soar.connectors.intelligence import bundled, importing
from soar.connectors.models import WarningList
from soar.lib import clock


class Command(BaseCommand):
    """Import takes what is new and may be run at every start."""

    help = "Import the bundled warning lists into the database, or list them."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        load = verbs.add_parser("import", help="import the lists that are new or have a new version")
        load.add_argument("--all", action="store_true", help=f"also the largest: {', '.join(bundled.LEFT_OUT)}")
        load.add_argument("--force", action="store_true", help="also those whose version is there")
        load.add_argument("--only", action="append", metavar="SLUG", help="this list only; may be repeated")
        verbs.add_parser("list", help="the lists in the database")

    def handle(self, *args: Any, **options: Any) -> None:
        answer = self._import(options) if options["verb"] == "import" else self._list()
        self.stdout.write(json.dumps(answer))

    def _import(self, options: dict[str, Any]) -> dict[str, Any]:
        try:
            where = bundled.folder()
        except FileNotFoundError as error:
            raise CommandError(str(error)) from None
        known = bundled.slugs(where, ())
        if unknown := set(options["only"] or ()) - set(known):
            raise CommandError(f"There is no list {', '.join(sorted(unknown))}.")
        chosen = options["only"] or (known if options["all"] else bundled.slugs(where))
        results = list(importing.import_all(where, chosen, force=options["force"]))
        return {
            "imported": [asdict(result) for result in results if result.state == "imported"],
            "unchanged": sum(result.state == "unchanged" for result in results),
            "broken": [asdict(result) for result in results if result.state == "broken"],
            "left_out": sorted(set(known) - set(chosen)),
        }

    def _list(self) -> list[dict[str, Any]]:
        columns = ("slug", "name", "version", "type", "category", "effect", "enabled", "entry_count", "skipped_count")
        rows = WarningList.objects.values(*columns, "imported_at")
        return [{**row, "imported_at": clock.iso(row["imported_at"])} for row in rows]
