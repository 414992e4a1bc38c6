"""Calls of Microsoft's products that act: signed in, answers understood, permissions looked at."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from soar.connectors.bearer import Bearer
from soar.connectors.errors import ConnectorError
from soar.connectors.microsoft import signing_in
from soar.connectors.microsoft.answers import MicrosoftError, object_of, refusal, said
from soar.connectors.responder import Responder
from soar.connectors.tokens import Access
from soar.lib.http import Answer, Limits


class MicrosoftApi(Bearer, Responder):
    """``product``: its name in messages. ``needs``: what cannot be done without an application permission, by
    permission. ``wider``: permissions that include others."""

    product: ClassVar[str]
    needs: ClassVar[Mapping[str, str]] = {}
    wider: ClassVar[Mapping[str, frozenset[str]]] = {}
    token_settings: ClassVar[tuple[str, ...]] = ("url", "tenant", "client_id")

    def resource(self) -> str:
        """What tokens are asked for."""
        return str(self.account.settings.get("url") or "").rstrip("/")

    def ask_for_token(self) -> Access:
        """See Bearer."""
        return signing_in.asked(self, self.resource())

    def token_place(self) -> str:
        """See Bearer."""
        return signing_in.place(super().token_place())

    def limits(self) -> Limits:
        """A worker does not sleep through a long Retry-After: the task is tried again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0)

    def get(self, operation: str, path: str, **content: Any) -> dict[str, Any]:
        """The JSON object of a GET. Raises MicrosoftError."""
        return self.understood(self.call(operation, "GET", path, **content))

    def send(self, operation: str, method: str, path: str, *, key: str = "", **content: Any) -> Answer:
        """A call that changes something. Raises MicrosoftError; what a failing server did, nobody knows."""
        answer = self.call(operation, method, path, idempotency_key=key, idempotent=False, **content)
        if not answer.ok:
            self.understood(answer, effect=True)
        return answer

    def understood(self, answer: Answer, *, effect: bool = False) -> dict[str, Any]:
        """The JSON object of a good answer, empty for an empty one. ``effect``: the call may have changed something.

        Raises MicrosoftError."""
        document = object_of(answer) if answer.body.strip() else {}
        if answer.ok and document is not None and "error" not in document:
            return document
        if answer.ok:
            text = f"{self.product} answered with something that is no data."
            raise MicrosoftError(text, permanent=False, status=answer.status, outcome_unknown=effect)
        error = refusal(answer, self._words(answer.status), said(document))
        error.outcome_unknown = effect and answer.status >= 500
        raise error

    def _words(self, status: int) -> str:
        known = {
            401: f"{self.product} does not take the access token",
            403: f"{self.product} does not allow this to the app: an application permission or a role is missing",
            404: f"{self.product} does not know this",
            429: f"{self.product} counts too many requests; it is asked again later",
        }
        return known.get(status, f"{self.product} answered {status}")

    def needed(self) -> Mapping[str, str]:
        """``needs``, as far as the account's settings make use of it."""
        return self.needs

    def missing(self) -> str:
        """A sentence about permissions that the token does not have, "" if it has all or does not tell."""
        told = _roles(self.access_token())
        if told is None:
            return ""
        given = frozenset(told).union(*(self.wider.get(name, frozenset()) for name in told))
        lacking = [f"{name} ({what})" for name, what in self.needed().items() if name not in given]
        return f" The app lacks: {', '.join(lacking)}." if lacking else ""


def text_of(target_facts: Mapping[str, Any], name: str) -> str:
    """A fact of a target as text; "" for none."""
    value = target_facts.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def refused(text: str) -> ConnectorError:
    """The error for what trying again does not help."""
    return ConnectorError(text, permanent=True)


def _roles(token: str) -> list[str] | None:
    """The application permissions in a token; None if it is sealed or of another form. It is only read, not trusted:
    who decides is the product."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    roles = claims.get("roles", []) if isinstance(claims, dict) else None
    return [str(one) for one in roles] if isinstance(roles, list) else None
