"""The embedded server of this installation, and a database for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from soar.embedded.errors import InUse
from soar.embedded.postgres import Server
from soar.paths import data_dir, socket_dir


def server() -> Server:
    """The server of ``SOAR_DATA``; not started."""
    return Server(data_dir(), socket_dir())


@contextmanager
def running_if_needed() -> Iterator[bool]:
    """Inside, the embedded database runs: the one of ``make run``, or one started for as long as this lasts.

    Gives whether it was started here. Raises EmbeddedError when it cannot be started.
    """
    own = server()
    try:
        own.take()
    except InUse:  # `make run` or another command has it running
        yield False
        return
    own.start()
    try:
        own.ensure_database()
        yield True
    finally:
        own.stop()
