"""Calls of ServiceNow: signed in one of five ways, a refused token renewed once, lists read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.servicenow import oauth
from soar.connectors.servicenow.answers import date_of, understood
from soar.connectors.tokens import Access
from soar.lib import clock
from soar.lib.http import Answer, Limits

BASIC, API_KEY = "basic", "api_key"
AUTHS = (BASIC, *oauth.WAYS, API_KEY)
ROWS = 1000  # of a page
MOST_PAGES = 2000
LARGEST = 32 * 1024 * 1024  # bytes of an answer; a page that is larger is asked for in smaller ones
HALF_A_SECOND = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list. ``total``: rows that fit, also those that are hidden; None when it is not told. ``size``: how
    many were asked for: access rules are applied after that, so fewer rows are no sign of the end."""

    rows: list[dict[str, Any]]
    total: int | None
    offset: int
    size: int
    more: bool


class Api(Connector):
    """``skew``: ServiceNow's clock minus ours, by the last answer."""

    skew: timedelta | None = None
    _access: Access | None = None

    def call(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """See Connector. With OAuth, a token that is refused is renewed once and the call made once more: a refused
        call has done nothing."""
        if self.account.settings.get("auth") not in oauth.WAYS or self.dry_run or not self.account.enabled:
            return self.unsigned(operation, method, path, **options)
        self._take_token("")
        answer = self.unsigned(operation, method, path, **options)
        if answer.status != 401 or self._access is None:
            return answer
        self._take_token(self._access.token)
        return self.unsigned(operation, method, path, **options)

    def unsigned(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """A call with what is at hand to sign in with: what a token is asked for with."""
        started = clock.now()
        answer = super().call(operation, method, path, **options)
        ended = clock.now()
        if there := date_of(answer):
            # Their clock tells whole seconds, and it told them somewhere between the two moments of ours.
            half = (ended - started) / 2 if answer.tries == 1 else timedelta()
            self.skew = there + HALF_A_SECOND - (ended - half)
        return answer

    def _take_token(self, refused: str) -> None:
        if self._access is None or refused or not self._access.fresh():
            self._access = None  # no old token goes along when a new one is asked for
            self._access = oauth.access(self, refused)

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """See Connector."""
        way = self.account.settings.get("auth", BASIC)
        if way == API_KEY:
            return {"x-sn-apikey": str(secrets.get("api_key") or "")}, None
        if way in oauth.WAYS:
            return ({"Authorization": f"Bearer {self._access.token}"} if self._access else {}), None
        return {}, (str(self.account.settings.get("username") or ""), str(secrets.get("password") or ""))

    def hidden(self) -> list[str]:
        """See Connector; the tokens of the moment too."""
        tokens = [self._access.token, self._access.refresh] if self._access else []
        return [*super().hidden(), *tokens]

    def limits(self) -> Limits:
        """A worker does not sleep through a 429: the whole instance is left alone by who called."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=1.0, response_bytes=LARGEST)

    def read(self, operation: str, path: str, **content: Any) -> Answer:
        """A GET, whose body is not kept with the attempt. It changes nothing, so its outcome is never unknown."""
        try:
            return self.call(operation, "GET", path, kept=False, **content)
        except ConnectorError as error:
            error.outcome_unknown = False
            raise

    def page(self, operation: str, path: str, params: dict[str, Any], *, offset: int = 0, size: int = ROWS) -> Page:
        """One page of a list. Raises ConnectorError."""
        window = {"sysparm_limit": size, "sysparm_offset": offset}
        answer = self.read(operation, path, params={**params, **window})
        rows = understood(answer) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ConnectorError("ServiceNow answered a list with something else.", permanent=False)
        total = _number(answer.headers.get("x-total-count", ""))
        return Page(rows, total, offset, size, _goes_on(answer, rows, total, offset + size))

    def pages(self, operation: str, path: str, params: dict[str, Any], *, size: int = ROWS) -> Iterator[Page]:
        """All pages. One that is too large is asked for again in smaller ones. Raises ConnectorError."""
        offset = 0
        for _ in range(MOST_PAGES):
            try:
                page = self.page(operation, path, params, offset=offset, size=size)
            except ConnectorError as error:
                if not _too_large(error) or size == 1:
                    raise
                size = max(1, size // 8)
                continue
            yield page
            if not page.more:
                return
            offset += size
        raise ConnectorError(f"ServiceNow has more than {MOST_PAGES} pages of {path}.", permanent=True)

    def rows(self, operation: str, path: str, params: dict[str, Any], *, size: int = ROWS) -> Iterator[dict[str, Any]]:
        """The rows of all pages. Raises ConnectorError."""
        for page in self.pages(operation, path, params, size=size):
            yield from page.rows

    def cache_name(self, what: str) -> str:
        """A name in the cache for what was read with these settings of the account."""
        changed: datetime = self.account.updated_at
        return f"servicenow:{self.account.pk}:{changed.timestamp()}:{what}"


def _goes_on(answer: Answer, rows: list[Any], total: int | None, end: int) -> bool:
    if total is not None:
        return end < total
    if link := str(answer.headers.get("link", "")):
        return 'rel="next"' in link
    return bool(rows)


def _number(text: str) -> int | None:
    clean = text.strip()
    return int(clean) if clean.isascii() and clean.isdigit() and len(clean) < 18 else None


def _too_large(error: ConnectorError) -> bool:
    """Whether the answer was good but over the limit of bytes; other errors of a 200 are temporary."""
    return error.status == 200 and error.permanent
