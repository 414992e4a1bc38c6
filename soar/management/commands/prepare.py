"""``manage.py prepare``: what must be done before the portal can be used. Quick when there is nothing to do."""

from __future__ import annotations

import compileall
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from soar import env
from soar.accounts.actions.users import ensure_admin
from soar.lib.migrating import alone, clear_begun

LOCK = 5_021_974_302  # any number, the same on every host


class Command(BaseCommand):
    """Migrations, static files, the first admin."""

    help = "Apply migrations, collect static files if they changed, and make the first login."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Every step says what it does, and only when there is something to do."""
        _compile()
        self._collect()  # first: pages need the files also while the database is still awaited
        self._migrate()
        self._first_login()

    def _migrate(self) -> None:
        with alone(LOCK):  # on several hosts at once, one migrates and the others wait
            self._migrate_alone()

    def _migrate_alone(self) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self._say(f"applying {len(plan)} migrations")
            for name in clear_begun([migration for migration, _ in plan], apps):
                self._say(f"building the index {name} again: it was cut off")
            call_command("migrate", verbosity=0, interactive=False)

    def _say(self, line: str) -> None:
        """At once: in a journal Python would keep it until the end, and migrations may take long."""
        self.stdout.write(line)
        self.stdout.flush()

    def _collect(self) -> None:
        stamp = Path(settings.STATIC_ROOT) / ".collected"
        digest = _digest()
        if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
            return
        self._say("collecting static files")
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(digest, encoding="ascii")

    def _first_login(self) -> None:
        given = env.text("SOAR_ADMIN_PASSWORD", "")
        made = ensure_admin(given or None)
        if made and not given:
            self.stdout.write(f"first login, shown this once: admin / {made}")
        elif made:
            self.stdout.write("first login: admin, with the password in SOAR_ADMIN_PASSWORD")


def _compile() -> None:
    """Keep our programs compiled as pip keeps packages: where Python is told to write no bytecode by itself
    (``PYTHONDONTWRITEBYTECODE``, usual in containers) every process of every start would compile all of them."""
    if not sys.dont_write_bytecode:
        return
    for room in ("soar", "cases", "playbooks"):
        compileall.compile_dir(Path(settings.BASE_DIR) / room, quiet=2)  # says nothing, also of a read-only folder


def _digest() -> str:
    """Changes whenever a static file does: names, sizes and times of all of them."""
    found = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda item: item[0]):
            status = os.stat(storage.path(name))
            found.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
