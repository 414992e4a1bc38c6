"""A ticket's values as the incident has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.choices import FINDINGS_OF
from cases.servicenow.rules import RAW, UNMAPPED, CaseState, ProfileRules, is_ended
from cases.servicenow.templates import unrender


def incoming(rules: ProfileRules, raw: Mapping[str, str], case: CaseState | None = None) -> dict[str, Any]:
    """By field that comes in, the value of ours that the ticket's fields mean, or UNMAPPED. A field that the ticket
    does not show is left out, and so is the determination of a ticket that is open."""
    found: dict[str, Any] = {}
    for name, reader in READERS.items():
        if rules.takes(name) and tells(name, raw):
            found[name] = reader(rules, raw, case or CaseState())
    if "determination" in found and not ticket_ended(rules, raw):
        found.pop("determination")
    return found


def ticket_ended(rules: ProfileRules, raw: Mapping[str, str]) -> bool:
    """Whether the ticket is resolved or closed, by the map of its states."""
    return is_ended(str(rules.map("state").get(raw.get("state", ""), "")))


def tells(name: str, raw: Mapping[str, str]) -> bool:
    """Whether the ticket shows what the field is read from."""
    keys = RAW[name]
    return any(key in raw for key in keys) if name == "severity" else keys[0] in raw


def _title(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    text = raw["short_description"]
    return unrender(rules.short_description, case.words, text)[:300] or UNMAPPED


def _severity(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    pair = f"{raw.get('impact', '')},{raw.get('urgency', '')}"
    for word, theirs in rules.map("severity").items():
        if str(theirs).replace(" ", "") == pair:
            return word
    return rules.map("priority").get(raw.get("priority", "")) or UNMAPPED


def _status(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    return rules.map("state").get(raw["state"]) or UNMAPPED


def _determination(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    code = raw["close_code"]
    word = rules.map("close_code_in").get(code)
    if not word:  # also by the map of the other direction, if it says so of one alone
        fit = [ours for ours, theirs in rules.map("close_code").items() if theirs == code and code]
        back = {_BY_FINDINGS.get(ours, ours) for ours in fit}
        word = back.pop() if len(back) == 1 else None
    word = _BY_FINDINGS.get(str(word), word)
    return {"determination": str(word), "notes": raw.get("close_notes", "")} if word else UNMAPPED


def _owner(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    return _back(rules.map("user"), raw["assigned_to"], case.owner)


def _team(rules: ProfileRules, raw: Mapping[str, str], case: CaseState) -> Any:
    return _back(rules.map("group"), raw["assignment_group"], case.team)


def _back(pairs: Mapping[str, Any], theirs: str, now: str) -> Any:
    """Of several that are one there, the one that it is now."""
    if not theirs:
        return ""
    fit = [name for name, one in pairs.items() if (one or {}).get("value") == theirs]
    return now if now in fit else fit[0] if fit else UNMAPPED


READERS = {
    "title": _title,
    "severity": _severity,
    "status": _status,
    "determination": _determination,
    "owner": _owner,
    "team": _team,
}
_BY_FINDINGS = {
    finding.value: verdict.word for verdict, findings in FINDINGS_OF.items() for finding in findings if finding.value
}
