#!/usr/bin/env python3
"""Django's command line for Soar. Works with any Python: it goes on in the environment that make has made."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soar.embedded import Server

# Objects made until Python looks for garbage again. Its own 700 makes a quarter of the time in which the applications
# are loaded, for nothing: they stay.
GARBAGE_AFTER = 10_000
HERE = Path(__file__).resolve().parent
WITHOUT_DATABASE = {
    *("help", "version", "--help", "-h", "--version"),
    *("up", "check", "collectstatic", "spectacular", "diffsettings", "makemessages", "compilemessages"),
    *("standins", "upgrade_database"),
}
MAKE_DATABASE = {
    *("migrate", "makemigrations", "showmigrations", "sqlmigrate", "createcachetable", "shell", "dbshell"),
    "restore",
}


def use_environment() -> None:
    """Start again with the Python of ``.venv`` if there is one and this is another."""
    own = HERE / ".venv"
    if (own / "bin" / "python").exists() and Path(sys.prefix).resolve() != own.resolve():
        python = str(own / "bin" / "python")
        os.execv(python, [python, *sys.argv])  # noqa: S606  our own interpreter, our own arguments


def needs_database(command: str) -> bool:
    """Whether the embedded database has to run: not if another is given, nor below a supervisor, which has its own."""
    given = {"DATABASE_URL", "DATABASE_URL_FILE", "SOAR_ALIVE_FD"} & os.environ.keys()
    return command not in WITHOUT_DATABASE and not given


def refuse_without_cluster(command: str, own: Server) -> None:
    """Exit where there is no database yet and ``command`` is not one that makes it: a wrong SOAR_DATA, most likely."""
    if command not in MAKE_DATABASE and not own.is_made():
        sys.exit(
            f"There is no database in {own.data} yet. `make run` makes one; "
            "if it runs with another SOAR_DATA, give that to this command too."
        )


def run(command: str) -> None:
    """Run the command, with the embedded database for as long as it lasts if it is needed and does not run."""
    from django.core.management import execute_from_command_line

    from soar.lib.watchdog import watch_supervisor

    if command != "worker":  # which forks first, and then does it itself
        watch_supervisor()
    if not needs_database(command):
        execute_from_command_line(sys.argv)
        return
    from soar.embedded import EmbeddedError, running_if_needed, server

    try:
        refuse_without_cluster(command, server())
        with running_if_needed():
            execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(f"The database cannot be started: {error}")


def main() -> None:
    """Run a management command with the settings of Soar."""
    use_environment()
    gc.set_threshold(GARBAGE_AFTER)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soar.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command == "up" and len(sys.argv) == 2:
        from soar.up.supervisor import main as up  # the supervisor stays small: no applications are loaded

        sys.exit(up())
    run(command)


if __name__ == "__main__":
    main()
