"""The choices of the instance (sys_choice): values and labels of a current release."""

from __future__ import annotations

from soar.standins.servicenow.schema import Row
from soar.standins.servicenow.store import fixed_id

LEVELS = (("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low"))
PRIORITIES = (
    ("1", "1 - Critical"), ("2", "2 - High"), ("3", "3 - Moderate"), ("4", "4 - Low"), ("5", "5 - Planning"),
)  # fmt: skip
STATES = (
    ("1", "New"), ("2", "In Progress"), ("3", "On Hold"), ("6", "Resolved"), ("7", "Closed"), ("8", "Canceled"),
)  # fmt: skip
CLOSE_CODES = (
    "Duplicate", "Known error", "No resolution provided", "Resolved by caller", "Resolved by change",
    "Resolved by problem", "Resolved by request", "Solution provided", "Workaround provided", "User error",
)  # fmt: skip
# What an older release had, still there but inactive.
OLD_CODES = ("Solved (Permanently)", "Solved (Work Around)", "Closed/Resolved by Caller")
HOLDS = (("1", "Awaiting Caller"), ("5", "Awaiting Change"), ("3", "Awaiting Problem"), ("4", "Awaiting Vendor"))
CATEGORIES = (
    ("inquiry", "Inquiry / Help"), ("software", "Software"), ("hardware", "Hardware"), ("network", "Network"),
    ("database", "Database"), ("security", "Security"),
)  # fmt: skip
CHANNELS = (("email", "Email"), ("phone", "Phone"), ("self-service", "Self-service"), ("integration", "Integration"))
SECURITY_STATES = (
    ("10", "Draft"), ("16", "Analysis"), ("18", "Contain"), ("19", "Eradicate"), ("20", "Recover"), ("100", "Review"),
    ("3", "Closed"), ("7", "Cancelled"),
)  # fmt: skip
SECURITY_CODES = (
    "Investigation completed", "Threat mitigated", "Patched vulnerability", "Invalid vulnerability", "Not resolved",
    "False positive",
)  # fmt: skip
SECURITY_CATEGORIES = (
    ("Phishing", "Phishing"), ("Malicious code activity", "Malicious code activity"),
    ("Unauthorized access", "Unauthorized access"), ("Denial of Service", "Denial of Service"),
)  # fmt: skip
CRITICALITY = (("1", "1 - Critical"), ("2", "2 - High"), ("3", "3 - Non-critical"))
VECTORS = (("email", "Email"), ("web", "Web"), ("external_media", "External/removable media"), ("other", "Other"))
GERMAN_STATES = (("1", "Neu"), ("2", "In Bearbeitung"), ("6", "Gelöst"), ("7", "Geschlossen"))
Pairs = tuple[tuple[str, str], ...]


def choice_rows() -> list[tuple[str, Row]]:
    """All rows of sys_choice. Impact, urgency and priority of security incidents stand at their parent, task."""
    rows = [
        *_rows("incident", "state", STATES),
        *_rows("incident", "state", GERMAN_STATES, language="de"),
        *_rows("incident", "close_code", _same(CLOSE_CODES)),
        *_rows("incident", "close_code", _same(OLD_CODES), inactive="true"),
        *_rows("incident", "hold_reason", HOLDS),
        *_rows("incident", "category", CATEGORIES),
        *_rows("incident", "impact", LEVELS),
        *_rows("incident", "urgency", LEVELS),
        *_rows("incident", "priority", PRIORITIES),
        *_rows("incident", "severity", LEVELS),
        *_rows("incident", "contact_type", CHANNELS),
        *_rows("task", "impact", LEVELS),
        *_rows("task", "urgency", LEVELS),
        *_rows("task", "priority", PRIORITIES),
        *_rows("task", "contact_type", CHANNELS),
        *_rows("sn_si_incident", "state", SECURITY_STATES),
        *_rows("sn_si_incident", "close_code", _same(SECURITY_CODES)),
        *_rows("sn_si_incident", "category", SECURITY_CATEGORIES),
        *_rows("sn_si_incident", "business_criticality", CRITICALITY),
        *_rows("sn_si_incident", "attack_vector", VECTORS),
        *_rows("sn_si_incident", "severity", LEVELS),
    ]
    return [("sys_choice", row) for row in rows]


def _same(values: tuple[str, ...]) -> Pairs:
    return tuple((value, value) for value in values)


def _rows(table: str, element: str, pairs: Pairs, *, language: str = "en", inactive: str = "false") -> list[Row]:
    return [
        {
            "sys_id": fixed_id("choice", table, element, value, language),
            "name": table,
            "element": element,
            "value": value,
            "label": label,
            "language": language,
            "inactive": inactive,
            "sequence": str(place * 10),
        }
        for place, (value, label) in enumerate(pairs, 1)
    ]
