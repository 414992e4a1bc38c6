"""Headers that an admin adds to a webhook: one a line, ``Name: value``."""

from __future__ import annotations

import re

from soar.connectors.errors import ConnectorError

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Those that the request itself needs and the signature's own.
TAKEN = {"host", "content-length", "transfer-encoding", "connection", "webhook-id", "webhook-timestamp"}
MOST = 30


def parsed(text: str) -> dict[str, str]:
    """The headers. Raises ConnectorError with the number of the line that is none; the line itself may be a secret."""
    found = {}
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise ConnectorError(f"Line {number} is no header like Name: value.", permanent=True)
        if name.lower() in TAKEN:
            raise ConnectorError(f"Line {number}: {name} cannot be set.", permanent=True)
        found[name] = value
    if len(found) > MOST:
        raise ConnectorError(f"There are more than {MOST} headers.", permanent=True)
    return found
