"""Notes on their way to ServiceNow and back: the line by which our own are known, long ones in parts. Pure.

A note of ours ends with ``[ref:<uuid>]``, part 2 of 3 with ``[ref:<uuid> 2/3]``. People quote such lines, so the line
alone makes no note ours: it must be the last one, and the integration user must have written it (servicenow.md 7)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from soar.lib.hidden import shown

# Kinds of timeline entries that may become notes, in the order of the form; and those that do unless somebody chooses.
KINDS = (
    "comment", "handoff", "note.moved", "comment.edited", "incident.alert_linked", "evidence.added", "task.completed",
    "run.finished", "response.finished", "approval.approved", "approval.rejected",
)  # fmt: skip
DEFAULT_KINDS = ("comment", "handoff", "note.moved", "comment.edited")
CHUNK = 3800  # characters of a journal entry: the field takes 4000
KEPT = 50_000  # characters of a note from there that are kept here
_MARK = re.compile(
    r"\[ref:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?: ([0-9]{1,4})/([0-9]{1,4}))?\]"
)
_CODE = re.compile(r"\[/?code\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """Which note this is, and which part of it."""

    uuid: uuid.UUID
    part: int = 1
    parts: int = 1


def mark_line(mark: uuid.UUID, part: int = 1, parts: int = 1) -> str:
    """The last line of a note."""
    return f"[ref:{mark} {part}/{parts}]" if parts > 1 else f"[ref:{mark}]"


def found_mark(text: str) -> Mark | None:
    """The mark in the last line of a note, None if it has none there."""
    found = _MARK.fullmatch(text.strip().rpartition("\n")[2].strip())
    if found is None:
        return None
    return Mark(uuid.UUID(found[1]), int(found[2] or 1), int(found[3] or 1))


def chunks(text: str, mark: uuid.UUID, most: int = CHUNK) -> list[str]:
    """A note as the journal entries that it is written in, each with its mark; cut between lines or words."""
    pieces = _pieces(text.replace("\r\n", "\n").replace("\x00", "").strip(), most)
    count = len(pieces)
    return [f"{piece}\n{mark_line(mark, place, count)}" for place, piece in enumerate(pieces, 1)]


def without_mark(text: str) -> str:
    """A journal entry without its last line, if that is a mark."""
    return text.strip().rpartition("\n")[0].rstrip() if found_mark(text) else text.strip()


def incoming(text: str, most: int = KEPT) -> str:
    """A note from there as it is kept here: plain text (pages escape it), cut with a word about it when too long."""
    plain = _CODE.sub("", text.replace("\x00", "").replace("\r\n", "\n")).strip()
    plain = shown(plain.encode("utf-8", "replace").decode())
    if len(plain) <= most:
        return plain
    said = f"\n… (cut here: the note has {len(plain)} characters in ServiceNow)"
    return plain[: most - len(said)] + said


def heading(author: str, text: str) -> str:
    """A note of ours as it is read there: who wrote it, then what."""
    return f"{author} (Soar):\n{text}" if text else f"{author} (Soar)"


def _pieces(text: str, most: int) -> list[str]:
    pieces = []
    while len(text) > most:
        cut = max(text.rfind("\n", most // 2, most), text.rfind(" ", most // 2, most))
        cut = cut if cut > 0 else most
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    if text or not pieces:
        pieces.append(text)
    return [piece for piece in pieces if piece] or [""]
