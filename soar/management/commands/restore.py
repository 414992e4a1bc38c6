"""``manage.py restore FILE`` (contract: Commands)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from cases import evidence_store
from cases.models import Evidence
from soar import env
from soar.accounts.audit import record
from soar.backup import BackupError
from soar.backup.programs import programs, server_major
from soar.backup.reading import Opened, opened
from soar.backup.restoring import restore
from soar.lib.crypto import DecryptionError, check_all


class Command(BaseCommand):
    """With the portal stopped. Everything is compared with the manifest before the first change."""

    help = "Bring a backup back into an empty portal. Stop the portal first."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--replace", action="store_true", help="delete what this portal holds")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason; then nothing was changed."""
        passphrase = env.text("SOAR_BACKUP_PASSPHRASE", "")
        try:
            programs(server_major())  # to unpack takes its time
            with opened(options["file"], Path(settings.DATA_DIR), passphrase) as backup:
                restore(backup, replace=options["replace"])
                self._finish(backup, options["file"].name)
        except BackupError as error:
            raise CommandError(str(error)) from error

    def _finish(self, backup: Opened, name: str) -> None:
        """Migrate to this version, note it, and say what is not as it should be."""
        call_command("migrate", verbosity=0, interactive=False)
        record(None, "backup.restored", name, made_at=backup.manifest["made_at"])
        self.stdout.write(f"Restored the portal of {backup.manifest['made_at']} ({len(backup.files())} files).")
        for line in _wrong():
            self.stdout.write(line)
        self.stdout.write("Everybody signs in again. Next: manage.py verify_timeline, then start the portal.")


def _wrong() -> list[str]:
    kept = set(evidence_store.kept())
    missing = [one for one in Evidence.objects.kept().values_list("sha256", flat=True) if one not in kept]
    lines = [f"The file {one} of evidence is not in the backup." for one in missing]
    try:
        check_all()
    except DecryptionError as error:
        lines.append(str(error))
    return lines
