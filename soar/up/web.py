"""The web server: granian, a few processes with a few threads each (``python -m soar.up.web``).

The applications are loaded once, before the server's processes are forked from this one: that is quicker than loading
them in each, and they share the memory.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from soar import settings
from soar.lib.watchdog import watch_parent, watch_supervisor

THREADS = 4
BACKLOG = 1024


def load(*_target: object) -> Any:
    """The application, in a process of the server; that process ends when its parent is gone."""
    watch_parent()
    return _application()


def main() -> None:
    """Serve until SIGTERM."""
    watch_supervisor()
    _check_static()
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
        gc.disable()  # what is loaded stays: to look for garbage in it on the way takes a quarter of the time
        _application()
        gc.freeze()  # to look at it again would only copy the shared pages
        gc.enable()
    server = Server(
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
    )
    server.serve(target_loader=load, wrap_loader=False)


def _check_static() -> None:
    """End with a sentence where the static files were not collected yet: what they are called is read once, and every
    page would be an error until the next start. The service manager starts the web again."""
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not settings.DEBUG and not manifest.exists():
        raise SystemExit(f"{manifest} is missing: manage.py prepare has to come first.")


def _application() -> Any:
    from soar.wsgi import application

    return application


if __name__ == "__main__":
    main()
