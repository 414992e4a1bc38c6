"""An incident's values as a ticket has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.servicenow.rules import UNMAPPED, CaseState, ProfileRules, Raw, Unmapped
from cases.servicenow.templates import render

TITLE_AT_MOST, NOTES_AT_MOST = 160, 4000


def ours(rules: ProfileRules, case: CaseState) -> dict[str, Any]:
    """The values of ours by field, as they are compared with those of the last agreement. The title is the short
    description that it makes."""
    return {
        "title": render(rules.short_description, case.words),
        "severity": case.severity,
        "status": case.status,
        "determination": {"determination": case.determination, "notes": case.reason},
        "owner": case.owner,
        "team": case.team,
    }


def outgoing(rules: ProfileRules, case: CaseState) -> dict[str, Raw]:
    """By field that goes out, what the ticket's fields should be. A value without a counterpart is left out, and so is
    a determination while the incident is open."""
    values = made(rules, case)
    if not case.ended:
        values.pop("determination")
    return {name: raw for name, raw in values.items() if rules.sends(name) and isinstance(raw, dict)}


def close_of(rules: ProfileRules, case: CaseState) -> Raw | Unmapped:
    """What a ticket needs to be resolved: code and notes."""
    code = rules.map("close_code").get(case.findings) or rules.map("close_code").get(case.determination)
    if not code:
        return UNMAPPED
    notes = case.reason or f"{case.number} was {case.status} in Soar as {case.determination}."
    return {"close_code": str(code), "close_notes": notes.strip()[:NOTES_AT_MOST]}


def made(rules: ProfileRules, case: CaseState) -> dict[str, Raw | Unmapped]:
    """Each field whatever its direction, UNMAPPED without a counterpart."""
    pair = str(rules.map("severity").get(case.severity) or "").split(",")
    return {
        "title": {"short_description": render(rules.short_description, case.words)[:TITLE_AT_MOST].strip()},
        "severity": {"impact": pair[0].strip(), "urgency": pair[1].strip()} if len(pair) == 2 else UNMAPPED,
        "status": _one("state", rules.map("status").get(case.status)),
        "determination": close_of(rules, case),
        "owner": _reference("assigned_to", rules.map("user"), case.owner),
        "team": _reference("assignment_group", rules.map("group"), case.team),
    }


def _one(name: str, value: Any) -> Raw | Unmapped:
    return {name: str(value)} if value else UNMAPPED


def _reference(name: str, pairs: Mapping[str, Any], value: str) -> Raw | Unmapped:
    """Nobody is nobody there too."""
    return _one(name, (pairs.get(value) or {}).get("value")) if value else {name: ""}
