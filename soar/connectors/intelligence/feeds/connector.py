"""A feed is an account of the kind ``feed``: where it is, how it is read, what it means, how often it is brought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.intelligence.feeds.reading import FORMATS, LARGEST, read
from soar.connectors.intelligence.feeds.rows import TYPES, Place, Row
from soar.connectors.kinds import Kind, Setting
from soar.lib.http import Answer, Limits

EFFECTS = ("malicious", "suspicious", "benign")
SOONEST = 5  # minutes: what the makers of feeds ask for


class FeedConnector(Connector):
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
    every = settings.get("every_minutes") or 0
    if every and not settings.get("url"):
        return {"url": "An address is needed to bring the feed by itself."}
    return {"every_minutes": f"At least {SOONEST} minutes, or 0."} if 0 < every < SOONEST else {}


KIND = Kind(
    name="feed",
    label="Intelligence feed",
    connector=FeedConnector,
    summary="A list of values",
    address=Setting("url", "Address of the file; empty for one that is imported by hand", form="url", query=True),
    settings=(
        Setting("format", "How it is written", form="choice", choices=FORMATS, default="plain"),
        Setting("effect", "What its values are", form="choice", choices=EFFECTS, default="malicious"),
        Setting("type", "Type of its values; empty: by their looks", form="choice", choices=("", *TYPES)),
        Setting("column", "Of CSV: the column's name or number; empty: the first"),
        Setting("every_minutes", "Minutes between two imports; 0: only by hand", form="number", default=0),
        Setting("key_header", "Header of the key, such as Auth-Key; empty: a bearer token"),
    ),
    secrets=(
        Setting("token", "Key"),
        Setting("username", "User name (HTTP Basic)"),
        Setting("password", "Password (HTTP Basic)"),
    ),
    rules=rules,
)
