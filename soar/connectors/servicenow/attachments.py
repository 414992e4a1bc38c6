"""Attachments of records: what there is, sent in pieces, fetched up to a size."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.answers import is_page, understood
from soar.connectors.servicenow.query import IgnoredQuery
from soar.connectors.servicenow.records import Attached, flat
from soar.connectors.servicenow.tables import Tables, chunks, time_of
from soar.lib.http import Answer, Limits

PATH = "api/now/attachment"
PIECE = 256 * 1024
MEGABYTE = 1024 * 1024
LARGEST_FILE = 256 * MEGABYTE  # sent; an instance may take less, and says so
LARGEST_FETCHED = 64 * MEGABYTE  # held in memory
LONGEST_NAME = 100
SECONDS_PER_MEGABYTE = 1.0


class Attachments(Tables):
    """The Attachment API."""

    _fetching = 0  # bytes of the file that is being fetched or sent

    def limits(self) -> Limits:
        """See Api; a large file takes its time."""
        usual = super().limits()
        if not self._fetching:
            return usual
        more = SECONDS_PER_MEGABYTE * self._fetching / MEGABYTE
        return Limits(
            read=usual.read,
            total=usual.total + more,
            longest_wait=usual.longest_wait,
            response_bytes=max(usual.response_bytes, self._fetching + PIECE),
        )

    def attachments(self, table: str, sys_ids: Iterable[str]) -> list[Attached]:
        """What hangs on these records, oldest first. Raises ConnectorError."""
        found: list[Attached] = []
        for part in chunks(sys_ids):
            condition = query.both(
                query.equals("table_name", query.table_named(table)),
                query.among("table_sys_id", part),
                "ORDERBYsys_created_on",
                "ORDERBYsys_id",
            )
            for row in self.rows("attachments.read", PATH, {"sysparm_query": condition}):
                texts = flat(row)
                if texts.get("table_sys_id") not in part or texts.get("table_name") != table:
                    raise IgnoredQuery("sys_attachment", "table_sys_id")
                found.append(_attached(texts))
        return found

    def attach(self, table: str, sys_id: str, name: str, content_type: str, content: bytes | BinaryIO) -> Attached:
        """Hang a file (bytes, or an open file from its beginning) on a record; it is sent in pieces, kept nowhere.

        Raises ConnectorError; with ``outcome_unknown`` look among ``attachments`` (by sha256) before trying again."""
        body = Pieces(content)
        if not body.size:
            raise ConnectorError(f"{name} is empty: ServiceNow takes no empty attachment.", permanent=True)
        if body.size > LARGEST_FILE:
            raise ConnectorError(
                f"{name} is larger than the {LARGEST_FILE // MEGABYTE} MB that are sent.", permanent=True
            )
        params = {
            "table_name": query.table_named(table),
            "table_sys_id": query.identity(sys_id),
            "file_name": _name(name),
        }
        # With the length told, it is not sent chunked.
        headers = {"Content-Type": _media(content_type), "Content-Length": str(body.size)}
        sent: dict[str, Any] = {"params": params, "headers": headers, "content": body}
        answer = self._large(body.size, "attachment.send", "POST", f"{PATH}/file", idempotent=False, **sent)
        row = understood(answer, effect=True)
        if not isinstance(row, dict):
            raise ConnectorError(
                "ServiceNow described the attachment in a way that is not known.", permanent=False, outcome_unknown=True
            )
        return _attached({"hash": body.digest(), "table_sys_id": sys_id, **flat(row)})

    def download(self, attachment: Attached, most: int = LARGEST_FETCHED) -> bytes:
        """The content, of at most ``most`` bytes; checked against its digest if ServiceNow told one.
        Raises ConnectorError."""
        if attachment.size > most:
            text = f"{attachment.name} has {attachment.size} bytes, more than the {most} that are fetched."
            raise ConnectorError(text, permanent=True)
        path = f"{PATH}/{query.identity(attachment.sys_id)}/file"
        answer = self._large(attachment.size, "attachment.fetch", "GET", path, kept=False, headers={"Accept": "*/*"})
        if not answer.ok:
            understood(answer)
        digest = hashlib.sha256(answer.body).hexdigest()
        if attachment.sha256 and attachment.sha256.lower() != digest:
            what = "a page" if is_page(answer) else "something else"
            raise ConnectorError(f"ServiceNow answered {what} instead of the file {attachment.name}.", permanent=False)
        return answer.body

    def _large(self, size: int, operation: str, method: str, path: str, **options: Any) -> Answer:
        self._fetching = size
        try:
            return self.call(operation, method, path, **options)
        except ConnectorError as error:
            error.outcome_unknown = error.outcome_unknown and method != "GET"
            raise
        finally:
            self._fetching = 0


class Pieces:
    """A body sent in pieces, from the beginning each time it is asked for: a call may be repeated. As text it tells its
    size, which is all that is kept of it with the attempt."""

    def __init__(self, content: bytes | BinaryIO) -> None:
        self._content = content
        if isinstance(content, bytes):
            self.size = len(content)
        else:
            self.size = content.seek(0, os.SEEK_END)

    def __str__(self) -> str:
        return f"[{self.size} bytes]"

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._content, bytes):
            for start in range(0, self.size, PIECE):
                yield self._content[start : start + PIECE]
            return
        self._content.seek(0)
        while piece := self._content.read(PIECE):
            yield piece

    def digest(self) -> str:
        """SHA-256 in hex."""
        made = hashlib.sha256()
        for piece in self:
            made.update(piece)
        return made.hexdigest()


def _attached(texts: dict[str, str]) -> Attached:
    size = texts.get("size_bytes", "")
    return Attached(
        texts.get("sys_id", ""),
        texts.get("table_sys_id", ""),
        texts.get("file_name", ""),
        int(size) if size.isascii() and size.isdigit() else 0,
        texts.get("content_type", ""),
        texts.get("hash", "").lower(),
        time_of("sys_attachment", texts.get("sys_created_on", "")),
        texts.get("sys_created_by", ""),
    )


def _name(name: str) -> str:
    """A file name without folders and signs that mean something elsewhere, with its ending, at most 100 characters."""
    clean = "".join(sign for sign in name.replace("\\", "/").rpartition("/")[2] if sign.isprintable()).strip() or "file"
    stem, dot, ending = clean.rpartition(".")
    if len(clean) <= LONGEST_NAME or not dot or len(ending) > 20:
        return clean[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


def _media(text: str) -> str:
    return text if text.isascii() and text.isprintable() and "/" in text else "application/octet-stream"
