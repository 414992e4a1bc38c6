"""Calls of Microsoft Graph: signed in with a kept token, which is renewed once when it is refused; pages followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soar.connectors.errors import ConnectorError
from soar.connectors.links import following
from soar.connectors.microsoft_graph import signing_in
from soar.connectors.microsoft_graph.answers import understood
from soar.connectors.reader import TimeReader
from soar.connectors.tokens import Access
from soar.lib.http import Answer, Limits

MOST_PAGES = 10_000
LARGEST = 64 * 1024 * 1024  # bytes of an answer: an incident comes with all its alerts


class Api(TimeReader):
    """``_elsewhere``: the address of the sign-in, while that is called."""

    _access: Access | None = None
    _elsewhere = ""

    def call(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """See Connector. A token that is refused, as one that ends between two pages, is renewed once."""
        if self._elsewhere or self.dry_run or not self.account.enabled:
            return super().call(operation, method, path, **options)
        self._take_token("")
        answer = super().call(operation, method, path, **options)
        if answer.status != 401 or self._access is None:
            return answer
        self._take_token(self._access.token)
        return super().call(operation, method, path, **options)

    def signing_in(self, operation: str, method: str, path: str, **options: Any) -> Answer:
        """A call to where tokens are given, without one."""
        self._elsewhere, self._access = signing_in.place(super().address()), None
        try:
            return self.call(operation, method, path, kept=False, **options)
        finally:
            self._elsewhere = ""

    def _take_token(self, refused: str) -> None:
        if self._access is None or refused or not self._access.fresh():
            self._access = signing_in.access(self, refused)

    def address(self) -> str:
        """See Connector."""
        return self._elsewhere or super().address()

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """See Connector."""
        return ({"Authorization": f"Bearer {self._access.token}"} if self._access else {}), None

    def hidden(self) -> list[str]:
        """See Connector; the token of the moment too."""
        return [*super().hidden(), *([self._access.token] if self._access else [])]

    def limits(self) -> Limits:
        """A worker does not sleep through a long Retry-After: the source is read again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0, response_bytes=LARGEST)

    def pages(self, operation: str, path: str, params: dict[str, Any], size: int) -> Iterator[list[dict[str, Any]]]:
        """Page by page what a list answers. A full page without a link to the next one is no end: it is asked by
        ``$skip`` then. Raises ConnectorError."""
        base, seen, number = super().address(), set[str](), 0
        where, query = path, {**params, "$top": size}
        for _ in range(MOST_PAGES):
            options = {"params": query} if query else {}
            document = understood(self.call(operation, "GET", where, kept=False, **options))
            found = document.get("value")
            if not isinstance(found, list):
                raise ConnectorError("Microsoft Graph answered a list with something else.", permanent=False)
            yield [one for one in found if isinstance(one, dict)]
            number += len(found)
            if link := following(base, document.get("@odata.nextLink"), "Microsoft Graph"):
                if link in seen:
                    raise ConnectorError("Microsoft Graph leads in circles through a list.", permanent=False)
                seen.add(link)
                where, query = link, {}
            elif len(found) >= size:
                where, query = path, {**params, "$top": size, "$skip": number}
            else:
                return
        raise ConnectorError(f"Microsoft Graph has more than {MOST_PAGES} pages of {path}.", permanent=True)
