"""The notes of a document, each once, in its newest wording and with its newest time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cases.timeline_times import moved


def notes_of(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """(entry, text) of each note of the stream that the page shows, oldest first; those left out are left out."""
    entries = document["timeline"]
    corrections = [entry for entry in entries if entry["kind"] == "comment.edited"]
    edits = {entry["data"].get("of"): entry["text"] for entry in corrections}
    times = {one["data"].get("of"): one["occurred_at"] for one in corrections if moved(one["kind"], one["data"])}
    for entry in entries:
        if entry["note"] and entry.get("joined", True):
            # A moved note is corrected where it was first written; of an imported one "entry" is what it was there.
            written = entry["data"].get("entry") if entry["kind"] == "note.moved" else entry["id"]
            if text := edits.get(written) or entry["text"]:
                yield {**entry, "occurred_at": times.get(written, entry["occurred_at"])}, text


def author_of(entry: dict[str, Any]) -> str:
    """Whose words they are: of a moved or imported note its writer's."""
    return str(entry["data"].get("author") or entry["actor"]["name"])
