"""A feed is an account of the kind ``feed``: where it is, how it is read, what it means, how often it is brought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.feeds.reading import FORMATS, LARGEST, read
from soar.connectors.intelligence.feeds.rows import TYPES, BadFeed, Place, Row
from soar.connectors.intelligence.feeds.source import EFFECT, EVERY, Brought, FeedSource, too_soon
from soar.connectors.kinds import Kind, Setting
from soar.lib.http import Answer, Limits


class FeedConnector(FeedSource):
    """Brings the file."""

    kind = "feed"

    def limits(self) -> Limits:
        """Large files take their time."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=max(120, 2 * seconds), response_bytes=LARGEST)

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in the header that the account names, else as a bearer token."""
        name = str(self.account.settings.get("key_header", "")).strip()
        if name and secrets.get("token"):
            return {name: str(secrets["token"])}, None
        return super().sign_in(secrets)

    def check(self) -> str:
        """Bring the file and read its beginning; nothing is saved. Raises ConnectorError."""
        answer = self.download()
        found = 0
        try:
            for number, row in enumerate(self.rows(answer.body)):
                found += row is not None
                if number >= 1000:
                    break
        except ValueError as error:
            raise ConnectorError(str(error), permanent=True) from None
        if not found:
            raise ConnectorError("Nothing in its beginning is a value; is this the right format?", permanent=True)
        return f"Brought {len(answer.body)} bytes; {found} values at its beginning."

    def rows(self, body: bytes, place: Place | None = None) -> Iterator[Row | None]:
        """The rows of a file as the account's settings read it. Raises BadFeed."""
        given = self.account.settings
        columns = {"type_": given.get("type", ""), "column": given.get("column", "")}
        return read(body, given["format"], place=place, **columns)

    def bring(self, etag: str = "", modified: str = "") -> Brought | None:
        """See FeedSource."""
        answer = self.download(etag, modified)
        if answer.status == 304:
            return None
        if answer.media_type == "text/html":
            raise BadFeed("The server answered with a web page, not a list.")
        headers = answer.headers
        return Brought(self.rows(answer.body), headers.get("etag", "")[:300], headers.get("last-modified", "")[:100])

    def download(self, etag: str = "", modified: str = "") -> Answer:
        """The file; 304 when it is the one with this ``etag`` or time. Raises ConnectorError."""
        if not self.account.settings.get("url"):
            raise ConnectorError("This feed has no address; import it from a file.", permanent=True)
        known = {"If-None-Match": etag, "If-Modified-Since": modified, "Accept": "*/*"}
        answer = self.call("bring feed", "GET", "", fine=(304,), headers=_given(known))
        if answer.status != 304 and not answer.ok:
            permanent = answer.status < 500 and answer.status != 429
            raise ConnectorError(f"The server answered {answer.status}.", permanent=permanent, status=answer.status)
        return answer


def _given(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value}


def rules(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What cannot be together."""
    if settings.get("every_minutes") and not settings.get("url"):
        return {"url": _("An address is needed to bring the feed by itself.")}
    return too_soon(settings)


KIND = Kind(
    name="feed",
    label=gettext_noop("Intelligence feed"),
    connector=FeedConnector,
    summary=gettext_noop("A list of values"),
    address=Setting(
        "url", gettext_noop("Address of the file; empty for one that is imported by hand"), form="url", query=True
    ),
    settings=(
        Setting("format", gettext_noop("How it is written"), form="choice", choices=FORMATS, default="plain"),
        EFFECT,
        Setting("type", gettext_noop("Type of its values; empty: by their looks"), form="choice", choices=("", *TYPES)),
        Setting("column", gettext_noop("Of CSV: the column's name or number; empty: the first")),
        EVERY,
        Setting("key_header", gettext_noop("Header of the key, such as Auth-Key; empty: a bearer token")),
    ),
    secrets=(
        Setting("token", gettext_noop("Key")),
        Setting("username", gettext_noop("User name (HTTP Basic)")),
        Setting("password", gettext_noop("Password (HTTP Basic)")),
    ),
    rules=rules,
)
