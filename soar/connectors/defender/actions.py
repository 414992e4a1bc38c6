"""Machine actions of Defender: which request makes one, and how far one is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from soar.connectors.capabilities import Result

Row = dict[str, Any]
STATES = {
    "Pending": "accepted",
    "InProgress": "accepted",
    "Succeeded": "done",
    "Failed": "failed",
    "TimeOut": "failed",
    "Cancelled": "cancelled",
}
SENTENCES = {
    "Pending": "Defender holds the action until the machine asks for it.",
    "InProgress": "The machine is at it.",
    "Succeeded": "Defender reports success.",
    "Failed": "Defender reports a failure.",
    "TimeOut": "The machine did not do it in time.",
    "Cancelled": "The action was cancelled in Defender.",
}
ISOLATE, RELEASE, SCAN = "Isolate", "Unisolate", "RunAntiVirusScan"


@dataclass(frozen=True, slots=True)
class Action:
    """``path``: below the machine. ``type``: how Defender calls it. ``kin``: the types that tell its machine's state;
    the last one of them decides. ``already``: the sentence when nothing is to be done; "" if it is done again then.
    ``setting``: the setting that is sent, by the name it is sent with."""

    path: str
    type: str
    kin: tuple[str, ...]
    already: str = ""
    setting: dict[str, str] = field(default_factory=dict)


ACTIONS = {
    "isolate_endpoint": Action(
        "isolate", ISOLATE, (ISOLATE, RELEASE), "{} is isolated already.", {"IsolationType": "isolation"}
    ),
    "restore_endpoint": Action("unisolate", RELEASE, (ISOLATE, RELEASE), "{} is not isolated any more."),
    "scan_endpoint": Action("runAntiVirusScan", SCAN, (SCAN,), "", {"ScanType": "scan"}),
}


def result_of(row: Row) -> Result:
    """How far an action is. A word that is not known counts as under way, and is shown as it is."""
    word = str(row.get("status") or "")
    state = STATES.get(word, "accepted")
    text = SENTENCES.get(word, f"State: {word}.")
    if state == "failed" and (why := row.get("errorHResult")):
        text = f"{text} Error {why}."
    if state == "cancelled" and (why := str(row.get("cancellationComment") or "")):
        text = f"{text} {why[:300]}"
    return Result(state, text, reference=str(row.get("id") or ""), remote=word)


def newest(rows: Iterable[Row], *types: str) -> Row | None:
    """The action that was made last, of these types; those that came to nothing are left out."""
    told = [
        row
        for row in rows
        if row.get("type") in types and str(row.get("status")) not in {"Failed", "Cancelled", "TimeOut"}
    ]
    return max(told, key=lambda row: str(row.get("creationDateTimeUtc") or ""), default=None)
