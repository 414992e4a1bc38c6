"""A collection of a TAXII 2.1 server as a feed: asked what was added, read whole when something was, when the oldest
entry has left the window of ``days``, and once a day.

Read whole, so that what was revoked, replaced, deleted or has grown too old is gone here too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from msgspec import Raw, Struct

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.feeds import documents
from soar.connectors.intelligence.feeds.rows import BadFeed, Place
from soar.connectors.intelligence.feeds.source import EFFECT, EVERY, Brought, FeedSource, too_soon
from soar.connectors.kinds import Kind, Setting
from soar.lib import clock
from soar.lib.http import Answer

MEDIA = "application/taxii+json;version=2.1"
PAGE = 1000  # objects that are asked for at once; a server may give fewer
MOST_PAGES = 2000
LARGEST = 64 * 1024 * 1024  # bytes of all pages together
FIRST, LAST = "x-taxii-date-added-first", "x-taxii-date-added-last"
WHOLE = timedelta(days=1)  # what the server deletes it tells nobody: no longer than so is it kept here
COLLECTION = re.compile(r"[0-9A-Za-z._-]{1,100}")
WORDS = {
    401: "The server does not take the sign-in",
    403: "The sign-in may not read this collection",
    404: "There is no such collection, or it may not be seen",
    406: "The server does not speak TAXII 2.1",
}


class Envelope(Struct):
    """A page. An empty one may be ``{}``."""

    more: bool = False
    next: str | None = None
    objects: list[Raw] = []


class Head(Struct):
    """What is read of every object."""

    type: str = ""
    id: str = ""
    modified: str = ""


class Collection(Struct):
    """What is read of a collection."""

    title: str = ""
    can_read: bool = True


class Taxii(FeedSource):
    """Reads one collection."""

    kind = "taxii"

    def check(self) -> str:
        """Look at the collection. Raises ConnectorError."""
        answer = self._got("test", self._collection() + "/", {})
        try:
            found = msgspec.json.decode(answer.body, type=Collection)
        except (msgspec.DecodeError, RecursionError):
            raise _odd(answer) from None
        if not found.can_read:
            raise ConnectorError(f"The collection “{found.title[:80]}” may not be read.", permanent=True)
        return f"The collection “{found.title[:80]}” may be read."

    def bring(self, etag: str = "", modified: str = "") -> Brought | None:
        """See FeedSource; ``modified`` is when the last object was added at the server, ``etag`` until when what was
        read whole may stand if nothing is added."""
        fresh = bool(modified) and clock.now() < _moment(etag, clock.now())
        if fresh and not self._page({"added_after": modified, "limit": "1"})[0].objects:
            return None
        until = clock.now() + WHOLE
        objects, first, last = self._objects()
        if days := self.account.settings.get("days"):
            until = min(until, _moment(first, until) + timedelta(days=days))
        rows = documents.stix(b'{"objects":[' + b",".join(objects) + b"]}", "", Place())
        return Brought(rows, etag=_stamp(until), modified=last)

    def _objects(self) -> tuple[list[bytes], str, str]:
        """The last version of each indicator, and when the first and the last of all were added. Raises ConnectorError,
        BadFeed."""
        newest: dict[str, tuple[str, bytes]] = {}
        first, last, size = "", "", 0
        for page, began, added in self._pages():
            first = first or began
            size += sum(len(bytes(one)) for one in page.objects)
            if size > LARGEST:
                raise BadFeed("The collection holds more than 64 MiB; ask for fewer days.")
            for raw in page.objects:
                head = _head(raw)
                # A server may give all versions of an object, and objects that were not asked for.
                if head.type == "indicator" and head.modified >= newest.get(head.id, ("", b""))[0]:
                    newest[head.id] = (head.modified, bytes(raw))
            last = max(last, added)
        return [raw for _modified, raw in newest.values()], first, last

    def _pages(self) -> Iterator[tuple[Envelope, str, str]]:
        asked = {"limit": str(PAGE), "match[type]": "indicator"}
        if days := self.account.settings.get("days"):
            asked["added_after"] = _stamp(clock.now() - timedelta(days=days))
        seen: set[tuple[str, str]] = set()
        for _page in range(MOST_PAGES):
            page, began, added = self._page(asked)
            yield page, began, added
            if not page.more:
                return
            # Without a word for the next page it begins after what was added last on this one.
            asked = {**asked, "next": page.next} if page.next else {**asked, "added_after": added}
            key = (page.next or "", asked.get("added_after", ""))
            if key in seen or key == ("", ""):
                raise ConnectorError("The server gives the same page again and again.", permanent=False)
            seen.add(key)
        raise ConnectorError(f"The collection has more than {MOST_PAGES} pages.", permanent=True)

    def _page(self, asked: dict[str, str]) -> tuple[Envelope, str, str]:
        """A page, and when the first and the last of its objects were added, as far as the server tells."""
        answer = self._got("read collection", f"{self._collection()}/objects/", asked)
        try:
            found = msgspec.json.decode(answer.body, type=Envelope)
        except (msgspec.DecodeError, RecursionError):
            raise _odd(answer) from None
        first, last = (str(answer.headers.get(name, ""))[:40] for name in (FIRST, LAST))
        return found, first, last

    def _got(self, operation: str, path: str, asked: dict[str, str]) -> Answer:
        answer = self.call(operation, "GET", path, params=asked, headers={"Accept": MEDIA}, kept=operation == "test")
        if answer.status in WORDS or not answer.ok:
            what = WORDS.get(answer.status, f"The server answered {answer.status}")
            passing = answer.status >= 500 or answer.status == 429
            raise ConnectorError(f"{what} ({answer.status}).", permanent=not passing, status=answer.status)
        if "json" not in answer.media_type:
            raise _odd(answer)
        return answer

    def _collection(self) -> str:
        return f"collections/{quote(str(self.account.settings.get('collection') or ''), safe='')}"


def _head(raw: Raw) -> Head:
    try:
        return msgspec.json.decode(raw, type=Head)
    except (msgspec.DecodeError, RecursionError):
        return Head()


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if found.tzinfo else otherwise


def _odd(answer: Answer) -> ConnectorError:
    return ConnectorError(f"The server answered with {answer.media_type or 'nothing'}, not TAXII 2.1.", permanent=True)


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = too_soon(settings)
    if not COLLECTION.fullmatch(settings["collection"]):
        found["collection"] = _("Write the id of the collection, as its server lists it.")
    return found


KIND = Kind(
    name="taxii",
    label=gettext_noop("TAXII 2.1 collection"),
    connector=Taxii,
    summary=gettext_noop("A list of values"),
    address=Setting("url", gettext_noop("Address of the API root, https://host/api1"), form="url", required=True),
    rules=problems,
    settings=(
        Setting("collection", gettext_noop("Id of the collection"), required=True),
        EFFECT,
        Setting("days", gettext_noop("Only what was added in so many days; 0: everything"), form="number", default=0),
        EVERY,
    ),
    secrets=(
        Setting("username", gettext_noop("User name (HTTP Basic)")),
        Setting("password", gettext_noop("Password (HTTP Basic)")),
        Setting("token", gettext_noop("Bearer token, instead of a user name")),
    ),
)
