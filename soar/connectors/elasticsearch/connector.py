"""Documents of an index pattern, read in the order of their time from a view that does not change meanwhile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.elasticsearch import searching
from soar.connectors.elasticsearch.answers import understood, whole
from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import Kind, Setting
from soar.connectors.reader import READ, TimeReader
from soar.lib.http import Limits

INDEX = ".alerts-security.alerts-default"
PATTERN = re.compile(r"[^\s/\\?#\"<>|_+-][^\s/\\?#\"<>|]{0,254}")
VISIBLE = "NOT kibana.alert.building_block_type:*"  # as Kibana shows them
SIZE = 200  # of a page
LARGEST = 64 * 1024 * 1024  # bytes of an answer; a page that is larger is asked for in smaller ones
LOOK_BACK = 15
PARTS = ("_index", "_id", "_seq_no", "_primary_term", "_source")  # of a hit; its score and place say nothing of it


class Elasticsearch(TimeReader):
    """A page that is not whole (a shard failed, it took too long) ends the reading where it was."""

    kind = "elasticsearch"
    step = timedelta(hours=6)

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """See Connector: Elasticsearch has a word of its own for keys."""
        if token := secrets.get("token"):
            return {"Authorization": f"ApiKey {token}"}, None
        return super().sign_in(secrets)

    def limits(self) -> Limits:
        """See Connector."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0, response_bytes=LARGEST)

    def check(self) -> str:
        """Count what could be read. Raises ConnectorError."""
        index = self._index()
        path = f"{quote(index, safe=',*:')}/_search"
        document = self._post("test", path, {"size": 0, "track_total_hits": 10_000, "query": self._all()})
        whole(document, index)
        total = document["hits"].get("total")
        number = total.get("value") if isinstance(total, dict) else total
        more = "more than " if isinstance(total, dict) and total.get("relation") == "gte" else ""
        return f"Elasticsearch takes the credentials; {more}{number} documents in {index} can be read."

    def subject(self) -> str:
        """See AlertReader."""
        return f"{self.account.settings.get('url')} {self._index()}"

    def look_back(self) -> timedelta:
        """See TimeReader: for documents that are indexed some time after the time they bear."""
        return timedelta(minutes=max(1, int(self.account.settings.get("look_back_minutes") or LOOK_BACK)))

    def alert_pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        """See TimeReader."""
        path = f"{quote(self._index(), safe=',*:')}/_pit"
        pit = self._text(self._post(READ, path, None, params={"keep_alive": searching.KEEP}), "id")
        try:
            yield from self._pages(pit, start, end)
        finally:
            # It ends by itself too; whatever this answers changes nothing.
            with suppress(ConnectorError):
                self.call(READ, "DELETE", "_pit", json={"id": pit}, kept=False)

    def _pages(self, pit: str, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        size, after, number = SIZE, list[Any](), -1
        while number:
            body = searching.search(pit, start, end, self._query(), size, after)
            try:
                document = self._post(READ, "_search", body, params={"allow_partial_search_results": "false"})
            except ConnectorError as error:
                if error.status != 200 or not error.permanent or size == 1:
                    raise
                size = max(1, size // 8)  # larger than is taken
                continue
            whole(document, self._index())
            self._keep_time(document)
            hits = [one for one in document["hits"].get("hits") or [] if isinstance(one, dict)]
            yield [{name: one[name] for name in PARTS if name in one} for one in hits]
            number = len(hits)
            after = hits[-1].get("sort") or [] if hits else []
            if hits and not after:
                raise ConnectorError("Elasticsearch does not tell the order of what it found.", permanent=False)
            pit = self._text(document, "pit_id") if document.get("pit_id") else pit

    def identify(self, item: dict[str, Any]) -> tuple[str, str]:
        """See TimeReader. Its sequence number differs after each change."""
        identity, source = item.get("_id"), item.get("_source")
        if not isinstance(identity, str) or not identity or not isinstance(source, dict):
            return "", ""
        name = f"{item.get('_index')}/{identity}"
        if len(name) > 300:
            name = hashlib.sha256(name.encode()).hexdigest()
        when = source.get(searching.STATE_TIME) or source.get(searching.TIME) or ""
        told = f"{item.get('_seq_no')} {item.get('_primary_term')}"
        return name, f"{when!s:.30} {hashlib.sha256(told.encode()).hexdigest()[:8]}"

    def _keep_time(self, document: dict[str, Any]) -> None:
        if (told := searching.clock_in(document)) is not None:
            with suppress(OverflowError, ValueError, OSError):
                self.server_time = datetime.fromtimestamp(told, UTC)

    def _post(self, operation: str, path: str, body: Any, **content: Any) -> dict[str, Any]:
        """A POST that changes nothing. Raises ConnectorError."""
        given = content if body is None else {**content, "json": body}
        return understood(self.call(operation, "POST", path, idempotent=True, kept=False, **given))

    def _text(self, document: dict[str, Any], name: str) -> str:
        found = document.get(name)
        if not isinstance(found, str) or not found:
            raise ConnectorError(f"Elasticsearch answered without {name}.", permanent=False)
        return found

    def _index(self) -> str:
        return str(self.account.settings.get("index") or INDEX)

    def _query(self) -> str:
        return str(self.account.settings.get("query") or "")

    def _all(self) -> dict[str, Any]:
        query = self._query()
        return {"query_string": {"query": query, "analyze_wildcard": True}} if query else {"match_all": {}}


def rules(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """Nothing to sign in with, a name that no index can have, an address to which secrets would go unencrypted."""
    errors = {}
    if not secrets.get("token") and not (secrets.get("username") and secrets.get("password")):
        errors["token"] = _("Give an API key, or a user name and a password.")
    parts = str(settings.get("index") or "").split(",")
    if not all(PATTERN.fullmatch(part) and ".." not in part for part in parts):
        errors["index"] = _("This is no name or pattern of an index.")
    if not 1 <= int(settings.get("look_back_minutes") or 0) <= 1440:
        errors["look_back_minutes"] = _("From 1 to 1440 minutes.")
    if urlsplit(str(settings.get("url") or "")).scheme == "http" and not settings.get("allow_internal"):
        errors["url"] = _("The credentials would go unencrypted: the address must begin with https://.")
    return errors


KIND = Kind(
    name="elasticsearch",
    label=gettext_noop("Elasticsearch"),
    connector=Elasticsearch,
    summary=gettext_noop("Alerts to read"),
    address=Setting("url", gettext_noop("Address of Elasticsearch, https://host:9200"), form="url", required=True),
    settings=(
        Setting("index", gettext_noop("Index, alias or pattern; several with commas"), default=INDEX),
        Setting("query", gettext_noop("Only what this finds (Lucene syntax); nothing: all"), default=VISIBLE),
        Setting(
            "look_back_minutes",
            gettext_noop("Minutes that a document may be indexed after the time it bears"),
            form="number",
            default=LOOK_BACK,
        ),
    ),
    secrets=(
        Setting("token", gettext_noop("API key (encoded)")),
        Setting("username", gettext_noop("User name, without an API key")),
        Setting("password", gettext_noop("Password")),
    ),
    rules=rules,
)
