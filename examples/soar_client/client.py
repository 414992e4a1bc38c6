"""Calls of the API: pages followed to the end, 429 and 503 waited for, POSTs safe to repeat, problems as exceptions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, cast

import httpx

from soar_client.shapes import Alert, AlertRow, Entry, Incident, IncidentRow

TRIES = 5
LONGEST_WAIT = 60.0
AGAIN = (429, 503)


class Problem(Exception):
    """The API refused (RFC 9457). ``errors`` has ``field`` and ``message`` of each field that is wrong."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {document.get('detail', '')}")
        self.status = status
        self.code = str(document.get("code", ""))
        self.errors: list[dict[str, str]] = list(document.get("errors", []))


class Soar:
    """``Soar("https://soar.example", token)``; use it in a ``with``."""

    def __init__(self, address: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=f"{address.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=30,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str | int] | None = None,
        if_match: str = "",
        idempotent: bool = False,
    ) -> Any:
        """Any call; ``path`` is below ``/api/v1/``. With ``idempotent`` it bears a key and does nothing twice,
        so that it is also tried again when the line breaks. Raises Problem and httpx.TransportError."""
        headers = {"If-Match": if_match} if if_match else {}
        if idempotent:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        answer = self._tried(method, path, body, params, headers, idempotent or method == "GET")
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            document = answer.json()
        except ValueError:
            document = {"detail": answer.text[:200]}
        raise Problem(answer.status_code, document)

    def pages(self, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        found = self.call("GET", path, params=params)
        while True:
            yield from found["results"]
            if not found["next"]:
                return
            found = self.call("GET", found["next"])

    def alerts(self, **filters: str | int) -> Iterator[AlertRow]:
        """Alerts by the filters of the queue: ``alerts(status="open", severity="high,critical")``."""
        return cast(Iterator[AlertRow], self.pages("alerts/", **filters))

    def alert(self, number: str | int) -> Alert:
        """One alert by its number or id."""
        return cast(Alert, self.call("GET", f"alerts/{number}/"))

    def create_alert(self, title: str, **fields: Any) -> Alert:
        """Make an alert by hand."""
        return cast(Alert, self.call("POST", "alerts/", {"title": title, **fields}, idempotent=True))

    def claim(self, number: str | int) -> Alert:
        """Become its owner."""
        return cast(Alert, self.call("POST", f"alerts/{number}/claim/", idempotent=True))

    def resolve(self, number: str | int, determination: str, reason: str = "") -> Alert:
        """Resolve an alert."""
        body = {"determination": determination, "reason": reason}
        return cast(Alert, self.call("POST", f"alerts/{number}/resolve/", body, idempotent=True))

    def escalate(self, number: str | int, **fields: Any) -> Incident:
        """Open an incident from an alert."""
        return cast(Incident, self.call("POST", f"alerts/{number}/escalate/", fields, idempotent=True))

    def incidents(self, **filters: str | int) -> Iterator[IncidentRow]:
        """Incidents by the filters of their list."""
        return cast(Iterator[IncidentRow], self.pages("incidents/", **filters))

    def incident(self, number: str | int) -> Incident:
        """One incident by its number or id."""
        return cast(Incident, self.call("GET", f"incidents/{number}/"))

    def comment(self, number: str, text: str) -> Entry:
        """Write a note on an incident."""
        return cast(Entry, self.call("POST", f"incidents/{number}/comment/", {"text": text}, idempotent=True))

    def timeline(self, number: str) -> Iterator[Entry]:
        """The entries of an incident, oldest first."""
        return cast(Iterator[Entry], self.pages(f"incidents/{number}/timeline/", ordering="id"))

    def _tried(
        self,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, str | int] | None,
        headers: dict[str, str],
        again: bool,
    ) -> httpx.Response:
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._http.request(method, path, json=body, params=params or None, headers=headers)
            except httpx.TransportError:
                if not again or attempt == TRIES:
                    raise
                time.sleep(2 ** (attempt - 1) / 4)
                continue
            if answer.status_code not in AGAIN or attempt == TRIES:
                return answer
            time.sleep(_wait(answer))
        raise AssertionError("the last try returns or raises")


def _wait(answer: httpx.Response) -> float:
    given = answer.headers.get("Retry-After", "")
    return min(float(given), LONGEST_WAIT) if given.isdecimal() else 1.0
