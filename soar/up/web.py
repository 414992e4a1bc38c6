"""The web server: granian, a few processes with a few threads each (``python -m soar.up.web``)."""

from __future__ import annotations

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from soar import settings
from soar.lib.watchdog import watch_supervisor

THREADS = 4
BACKLOG = 1024


def main() -> None:
    """Serve until SIGTERM."""
    watch_supervisor()
    Server(
        "soar.wsgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        workers=settings.WEB_WORKERS,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    main()
