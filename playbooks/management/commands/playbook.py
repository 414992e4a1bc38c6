"""``playbook list``, ``playbook check``, ``playbook run NAME --alert N [--dry-run]`` (contract: Commands)."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.actors import Actor
from cases.errors import CaseError
from playbooks import catalog, engine
from playbooks.actions import run_by_hand
from playbooks.loader import load
from playbooks.models import Playbook
from playbooks.representation import playbook_dict, run_dict
from playbooks.response import work
from playbooks.response_selectors import TASK_RELATED
from playbooks.selectors import run_for


class Command(BaseCommand):
    """``list`` and ``run`` print JSON alone on standard output."""

    help = "List, check and run playbooks."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="All playbooks as JSON")
        verbs.add_parser("check", help="Load all files; fails if one cannot be loaded")
        run = verbs.add_parser("run", help="Run one now, in this process, and print the run as JSON")
        run.add_argument("name")
        run.add_argument("--alert", help="Id or number of the alert")
        run.add_argument("--incident", help="Id or number of the incident")
        run.add_argument("--dry-run", action="store_true", help="Record what would be done; change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the verb."""
        getattr(self, f"_{options['verb']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        catalog.current()
        rows = Playbook.objects.select_related("published_by", "modified_by").order_by("order", "name")
        self.stdout.write(json.dumps([playbook_dict(row) for row in rows], indent=2))

    def _check(self, options: dict[str, Any]) -> None:
        loaded = load(settings.PLAYBOOK_DIRS)
        for found in sorted(loaded.found.values(), key=lambda found: found.spec.name):
            self.stdout.write(f"{found.spec.name}  {found.spec.trigger}  {found.module}")
        for problem in loaded.problems:
            self.stderr.write(f"{problem.path}: {problem.message}\n{problem.traceback}")
        if loaded.problems:
            raise CommandError(f"{len(loaded.problems)} cannot be loaded.")

    def _run(self, options: dict[str, Any]) -> None:
        catalog.current()
        try:
            run = run_by_hand(
                Actor.system(),
                options["name"],
                alert=options["alert"],
                incident=options["incident"],
                dry_run=options["dry_run"],
                ring=False,
            )
        except CaseError as error:
            raise CommandError(error.message) from error
        if run.playbook.kind == "response":
            work.through(run.pk)
        else:
            engine.execute(run.pk)
        done = run_for(Actor.system(), run.pk)
        rows = list(done.tasks.select_related(*TASK_RELATED))
        self.stdout.write(json.dumps(run_dict(done, list(done.steps.all()), rows), indent=2))
        if done.status != "successful":
            raise CommandError(f"The run is {done.state.label.lower()}. {done.error}")
