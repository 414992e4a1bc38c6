"""Calls of Falcon: signed in, and answers understood. It answers ``{"meta", "errors", "resources"}``, and an answer of
2xx may hold errors."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from soar.connectors import tokens
from soar.connectors.bearer import Bearer
from soar.connectors.errors import ConnectorError
from soar.connectors.responder import Responder
from soar.connectors.tokens import Access
from soar.lib import clock
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer, Limits

Row = dict[str, Any]
WAIT = 30.0  # seconds after a 429 that does not tell
LONGEST_WAIT = 900.0
LARGEST = 60 * 1024 * 1024  # of a file that goes through here
ELSEWHERE = 308  # an account lives in one cloud, and another one says so by a redirect
WORDS = {
    401: "Falcon does not take the access token",
    403: "The API client lacks a scope in Falcon",
    404: "Falcon does not know this",
    429: "Falcon counts too many requests; it is asked again later",
}


class FalconError(ConnectorError):
    """An answer of Falcon that is no success; ``status`` is the code that it gives, be it inside an answer of 2xx.
    ``code``: the number of its first error, which may be a longer one than a status; 0 for none."""

    code = 0


class Falcon(Bearer, Responder):
    """What the parts of the connector have in common. ``large``: the next call carries a file."""

    large = False
    token_settings: ClassVar[tuple[str, ...]] = ("url", "member_cid")

    def limits(self) -> Limits:
        """A worker does not sleep through a long pause: the task is tried again when it is over."""
        seconds = self.account.timeout_seconds
        if self.large:
            return Limits(read=seconds, total=10 * seconds, longest_wait=5.0, response_bytes=LARGEST)
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0)

    def ask_for_token(self) -> Access:
        """See Bearer."""
        secrets, member = self.account.secrets, str(self.account.settings.get("member_cid") or "")
        form = {"client_id": secrets.get("client_id", ""), "client_secret": secrets.get("client_secret", "")}
        form |= {"member_cid": member} if member else {}
        try:
            answer = self.signing_in("oauth.token", "POST", "oauth2/token", data=form, idempotent=True)
        except ConnectorError as error:
            if error.status == ELSEWHERE:
                text = "The account is in another cloud of Falcon: give its address, as in api.eu-1.crowdstrike.com."
                raise ConnectorError(text, permanent=True, status=ELSEWHERE) from None
            raise
        document = document_of(answer) or {}
        token = document.get("access_token")
        if not answer.ok or not isinstance(token, str) or not token:
            refused = refusal(answer, _said(errors_of(document)), "Falcon gives no access token")
            refused.permanent = refused.permanent and not answer.ok
            raise refused
        return Access(token, "", clock.now() + tokens.span(document.get("expires_in")))

    def get(self, operation: str, path: str, **content: Any) -> list[Any]:
        """The resources of a GET. Raises FalconError."""
        return understood(self.call(operation, "GET", path, **content))

    def look(self, operation: str, path: str, **content: Any) -> list[Any]:
        """The resources of a POST that only reads. Raises FalconError."""
        # A key that is not the task's: whoever takes it over must not take this for its effect.
        key = f"look-{uuid.uuid4()}"
        return understood(self.call(operation, "POST", path, idempotent=True, idempotency_key=key, **content))

    def send(self, operation: str, method: str, path: str, *, key: str, **content: Any) -> list[Any]:
        """The resources of a call that changes something. Raises FalconError; what a failing server did is unknown."""
        answer = self.call(operation, method, path, idempotency_key=key, idempotent=False, **content)
        return understood(answer, effect=True)


def understood(answer: Answer, *, effect: bool = False) -> list[Any]:
    """The resources of a good answer. Raises FalconError, also for errors inside of an answer of 2xx."""
    document = document_of(answer)
    errors = errors_of(document or {})
    if answer.ok and document is not None and not errors:
        found = document.get("resources")
        return found if isinstance(found, list) else []
    if answer.ok and not errors:
        text = "Falcon answered with something that is no data."
        raise FalconError(text, permanent=False, status=answer.status, outcome_unknown=effect)
    error = refusal(answer, _said(errors))
    code = errors[0].get("code") if errors else 0
    error.code = code if isinstance(code, int) else 0
    if answer.ok and error.code:
        error.status, error.permanent = error.code, error.code < 500 and error.code not in TEMPORARY
    error.outcome_unknown = effect and (error.status or 0) >= 500
    raise error


def refusal(answer: Answer, why: str, text: str = "") -> FalconError:
    """The error of an answer that is no success."""
    known = text or WORDS.get(answer.status, "Falcon refused" if answer.ok else f"Falcon answered {answer.status}")
    detail = answer.redactor.text(why or _rest(answer), at_most=400)
    return FalconError(
        f"{known} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=_wait(answer),
    )


def document_of(answer: Answer) -> Row | None:
    """The body as a JSON object, whatever the status; None when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def errors_of(document: Row) -> list[Row]:
    """The errors of an answer, whatever its status: what is told of single items, then of the whole."""
    single = [one for one in objects(document.get("resources")) if one.get("message_type") == "error"]
    return [*single, *objects(document.get("errors"))]


def objects(value: Any) -> list[Row]:
    """The members of a list that are objects."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def quoted(value: str) -> str:
    """``value`` as a text of Falcon's query language. Raises ConnectorError for line breaks and the like."""
    if not value.isprintable():
        raise ConnectorError("A search takes no line breaks or control characters.", permanent=True)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def rules(settings: Row, secrets: Row) -> dict[str, str]:
    """An address to which the secrets would go unencrypted."""
    if urlsplit(str(settings.get("url") or "")).scheme == "http" and not settings.get("allow_internal"):
        return {"url": _("The credentials would go unencrypted: the address must begin with https://.")}
    return {}


def _said(errors: list[Row]) -> str:
    return "; ".join(str(one.get("message") or one.get("code") or "") for one in errors[:3])


def _wait(answer: Answer) -> float | None:
    """Falcon tells the moment from which it may be asked again, in seconds since 1970; a proxy before it a span."""
    if answer.status != 429:
        return seconds_until(answer.headers.get("retry-after", ""))
    told = str(answer.headers.get("x-ratelimit-retryafter", ""))
    if told.isascii() and told.isdigit() and len(told) < 12:
        return min(max(0.0, int(told) - time.time()), LONGEST_WAIT)
    asked = seconds_until(answer.headers.get("retry-after", ""))
    return asked if asked is not None else WAIT


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
