"""``playbook list``, ``check``, ``run NAME --alert N``, ``import FILE``, ``export NAME`` (contract: Commands)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from cases.actors import Actor
from cases.errors import CaseError, Refused
from playbooks import catalog, engine
from playbooks.actions import enable, graph_files, publishing, run_by_hand
from playbooks.exports import cacao_of
from playbooks.loader import load
from playbooks.models import Playbook
from playbooks.representation import playbook_dict, run_dict, whole_playbook
from playbooks.response import work
from playbooks.response_selectors import TASK_RELATED
from playbooks.selectors import playbook_named, run_for
from soar.accounts.models import User


class Command(BaseCommand):
    """``list``, ``run``, ``import`` and ``export`` print JSON alone on standard output."""

    help = "List, check, run, import and export playbooks."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="All playbooks as JSON")
        verbs.add_parser("check", help="Load all files; fails if one cannot be loaded")
        run = verbs.add_parser("run", help="Run one now, in this process, and print the run as JSON")
        run.add_argument("name")
        run.add_argument("--alert", help="Id or number of the alert")
        run.add_argument("--incident", help="Id or number of the incident")
        run.add_argument("--dry-run", action="store_true", help="Record what would be done; change nothing")
        bring = verbs.add_parser("import", help="A response playbook from its JSON; a draft unless it is published")
        bring.add_argument("file", help="The JSON of `export`; - is standard input")
        bring.add_argument(
            "--publish-as", metavar="USERNAME", help="Publish it: it then acts with this person's rights"
        )
        bring.add_argument("--enable", action="store_true", help="Switch it on; needs --publish-as")
        export = verbs.add_parser("export", help="A response playbook as JSON")
        export.add_argument("name", help="Its name or id")
        export.add_argument("--cacao", action="store_true", help="The published version as CACAO 2.0")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the verb."""
        getattr(self, f"_{options['verb']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        catalog.current()
        rows = Playbook.objects.select_related("published_by", "modified_by", "current").order_by("order", "name")
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

    def _import(self, options: dict[str, Any]) -> None:
        if options["enable"] and not options["publish_as"]:
            raise CommandError("--enable needs --publish-as: what runs acts with somebody's rights.")
        try:
            text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8-sig")
            document = json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            raise CommandError(f"{options['file']} cannot be read as JSON: {error}") from error
        try:
            row = self._brought(document, options)
        except CaseError as error:
            found = [f"{one['field']}: {one['message']}" for one in error.extra.get("errors", [])]
            raise CommandError("\n".join(found or [error.message])) from error
        self.stdout.write(json.dumps(whole_playbook(playbook_named(row.pk)), indent=2))

    @transaction.atomic
    def _brought(self, document: Any, options: dict[str, Any]) -> Playbook:
        """All of it or nothing."""
        name = options["publish_as"]
        user = User.objects.filter(username=name, is_active=True).first() if name else None
        if name and user is None:
            raise Refused(f"There is no active user {name}.")
        actor = Actor.of(user) if user else Actor.system()
        row = graph_files.import_graph(actor, document)
        if user:
            publishing.publish(actor, row)
        return enable(actor, row) if options["enable"] else row

    def _export(self, options: dict[str, Any]) -> None:
        try:
            row = playbook_named(options["name"])
        except CaseError as error:
            raise CommandError(error.message) from error
        if row.kind != "response":
            raise CommandError(f"{row.name} is a Python playbook: its file is the export.")
        if options["cacao"] and row.current is None:
            raise CommandError(f"{row.name} was never published.")
        document = cacao_of(row) if options["cacao"] else graph_files.export(row)
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
