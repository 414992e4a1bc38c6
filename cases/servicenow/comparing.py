"""Whether both sides say the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.servicenow.inward import READERS, tells
from cases.servicenow.outward import NOTES_AT_MOST, made
from cases.servicenow.rules import CaseState, ProfileRules, Raw, Unmapped, is_ended


def agrees(rules: ProfileRules, case: CaseState, name: str, raw: Mapping[str, str]) -> bool:
    """Whether both sides say the same of this field, in whatever words: maps may put several values in one."""
    wanted = made(rules, case)[name]
    if isinstance(wanted, dict) and all(raw.get(key) == value for key, value in wanted.items()):
        return True
    if not tells(name, raw):
        return False
    read = READERS[name](rules, raw, case)
    if name == "title":
        return bool(read == case.title)
    if name == "status":
        return bool(read == case.status) or _both_ended(rules, case, str(read or ""), wanted)
    if name == "determination":
        return _same_end(case, read, wanted, raw)
    return bool(read == getattr(case, name))


def _both_ended(rules: ProfileRules, case: CaseState, read: str, wanted: Raw | Unmapped) -> bool:
    """Two ends are one, so a ticket that closes itself changes nothing; but closing what is only resolved there goes
    out where the map tells the two apart."""
    if not (case.ended and is_ended(read)):
        return False
    distinct = rules.map("status").get("closed") != rules.map("status").get("resolved")
    return not (case.status == "closed" and read == "resolved" and distinct and isinstance(wanted, dict))


def _same_end(case: CaseState, read: Any, wanted: Raw | Unmapped, raw: Mapping[str, str]) -> bool:
    if not isinstance(read, dict) and not isinstance(wanted, dict):
        return False
    code = isinstance(read, dict) and read["determination"] == case.determination
    code = code or (isinstance(wanted, dict) and wanted["close_code"] == raw.get("close_code"))
    notes = raw.get("close_notes", "").strip()
    told = [case.reason.strip()[:NOTES_AT_MOST].strip(), wanted["close_notes"] if isinstance(wanted, dict) else ""]
    return bool(code) and notes in told
