"""What Graph, Defender and their sign-in say, as values or as a ConnectorError in their own words."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.errors import ConnectorError
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

WAIT = 30.0  # seconds after a 429 that does not tell


class MicrosoftError(ConnectorError):
    """``code``: the error's name there, "" when it told none."""

    code = ""


def refusal(answer: Answer, text: str, why: str) -> MicrosoftError:
    """The error of an answer that is no success."""
    detail = answer.redactor.text(why or _rest(answer), at_most=400)
    asked = seconds_until(answer.headers.get("retry-after", ""))
    error = MicrosoftError(
        f"{text} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=asked if asked is not None else (WAIT if answer.status == 429 else None),
    )
    error.code = code_of(object_of(answer))
    return error


def object_of(answer: Answer) -> dict[str, Any] | None:
    """The body as a JSON object, whatever the status; None when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def said(document: dict[str, Any] | None) -> str:
    """Code and message of ``{"error": {"code", "message"}}``; "" when it has none."""
    error = document.get("error") if document else None
    if not isinstance(error, dict):
        return ""
    return ": ".join(part for name in ("code", "message") if (part := str(error.get(name) or "").strip()))


def code_of(document: dict[str, Any] | None) -> str:
    """The code of such a document; "" when it has none."""
    error = document.get("error") if document else None
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
