"""The id by which a ticket is known to be an incident's, whoever lost the answer to its creation (servicenow.md 3)."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from soar.lib import clock

LONGEST = 100  # of ServiceNow's field
INSTALLATION = re.compile(r"[0-9a-f]{8}")


def prefix(installation: str) -> str:
    """What the ids of all tickets of this installation (8 hexadecimal digits) begin with. Raises ValueError."""
    if not INSTALLATION.fullmatch(installation):
        raise ValueError(f"{installation!r:.40} is no installation: 8 hexadecimal digits")
    return f"soar:{installation}:"


def correlation_id(installation: str, incident: int, created_at: datetime, turn: int = 0) -> str:
    """The id of an incident's ticket. ``created_at``: of the incident, so that one which got the number of a deleted
    one is told apart. ``turn``: how many tickets it had before. Raises ValueError for one over 100 characters."""
    told = f"{clock.iso(created_at)} {turn}" if turn else str(clock.iso(created_at))
    made = f"{prefix(installation)}{incident}:{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if len(made) > LONGEST:
        raise ValueError(f"the correlation id has {len(made)} characters, more than {LONGEST}")
    return made
