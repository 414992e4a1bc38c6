"""What a new ticket profile begins with, by table (servicenow.md 2). Pure."""

from __future__ import annotations

from typing import Any

from cases.servicenow.notes import DEFAULT_KINDS

Maps = dict[str, dict[str, Any]]
_LEVELS: Maps = {
    "severity": {"critical": "1,1", "high": "1,2", "medium": "2,2", "low": "2,3", "informational": "3,3"},
    "priority": {"1": "critical", "2": "high", "3": "medium", "4": "low", "5": "informational"},
    "user": {},
    "group": {},
}
INCIDENT: Maps = {
    # Closing a ticket for good takes a role of its own, so both of our ends are "Resolved"; it closes itself later.
    "status": {"open": "1", "in_progress": "2", "contained": "2", "resolved": "6", "closed": "6"},
    "state": {"1": "open", "2": "in_progress", "3": "in_progress", "6": "resolved", "7": "closed", "8": "closed"},
    "close_code": {
        "malicious": "Solution provided", "suspicious": "Workaround provided", "benign": "No resolution provided",
    },
    "close_code_in": {
        "Solution provided": "malicious", "Workaround provided": "suspicious", "No resolution provided": "benign",
        "Duplicate": "benign", "Known error": "benign", "User error": "benign", "Resolved by caller": "benign",
        "Resolved by change": "benign", "Resolved by problem": "benign", "Resolved by request": "benign",
    },
    **_LEVELS,
}  # fmt: skip
SECURITY: Maps = {
    "status": {"open": "10", "in_progress": "16", "contained": "18", "resolved": "100", "closed": "3"},
    "state": {
        "10": "open", "16": "in_progress", "18": "contained", "19": "contained", "20": "contained",
        "100": "resolved", "3": "closed", "7": "closed",
    },
    "close_code": {
        "malicious": "Threat mitigated", "suspicious": "Investigation completed", "benign": "False positive",
    },
    "close_code_in": {
        "Threat mitigated": "malicious", "Patched vulnerability": "malicious", "Not resolved": "suspicious",
        "Investigation completed": "suspicious", "Invalid vulnerability": "benign", "False positive": "benign",
    },
    **_LEVELS,
}  # fmt: skip
OTHER: Maps = {
    "status": {"open": "1", "in_progress": "2", "contained": "2", "resolved": "3", "closed": "3"},
    "state": {"-5": "open", "1": "open", "2": "in_progress", "3": "closed", "4": "closed", "7": "closed"},
    "close_code": {},
    "close_code_in": {},
    **_LEVELS,
}
DEFAULT_MAPS: dict[str, Maps] = {"incident": INCIDENT, "sn_si_incident": SECURITY}
MAPS = ("status", "state", "severity", "priority", "close_code", "close_code_in", "user", "group")
# Security incidents go through these one after the other where the instance does not let any be left out.
STEPS: dict[str, tuple[str, ...]] = {"sn_si_incident": ("10", "16", "18", "19", "20", "100", "3")}


def maps_of(table: str) -> Maps:
    """The maps for a table, as copies."""
    return {name: dict(pairs) for name, pairs in DEFAULT_MAPS.get(table, OTHER).items()}


def defaults(table: str) -> dict[str, Any]:
    """The fields of a new TicketProfile for ``table``: maps, directions, winners, kinds of notes."""
    values = ("title", "severity", "status", "determination", "owner", "team")
    return {
        "maps": maps_of(table),
        "directions": {**dict.fromkeys(values, "both"), "notes": "both", "evidence": "off"},
        "winners": dict.fromkeys(values, "newest"),
        "note_kinds": list(DEFAULT_KINDS),
    }
