"""The PostgreSQL that Soar brings along when no ``DATABASE_URL`` is given (operations.md 1).

Only the binaries come from a package; starting, watching and stopping them is done here.
"""

from soar.embedded.errors import EmbeddedError
from soar.embedded.postgres import Server
from soar.embedded.use import running_if_needed, server

__all__ = ["EmbeddedError", "Server", "running_if_needed", "server"]
