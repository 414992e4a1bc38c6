"""What comes back from another product: an answer, or the reason why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from soar.lib.clock import seconds_until
from soar.lib.redact import Redactor

# Other answers of 4xx will be the same next time.
TEMPORARY = {408, 409, 423, 425, 429}


class RemoteError(Exception):
    """A call did not give a usable answer. ``message`` is for people and holds no secret.

    ``permanent``: trying again without a change will not help. ``status``: of the answer, None if there was none.
    ``outcome_unknown``: the request went out and may have had its effect.
    ``retry_after``: seconds the server asked to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        status: int | None = None,
        outcome_unknown: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.status = status
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: status, headers, body in bytes, how many tries it took."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str
    request_id: str
    tries: int = 1
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 becomes a replacement sign."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def media_type(self) -> str:
        """``application/json`` and the like, in lower case, without parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()


def json_or_error(answer: Answer) -> Any:
    """The JSON of a successful answer, None for an empty one.

    Raises RemoteError for any other status, for HTML (a sign-in or error page of something in between), for no JSON.
    """
    html = answer.media_type in {"text/html", "application/xhtml+xml"} or answer.body[:64].lstrip()[:1] == b"<"
    if not answer.ok:
        detail = "an HTML page" if html else answer.redactor.text(answer.text.strip(), at_most=300) or "nothing more"
        raise _error(answer, f"answered {answer.status}: {detail}")
    if not answer.body.strip():
        return None
    if html:
        raise _error(answer, "answered with an HTML page instead of JSON", permanent=True)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _error(answer, "answered with something that is not JSON", permanent=True) from None


def _error(answer: Answer, text: str, permanent: bool | None = None) -> RemoteError:
    if permanent is None:
        permanent = answer.status < 500 and answer.status not in TEMPORARY
    host = httpx.URL(answer.url).host
    wait = seconds_until(answer.headers.get("retry-after", ""))
    return RemoteError(f"{host} {text}", permanent=permanent, status=answer.status, retry_after=wait)
