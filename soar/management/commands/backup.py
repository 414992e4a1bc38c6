"""``manage.py backup FILE`` (contract: Commands)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from soar import env
from soar.accounts.audit import record
from soar.backup import BackupError
from soar.backup.writing import write


class Command(BaseCommand):
    """Safe beside a running portal: the database is one snapshot."""

    help = "Write database, evidence and keys into one file; encrypted if SOAR_BACKUP_PASSPHRASE is set."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", metavar="FILE", type=Path, help="must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with the reason when there is no backup."""
        target, passphrase = options["file"], env.text("SOAR_BACKUP_PASSPHRASE", "")
        try:
            manifest = write(target, passphrase)
        except BackupError as error:
            raise CommandError(str(error)) from error
        size = target.stat().st_size
        record(None, "backup.made", target.name, size=size, files=len(manifest["files"]), encrypted=bool(passphrase))
        self.stdout.write(f"{target}: {size} bytes, {len(manifest['files'])} files.")
        if passphrase:
            self.stdout.write("Encrypted with the passphrase. Without it nothing in the file can be read.")
        else:
            self.stdout.write(
                "Not encrypted: it holds all cases and the keys of all secrets. Only its owner can read it "
                "(mode 0600); set SOAR_BACKUP_PASSPHRASE to encrypt it."
            )
