"""What an answer of ServiceNow means: its result, or a ConnectorError in ServiceNow's own words."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from soar.connectors.base import ConnectorError
from soar.lib import clock
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

WAIT, LONGEST_WAIT = 60.0, 3600.0  # seconds after a 429 that does not tell, and at most
WORDS = {
    401: "ServiceNow does not take the credentials",
    403: "ServiceNow refuses this",
    404: "ServiceNow has no such record, or hides it from the integration user",
    413: "This is larger than ServiceNow takes",
    429: "ServiceNow counts too many requests; it is asked again later",
}


def understood(answer: Answer, *, effect: bool = False) -> Any:
    """The ``result`` of a good answer, None for an empty one. ``effect``: the call may have changed something there.

    Raises ConnectorError. After a call with an effect, a failure of the server or an answer that cannot be read
    leaves the outcome unknown: the caller has to look before it does it again."""
    document = document_of(answer, effect=effect)
    if answer.ok and document is None:
        return None
    if answer.ok and isinstance(document, dict) and "result" in document and "error" not in document:
        return document["result"]
    raise _refused(answer, document, effect)


def document_of(answer: Answer, *, effect: bool = False) -> Any:
    """The body as JSON, None for an empty one. Raises ConnectorError, temporary: a page instead of JSON is an
    instance that sleeps or something in between, whatever its status."""
    if not answer.body.strip():
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        asleep = b"hibernat" in answer.body[:20_000].lower()
        what = "a page" if is_page(answer) else "something that is not JSON"
        text = f"ServiceNow answered {answer.status} with {what} instead of data"
        if asleep:
            text = "The ServiceNow instance hibernates; somebody has to wake it"
        raise ConnectorError(
            f"{text}.",
            permanent=False,
            status=answer.status,
            outcome_unknown=effect and not asleep and (answer.ok or answer.status >= 500),
            retry_after=wait_of(answer) if answer.status == 429 else None,
        ) from None


def is_page(answer: Answer) -> bool:
    """Whether it is HTML."""
    return answer.media_type in {"text/html", "application/xhtml+xml"} or answer.body[:64].lstrip()[:1] == b"<"


def is_missing(answer: Answer) -> bool:
    """Whether this is ServiceNow's 404 of a record that is not there or hidden: the two cannot be told apart. A 404 of
    something else (another server, an address without this API) is none."""
    if answer.status != 404:
        return False
    document = document_of(answer)
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and "uri" not in str(error.get("message") or "").lower().split()


def spoken(document: Any) -> str:
    """ServiceNow's own words, "" when there are none: of ``{"error": {"message", "detail"}}``, or of OAuth's
    ``{"error", "error_description"}``."""
    if not isinstance(document, dict):
        return ""
    error = document.get("error")
    if isinstance(error, dict):
        parts = (error.get("message"), error.get("detail"))
    else:
        parts = (error, document.get("error_description"))
    return ": ".join(" ".join(str(part).split()) for part in parts if part)[:2000]


def wait_of(answer: Answer) -> float:
    """Seconds until ServiceNow takes requests again: Retry-After, else X-RateLimit-Reset, else a minute."""
    asked = seconds_until(answer.headers.get("retry-after", ""))
    reset = str(answer.headers.get("x-ratelimit-reset", "")).strip()
    if asked is None and reset.isascii() and reset.isdigit():
        asked = float(reset) - (date_of(answer) or clock.now()).timestamp()
    return WAIT if asked is None else min(max(asked, 1.0), LONGEST_WAIT)


def date_of(answer: Answer) -> datetime | None:
    """The server's clock, good to a second."""
    with suppress(ValueError):
        return parsedate_to_datetime(str(answer.headers.get("date", ""))).astimezone(UTC)
    return None


def _refused(answer: Answer, document: Any, effect: bool) -> ConnectorError:
    """A good status that carries an error is a request that was broken off there, so it may be tried again."""
    status = answer.status
    known = WORDS.get(status, f"ServiceNow answered {status}")
    said = answer.redactor.text(spoken(document) or _rest(document), at_most=700)
    return ConnectorError(
        f"{known} ({said})." if status in WORDS else f"{known}: {said}",
        permanent=300 <= status < 500 and status not in TEMPORARY,
        status=status,
        outcome_unknown=effect and (answer.ok or status >= 500),
        retry_after=wait_of(answer) if status == 429 else None,
    )


def _rest(document: Any) -> str:
    return "nothing more" if document in (None, {}, []) else json.dumps(document)[:200]
