"""Three-way merge: what becomes of a field that may have changed here, there, or on both sides (servicenow.md 6). Pure.

``base`` is what both sides had when they last agreed: by field ``{"ours": value, "theirs": {ticket field: raw}}``.
``pending`` has the same shape: what is being written. Where the ticket has just that, the change there is our own, of
which only the answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from cases.servicenow.mapping import (
    UNMAPPED,
    VALUES,
    CaseState,
    ProfileRules,
    agrees,
    close_of,
    incoming,
    ours,
    outgoing,
    raw_of,
    ticket_ended,
)

MISSING = object()


class Step(Enum):
    """What to do about a field. ``SETTLE``: both say the same, only the base moves. ``HOLD_*``: one side changed to
    what has no counterpart on the other, so it is left alone."""

    KEEP = "keep"
    SETTLE = "settle"
    TAKE = "take"
    SEND = "send"
    ASK = "ask"
    HOLD_IN = "hold_in"
    HOLD_OUT = "hold_out"


@dataclass(frozen=True, slots=True)
class Decision:
    """``conflict``: both sides had changed, and the step says who won."""

    step: Step
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of one field."""

    direction: str
    winner: str
    ours_changed: bool
    theirs_changed: bool
    agree: bool
    can_send: bool
    can_take: bool
    ours_newer: bool = False


def decide(sides: Sides) -> Decision:
    """What to do about one field."""
    sends, takes = sides.direction in ("both", "out"), sides.direction in ("both", "in")
    mine, yours = sides.ours_changed and sends, sides.theirs_changed and takes
    if sides.direction == "off" or not (sides.ours_changed or sides.theirs_changed):
        return Decision(Step.KEEP)
    if sides.agree:
        return Decision(Step.SETTLE)
    if mine and yours:
        return _conflict(sides)
    if mine:
        return Decision(Step.SEND if sides.can_send else Step.HOLD_OUT)
    if yours:
        return Decision(Step.TAKE if sides.can_take else Step.HOLD_IN)
    return Decision(Step.KEEP)


def _conflict(sides: Sides) -> Decision:
    if sides.winner == "ask":
        return Decision(Step.ASK, True)
    wins = sides.winner == "ours" or (sides.winner == "newest" and sides.ours_newer)
    if wins:
        return Decision(Step.SEND, True) if sides.can_send else Decision(Step.HOLD_OUT, True)
    # What cannot be taken cannot win, but it is not overwritten either.
    return Decision(Step.TAKE, True) if sides.can_take else Decision(Step.HOLD_IN, True)


def plan(
    rules: ProfileRules,
    case: CaseState,
    base: Mapping[str, Any],
    raw: Mapping[str, str],
    newer: Callable[[str], bool] = lambda name: False,
) -> dict[str, Decision]:
    """By field, what to do. ``newer``: whether our change of a field is younger than theirs; asked only in a conflict
    that it decides."""
    now, out, read = ours(rules, case), _writable(rules, case), incoming(rules, raw, case)
    decisions = {}
    for name in VALUES:
        if not _relevant(rules, case, name, raw):
            continue
        known = base.get(name) or {}
        sides = Sides(
            direction=rules.direction(name),
            winner=rules.winner(name),
            ours_changed=known.get("ours", MISSING) != now[name],
            theirs_changed=_theirs_changed(rules, case, name, known.get("theirs"), raw),
            agree=agrees(rules, case, name, raw),
            can_send=name in out,
            can_take=name in read and read[name] is not UNMAPPED,
        )
        if sides.winner == "newest" and sides.ours_changed and sides.theirs_changed and not sides.agree:
            sides = replace(sides, ours_newer=newer(name))
        decisions[name] = decide(sides)
    return decisions


def arrived(base: Mapping[str, Any], pending: Mapping[str, Any], raw: Mapping[str, str]) -> dict[str, Any]:
    """The base, moved for what was being written and stands there now. Of a write that goes over several states
    (``via``) one of these may stand there: it is no change of theirs, and ours is not there yet."""
    moved = dict(base)
    for name, written in pending.items():
        theirs, now = written.get("theirs") or {}, raw_of(name, raw)
        if theirs and all(raw.get(key) == value for key, value in theirs.items()):
            moved[name] = {"ours": written.get("ours"), "theirs": now}
        elif now in written.get("via", ()):
            moved[name] = {**(base.get(name) or {}), "theirs": now}
    return moved


def agreed(rules: ProfileRules, case: CaseState, name: str, raw: Mapping[str, str]) -> dict[str, Any]:
    """The base of a field on which both sides agree now."""
    return {"ours": ours(rules, case)[name], "theirs": raw_of(name, raw)}


def _writable(rules: ProfileRules, case: CaseState) -> dict[str, Any]:
    out: dict[str, Any] = dict(outgoing(rules, case))
    if rules.sends("determination") and close_of(rules, case) is not UNMAPPED:
        out["determination"] = close_of(rules, case)
    return out


def _relevant(rules: ProfileRules, case: CaseState, name: str, raw: Mapping[str, str]) -> bool:
    """How it ended is compared once one side has ended."""
    return name != "determination" or case.ended or ticket_ended(rules, raw)


def _theirs_changed(rules: ProfileRules, case: CaseState, name: str, known: Any, raw: Mapping[str, str]) -> bool:
    """Whether it means something else than before: states and priorities that are one of ours may change in silence.
    What the ticket does not show has not changed."""
    now = raw_of(name, raw)
    if known is None:
        return bool(now)
    before = {key: known[key] for key in now if key in known}
    if all(now[key] == value for key, value in before.items()):
        return False
    read = incoming(rules, {**raw, **before}, case), incoming(rules, raw, case)
    old, new = (one.get(name, UNMAPPED) for one in read)
    return new is UNMAPPED or old is UNMAPPED or bool(old != new)
