"""``manage.py import soar|thehive|iris FILE [--apply]``: cases from elsewhere."""

from __future__ import annotations

import json
import logging
import sys
import zipfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.actions.imports import bring_in
from cases.actions.imports_check import tell_altered
from cases.actors import Actor
from cases.errors import CaseError
from cases.importing import iris, soar_case, thehive
from cases.importing.archive import Files
from cases.importing.plan import Plan, Report
from cases.importing.reading import content_of, parsed
from soar.accounts.models import User

logger = logging.getLogger(__name__)
PRODUCTS: dict[str, Callable[[Any], Iterator[Plan]]] = {
    "soar": soar_case.plans,
    "thehive": thehive.plans,
    "iris": iris.plans,
}


class Command(BaseCommand):
    """A dry run unless ``--apply`` is given. Prints what came over, what was changed and what could not come; ends
    with 1 if a case was not imported. Each case is all or nothing."""

    help = "Import incidents: what another Soar exported, or cases of TheHive 4/5 or DFIR-IRIS as JSON."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose file, the file, and whose the incidents become."""
        parser.add_argument("product", choices=list(PRODUCTS))
        parser.add_argument("file", type=Path, help="JSON; of Soar also the zip, with its evidence")
        parser.add_argument("--apply", action="store_true", help="keep it; without, everything is only tried")
        parser.add_argument("--user", help="act as this person, who must be allowed to manage settings")
        team = parser.add_mutually_exclusive_group()
        team.add_argument("--team", help="whose the incidents become")
        team.add_argument("--no-team", action="store_true", help="nobody's: whoever may see cases sees them")
        parser.add_argument("--json", action="store_true", help="the report as JSON, alone on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a file that cannot be read at all."""
        try:
            reports = list(self._reports(options))
        except CaseError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps([one.as_dict() for one in reports], ensure_ascii=False, indent=1))
        else:
            self.stdout.write("\n".join(one.as_text() for one in reports))
        if any(one.error for one in reports):
            sys.exit(1)

    def _reports(self, options: dict[str, Any]) -> Iterator[Report]:
        path, actor = options["file"], _actor(options["user"])
        team = "" if options["no_team"] else options["team"]
        content = parsed(content_of(path))
        # All of them are read before the first is kept.
        plans = list(PRODUCTS[options["product"]](content))
        if options["product"] == "soar":
            tell_altered(plans[0], content, path)
        with Files(path) if zipfile.is_zipfile(path) else nullcontext() as files:
            for plan in plans:
                if files is not None:
                    files.find(plan)
                yield _one(actor, plan, team, dry_run=not options["apply"], files=files)


def _one(actor: Actor, plan: Plan, team: str | None, *, dry_run: bool, files: Files | None) -> Report:
    try:
        bring_in(actor, plan, team=team, dry_run=dry_run, files=files)
    except CaseError as error:
        plan.report.error = error.message
    except Exception as error:  # of cases before it the report is still owed: they are kept
        logger.exception("%s of %s could not be imported", plan.ref, plan.product)
        plan.report.error = f"something went wrong here, the log says what ({type(error).__name__})."
    if plan.report.error:
        plan.report.came.clear()
    return plan.report


def _actor(username: str | None) -> Actor:
    if not username:
        return Actor.system()
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {username}.")
    return Actor.of(user)
