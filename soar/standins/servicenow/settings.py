"""What can be arranged of the instance by its control, with what it begins with."""

from __future__ import annotations

from typing import Any

# Seconds in skew, delay, window and token_seconds; ``frozen``: the time at which its clock stands still, as stored.
SETTINGS: dict[str, Any] = {
    "skew": 0, "frozen": "", "delay": 0.0, "down_until": 0.0, "down_how": "drop", "hibernating": False,
    "budget": None, "window": 3600, "journal_read": "yes", "audit_read": "no",
    "unreadable": [], "unwritable": [], "closed_tables": [],
    "members_only": False, "sir_process": "stateful", "journal_limit": 65_000, "token_seconds": 1799,
    "refused_states": [], "attachment_touches": False,
    "staging": {"u_soar_incident": "incident", "u_soar_security": "sn_si_incident"},
}  # fmt: skip
