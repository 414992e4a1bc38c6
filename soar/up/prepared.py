"""Whether everything that ``manage.py prepare`` does was done before for just this code, these files and this database.

Answering needs a query and a few looks at files instead of loading all applications: a second start is quick.
"""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg

from soar import env
from soar.embedded import Server

APPLIED = "SELECT md5(string_agg(app || '.' || name, ' ' ORDER BY app, name)) FROM django_migrations"


class Prepared:
    """The mark ``prepared`` in the data folder. ``database`` is the embedded server, or None for ``DATABASE_URL``."""

    def __init__(self, settings: ModuleType, database: Server | None) -> None:
        self._settings = settings
        self._database = database
        self._mark = Path(settings.DATA_DIR) / "prepared"

    def is_done(self) -> bool:
        """Whether nothing has changed since ``remember``."""
        return self._mark.exists() and self._mark.read_text(encoding="ascii") == self._state()

    def remember(self) -> None:
        """Note that all is done."""
        self._mark.write_text(self._state(), encoding="ascii")

    def _state(self) -> str:
        found = hashlib.sha256(self._applied().encode())
        for line in self._things():
            found.update(f"{line}\n".encode())
        return found.hexdigest()

    def _applied(self) -> str:
        """What the database says of its migrations; "" for one that has none."""
        address = self._database.dsn() if self._database else env.text("DATABASE_URL")
        try:
            with psycopg.connect(address) as connection:
                row = connection.execute(APPLIED).fetchone()
        except psycopg.Error:
            return ""
        return str(row[0]) if row else ""

    def _things(self) -> Iterator[str]:
        """Migrations, static files and versions of packages that are here."""
        base = Path(self._settings.BASE_DIR)
        for path in sorted(base.glob("*/migrations/*.py")) + sorted(base.glob("soar/*/migrations/*.py")):
            yield _line(path)
        for path in sorted((base / "static").rglob("*")):
            yield _line(path)
        for path in sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info")):
            yield path.name


def _line(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"
