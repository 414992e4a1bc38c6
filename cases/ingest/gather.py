"""Collecting the observables of one alert: named fields first, then whatever the text holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cases.ingest.flat import plain
from cases.ingest.iocs import extract
from cases.ingest.normal import Found
from cases.ingest.observables import guess_type, normalise_observable
from cases.ingest.shapes import as_technique, as_url
from cases.ingest.text import DEEPEST, clean_text, words

# Fields whose text is no evidence: ids, links back to the source, versions, times, names of fields.
# In the plain spelling (no ``_``, ``-``, blanks); names that end in "id" are left out by their look.
NOISE = frozenset(
    words(
        "fingerprint groupkey version schemaversion index field fields link links externallink alerturl alertlink"
        " permalink weburl htmlurl incidenturl incidentlink incidentweburl alertweburl portalurl consoleurl"
        " falconhostlink workbenchlink detailsurl resultslink generatorurl externalurl dashboardurl panelurl silenceurl"
        " reference references referenceurl ticketurl timestamp @timestamp time createdat updatedat"
        " createddatetime updateddatetime sourcetype dedupkey license author $schema uuid guid"
    )
)
# Names of ids, which are no hashes, and of versions, which are no addresses.
ID_NAME = re.compile(r"(?:[a-z0-9](?:Id|ID)|[._-]id|\bid|[._a-z]uid|(?i:uuid|guid|version)|ID)$")
EVIDENT_ID = re.compile(r"(?i)cve|technique|mitre|attack|user|sender|mail")
NAMES = frozenset({"user", "process", "hostname"})  # may hold another observable, such as a mail address
LONGEST_SCAN = 4_000_000  # characters of one alert; its limit is 1 MiB, so this is never reached through the API


class Gather:
    """An ordered set of Found; the first sighting decides the role, any of them may highlight."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Found] = {}
        self.techniques: dict[str, None] = {}
        self.read: set[str] = set()  # texts that are one observable as a whole, not to be scanned again
        self.own: set[str] = set()  # names of the alert's own host and user, and its link: no evidence

    def add(self, kind: str, value: Any, role: str, highlighted: bool = False) -> str:
        """Add ``value`` (text, or a list of texts) of one type; what is no such thing is left out.

        Gives back the last value as it is stored, or "".
        """
        if isinstance(value, list):
            return [self.add(kind, item, role, highlighted) for item in value[:500]][-1] if value else ""
        if not isinstance(value, str) or not value:
            return ""
        try:
            normal = normalise_observable(kind, value)
        except ValueError:
            return ""
        if kind not in NAMES:
            self.read.add(value)
        self._put(Found(kind, normal, role, highlighted))
        return normal

    def _put(self, found: Found) -> None:
        key = (found.type, found.value)
        old = self.items.get(key)
        if old is None:
            self.items[key] = found
        elif found.highlighted and not old.highlighted:
            self.items[key] = Found(*key, old.role, True)

    def guess(self, value: Any, role: str, highlighted: bool = False) -> str:
        """Add a value whose type only its look tells (an address, digest, URL ...); "" when it has no look."""
        if isinstance(value, list):
            return [self.guess(item, role, highlighted) for item in value[:500]][-1] if value else ""
        kind = guess_type(value) if isinstance(value, str) else None
        return self.add(kind, value, role, highlighted) if kind else ""

    def name(self, kind: str, value: str, role: str) -> None:
        """Add the name of this alert's own host or user, which text extraction must not take for a domain."""
        if value:
            self.own.add(value.lower())
            self.add(kind, value, role)

    def link(self, url: str) -> None:
        """Name the link back to the source, which is no observable."""
        if url:
            self.own.add(as_url(url))

    def technique(self, *values: Any) -> None:
        """Add ATT&CK techniques; prefixes of products (``V9.T1112``) are dropped, other words ignored."""
        for value in values:
            for item in value if isinstance(value, list) else [value]:
                normal = as_technique(item.strip()) if isinstance(item, str) else ""
                if normal:
                    self.techniques[normal] = None

    def text(self, text: str, role: str = "text") -> None:
        """Add everything that free text holds; techniques are noted as such too."""
        for kind, value in extract(clean_text(text)[0]):
            if kind == "technique":
                self.techniques[value] = None
            if kind not in {"domain", "url"} or value not in self.own:
                self._put(Found(kind, value, role))

    def payload(self, value: Any, skip: frozenset[str] = NOISE) -> None:
        """Add what all texts of a JSON value hold, except under the keys named in ``skip``."""
        parts = [text for text in texts(value, skip) if text not in self.read and not text.isalpha()]
        self.text("\n".join(parts)[:LONGEST_SCAN])

    def found(self) -> list[Found]:
        """All observables, those that the source highlights first."""
        items = list(self.items.values())
        return sorted(items, key=lambda item: not item.highlighted) if any(i.highlighted for i in items) else items


def texts(value: Any, skip: frozenset[str] = NOISE, depth: int = 0) -> Iterator[str]:
    """Every text in a JSON value, keys in ``skip`` (plain spelling) and ids left out."""
    if isinstance(value, str):
        yield value
    elif depth > DEEPEST:
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            kind = item.__class__
            if (kind is str or kind is dict or kind is list) and not _is_noise(str(key), skip):
                if kind is str:
                    yield item
                else:
                    yield from texts(item, skip, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, skip, depth + 1)


@lru_cache(maxsize=20_000)
def _is_noise(key: str, skip: frozenset[str]) -> bool:
    if plain(key) in skip:
        return True
    return ID_NAME.search(key) is not None and not EVIDENT_ID.search(key)
