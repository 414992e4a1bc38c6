"""Workbench alerts: read by time, and told what became of them here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from soar.connectors.base import ConnectorError
from soar.connectors.desk import AlertDesk, State
from soar.connectors.reader import READ, TimeReader
from soar.connectors.visionone.client import Api, objects
from soar.connectors.visionone.errors import understood

PATH = "workbench/alerts"
TIME = "%Y-%m-%dT%H:%M:%SZ"
MOST_PAGES = 10_000
TRIES = 5  # of a change that others keep getting in the way of
LONGEST_NOTE = 4_000
STATUS = {"new": "Open", "in_progress": "In Progress", "resolved": "Closed"}
RESULT = {
    "true_positive": "True Positive",
    "benign_true_positive": "Benign True Positive",
    "false_positive": "False Positive",
    "noteworthy": "Noteworthy",
}


class Workbench(Api, TimeReader, AlertDesk):
    """Read twice: by the time of making, which never changes, so that no page slips by while it is read; and by the
    time of change, which also brings what was made late with an early time."""

    def alert_pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        """See TimeReader."""
        for target in ("createdDateTime", "updatedDateTime"):
            params = {
                "startDateTime": start.strftime(TIME),
                "endDateTime": end.strftime(TIME),
                "dateTimeTarget": target,
                "orderBy": f"{target} asc",
            }
            for page in self.pages(READ, PATH, most=MOST_PAGES, params=params, kept=False):
                yield objects(page.get("items"))

    def identify(self, item: dict[str, Any]) -> tuple[str, str]:
        """See TimeReader."""
        identity = item.get("id")
        if not isinstance(identity, str) or not identity:
            return "", ""
        when = item.get("updatedDateTime") or item.get("createdDateTime") or ""
        return identity[:300], f"{when!s:.30} {_print(item)}"

    def tell_state(self, reference: str, state: State) -> str:
        """See AlertDesk. The ETag of what was read goes along; if somebody else was quicker, it is read again."""
        path = f"{PATH}/{quote(reference, safe='')}"
        for _ in range(TRIES):
            document, etag = self._alert(path)
            wish = changes(document, state)
            if not wish:
                return "It was so already in Vision One."
            headers = {"If-Match": etag} if etag else {}
            answer = self.call("alert.change", "PATCH", self.path(path), json=wish, headers=headers, idempotent=False)
            if answer.status == 412:
                continue
            understood(answer, effect=True)
            return f"Set to {', '.join(wish.values())} in Vision One."
        raise ConnectorError("The alert is changed in Vision One all the time.", permanent=False, status=412)

    def tell_note(self, reference: str, text: str, mark: str, *, again: bool) -> str:
        """See AlertDesk."""
        path = f"{PATH}/{quote(reference, safe='')}/notes"
        if again and self._noted(path, mark):
            return "The note was there already."
        room = LONGEST_NOTE - len(mark) - 2
        cut = text if len(text) <= room else f"{text[: room - 1]}…"
        self.send("alert.note", "POST", path, json={"content": f"{cut}\n{mark}"})
        return "The note was added in Vision One."

    def _alert(self, path: str) -> tuple[dict[str, Any], str]:
        answer = self.call("alert.read", "GET", self.path(path))
        document = understood(answer)
        if not isinstance(document, dict):
            raise ConnectorError("Vision One described the alert in a way that is not known.", permanent=True)
        return document, str(answer.headers.get("etag", ""))

    def _noted(self, path: str, mark: str) -> bool:
        return any(mark in str(note.get("content") or "") for note in self.items("alert.notes", path))


def _print(item: dict[str, Any]) -> str:
    """Eight letters that differ when an alert changed twice within the second that its times are good to."""
    scope = item.get("impactScope")
    entities = objects(scope.get("entities")) if isinstance(scope, dict) else []
    told = [item.get("status"), item.get("investigationResult"), len(objects(item.get("indicators"))), len(entities)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


def changes(document: dict[str, Any], state: State) -> dict[str, str]:
    """What must be sent to bring the alert to ``state``. Pure. Without findings here, those there are left alone."""
    wish = {"status": STATUS[state.status]}
    if state.findings:
        wish["investigationResult"] = RESULT[state.findings]
    return wish if any(document.get(name) != value for name, value in wish.items()) else {}
