"""``manage.py attack import FILE`` and ``attack show``: names of MITRE ATT&CK without a network (casework.md 6)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.attack.catalog import Catalog
from cases.attack.stored import catalog, import_bundle, imported_path
from soar.accounts import audit


class Command(BaseCommand):
    """``import`` takes the names of MITRE's ``enterprise-attack.json``; both verbs print ``{"version", "tactics",
    "techniques", "imported"}`` as JSON."""

    help = "Show or renew the names of ATT&CK techniques."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two verbs: import, show."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("import", help="read MITRE's STIX bundle of the Enterprise matrix").add_argument("file")
        verbs.add_parser("show", help="say which release is in use")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when the file is none of MITRE's; nothing is changed then."""
        if options["verb"] == "show":
            return self.stdout.write(json.dumps(_facts(catalog())))
        try:
            found = import_bundle(Path(options["file"]))
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        audit.record(None, "attack.imported", found.version, techniques=len(found.techniques))
        self.stdout.write(json.dumps(_facts(found)))


def _facts(found: Catalog) -> dict[str, Any]:
    current = sum(one.current for one in found.techniques.values())
    return {
        "version": found.version,
        "tactics": len(found.tactics),
        "techniques": current,
        "imported": imported_path().exists(),
    }
