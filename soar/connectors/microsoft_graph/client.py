"""Calls of Microsoft Graph: signed in with a kept token, which is renewed once when it is refused; pages followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from soar.connectors.bearer import Bearer
from soar.connectors.errors import ConnectorError
from soar.connectors.links import following
from soar.connectors.microsoft import signing_in
from soar.connectors.microsoft_graph.answers import understood
from soar.connectors.reader import TimeReader
from soar.connectors.tokens import Access
from soar.lib.http import Limits

MOST_PAGES = 10_000
LARGEST = 64 * 1024 * 1024  # bytes of an answer: an incident comes with all its alerts


class Api(Bearer, TimeReader):
    """Signed in, and one page after the other."""

    token_settings: ClassVar[tuple[str, ...]] = ("url", "tenant", "client_id")

    def ask_for_token(self) -> Access:
        """See Bearer."""
        parts = urlsplit(str(self.account.settings.get("url") or ""))
        return signing_in.asked(self, f"{parts.scheme}://{parts.netloc}")

    def token_place(self) -> str:
        """See Bearer."""
        return signing_in.place(super().token_place())

    def limits(self) -> Limits:
        """A worker does not sleep through a long Retry-After: the source is read again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0, response_bytes=LARGEST)

    def pages(self, operation: str, path: str, params: dict[str, Any], size: int) -> Iterator[list[dict[str, Any]]]:
        """Page by page what a list answers. A full page without a link to the next one is no end: it is asked by
        ``$skip`` then. Raises ConnectorError."""
        base, seen, number = self.address(), set[str](), 0
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
