"""The maps of a ticket profile: what each takes, and what contradicts itself (servicenow.md 2)."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import Determination, Findings, IncidentStatus, Severity

VALUE_AT_MOST = 100
PAIRS_AT_MOST = 500
SYS_ID = re.compile(r"[0-9a-f]{32}")
STATUSES, SEVERITIES, DETERMINATIONS = IncidentStatus.words(), Severity.words(), Determination.words()
# By map: the words of ours on its left (None: a value of theirs), and on its right.
# A finding, where it is mapped, is asked before the determination that it belongs to.
VERDICTS = [*DETERMINATIONS, *(one for one in Findings.values if one)]
LEFT = {"status": STATUSES, "severity": SEVERITIES, "close_code": VERDICTS}
RIGHT = {"state": STATUSES, "priority": SEVERITIES, "close_code_in": VERDICTS}
REFERENCES = ("user", "group")


def checked_map(name: str, pairs: Any, errors: dict[str, str]) -> dict[str, Any]:
    """The pairs of a map that are filled in; what is wrong goes to ``errors`` by ``map:left``."""
    if not isinstance(pairs, dict) or len(pairs) > PAIRS_AT_MOST:
        errors[name] = _("A map has at most %(pairs_at_most)s pairs.") % {"pairs_at_most": PAIRS_AT_MOST}
        return {}
    found: dict[str, Any] = {}
    for left, right in pairs.items():
        if right in ("", None, {}):
            continue
        if problem := _problem(name, str(left), right):
            errors[f"{name}:{left}"] = problem
        else:
            found[str(left)] = right
    return found


def contradictions(maps: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Statuses that go out as a state which comes back as the opposite: the two sides would close and open each other
    for ever. By ``status:word``."""
    back = maps.get("state", {})
    wrong = {}
    for ours, theirs in maps.get("status", {}).items():
        again = back.get(theirs)
        if again and _open(again) != _open(ours):
            wrong[f"status:{ours}"] = _(
                "It goes out as %(theirs)s, which comes back as %(again)s: one side would close what the other opens."
            ) % {"theirs": theirs, "again": again}
    return wrong


def _open(status: str) -> bool:
    return IncidentStatus.from_word(status).is_open


def _problem(name: str, left: str, right: Any) -> str:
    if not left or len(left) > VALUE_AT_MOST or left not in LEFT.get(name, [left]):
        return _("There is no %(left)s of ours.") % {"left": f"{left!s:.40}"}
    if name in REFERENCES:
        fine = isinstance(right, dict) and SYS_ID.fullmatch(str(right.get("value", "")))
        return "" if fine else _("A reference has the sys_id of its row, 32 hexadecimal digits.")
    if not isinstance(right, str) or len(right) > VALUE_AT_MOST:
        return _("At most %(value_at_most)s characters.") % {"value_at_most": VALUE_AT_MOST}
    if name == "severity":
        parts = right.split(",")
        return "" if len(parts) == 2 and all(parts) else _("Impact and urgency go together: choose both.")
    return (
        "" if right in RIGHT.get(name, [right]) else _("There is no %(right)s of ours.") % {"right": f"{right!s:.40}"}
    )
