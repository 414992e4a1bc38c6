"""Calls of a cluster's API server, and its ``Status`` objects understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.responder import Responder
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer, Limits

Row = dict[str, Any]
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
PAGE, MOST_PAGES = 500, 40
GONE = 410  # a list moved on while it was read
WORDS = {
    401: "Kubernetes does not take the token: it is wrong, or its time is over",
    403: "The service account lacks a right in Kubernetes",
    404: "Kubernetes does not know this",
    409: "Kubernetes says that somebody else changed it",
    422: "Kubernetes does not take this",
    429: "Kubernetes has too many requests; it is asked again later",
}


class KubernetesError(ConnectorError):
    """``reason``: the word of the cluster ("NotFound", "Conflict"), "" when it told none."""

    reason = ""


class Cluster(Responder):
    """What the parts of the connector have in common."""

    def limits(self) -> Limits:
        """A worker does not sleep through a long pause: the task is tried again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0)

    def get(self, operation: str, path: str, **content: Any) -> Row:
        """The object at ``path``. Raises KubernetesError."""
        return understood(self.call(operation, "GET", path, **content))

    def found(self, operation: str, path: str) -> Row | None:
        """The object at ``path``, None if there is none. Raises KubernetesError."""
        answer = self.call(operation, "GET", path, fine=(404,), kept=False)  # a pod's environment may hold secrets
        # A proxy knows no path as well; only the cluster itself says of a thing that it is not there.
        if answer.status == 404 and (document_of(answer) or {}).get("reason") == "NotFound":
            return None
        return understood(answer)

    def send(self, operation: str, method: str, path: str, *, key: str, **content: Any) -> Row:
        """The answer to a call that changes something. Raises KubernetesError; what a failing server did is unknown."""
        answer = self.call(operation, method, path, idempotency_key=key, idempotent=False, kept=False, **content)
        return understood(answer, effect=True)

    def patch(self, operation: str, path: str, body: Row, form: str, *, key: str, **params: str) -> Row:
        """``send`` of a patch in this ``form``."""
        content: Row = {"json": body, "headers": {"Content-Type": form}, "params": params}
        return self.send(operation, "PATCH", path, key=key, **content)

    def listed(self, operation: str, path: str) -> list[Row]:
        """All objects of a list, page by page; once more from the beginning when its place is forgotten meanwhile.

        Raises KubernetesError."""
        try:
            return list(self._pages(operation, path))
        except KubernetesError as error:
            if error.status != GONE:
                raise
            return list(self._pages(operation, path))

    def _pages(self, operation: str, path: str) -> Iterator[Row]:
        params: dict[str, Any] = {"limit": PAGE}
        for _ in range(MOST_PAGES):
            page = self.get(operation, path, params=params)
            items = page.get("items")
            yield from (one for one in (items if isinstance(items, list) else []) if isinstance(one, dict))
            if not (further := child(page, "metadata").get("continue")):
                return
            params = {"limit": PAGE, "continue": str(further)}
        raise KubernetesError("Kubernetes has no end to this list.", permanent=True)


def understood(answer: Answer, *, effect: bool = False) -> Row:
    """The object of a good answer. ``effect``: the call may have changed something. Raises KubernetesError."""
    document = document_of(answer)
    if answer.ok and document is not None and document.get("status") != "Failure":
        return document
    if answer.ok:
        text = "Kubernetes answered with something that is no data."
        raise KubernetesError(text, permanent=False, status=answer.status, outcome_unknown=effect)
    told = document or {}
    detail = answer.redactor.text(str(told.get("message") or "") or _rest(answer), at_most=400)
    error = KubernetesError(
        f"{WORDS.get(answer.status, f'Kubernetes answered {answer.status}')} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=_wait(answer, told),
        outcome_unknown=effect and answer.status >= 500,
    )
    error.reason = str(told.get("reason") or "")
    raise error


def document_of(answer: Answer) -> Row | None:
    """The body as a JSON object, whatever the status; None when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def child(row: Row, name: str) -> Row:
    """A member that is an object; an empty one where it is none."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _wait(answer: Answer, told: Row) -> float | None:
    asked = seconds_until(answer.headers.get("retry-after", ""))
    if asked is not None:
        return asked
    seconds = child(told, "details").get("retryAfterSeconds")
    return float(seconds) if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0 else None


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
