"""The parts of a multipart body as TheHive's clients send alerts with files: ``_json`` and the files by name."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from cases.ingest.flat import objects
from cases.ingest.reading import Unreadable

DOCUMENT = "_json"
DIGESTS = ("sha256", "sha1", "md5")


class _InMemory(MemoryFileUploadHandler):
    """Keeps every file in memory: the whole body is there already, and at most 10 MiB."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        """Always takes the file."""
        del input_data, META, content_length, boundary, encoding
        self.activated = True


def document_of(body: bytes, content_type: str) -> bytes:
    """The alert's JSON. Of a multipart body it is the part ``_json``; each observable that names a file gets its
    name, size and digests, as TheHive itself shows them. Raises Unreadable."""
    if not content_type.lower().startswith("multipart/"):
        return body
    fields, files = _parts(body, content_type)
    text = fields[DOCUMENT].encode() if DOCUMENT in fields else files[DOCUMENT].read() if DOCUMENT in files else None
    if text is None:
        raise Unreadable(400, f"The multipart body has no part {DOCUMENT}.")
    return _with_files(text, {name: _described(files[name]) for name in files if name != DOCUMENT})


def _parts(body: bytes, content_type: str) -> tuple[Any, Any]:
    head = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    try:
        return MultiPartParser(head, io.BytesIO(body), [_InMemory()], "utf-8").parse()
    except (MultiPartParserError, RequestDataTooBig, SuspiciousOperation) as error:
        raise Unreadable(400, f"The multipart body cannot be read: {error}") from error


def _described(file: Any) -> dict[str, Any]:
    data = file.read()
    return {
        "name": str(file.name),
        "size": len(data),
        "contentType": str(file.content_type),
        "hashes": [hashlib.new(kind, data, usedforsecurity=False).hexdigest() for kind in DIGESTS],
    }


def _with_files(text: bytes, files: dict[str, dict[str, Any]]) -> bytes:
    """The document with what is known of its files in the places that name them."""
    if not files:
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text  # refused as what it is, like any other broken JSON
    for one in objects(document.get("observables")) if isinstance(document, dict) else []:
        named = one.get("attachment")
        names = [name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str)]
        found = [files[name] for name in names if name in files]
        if found:
            one["attachment"] = found[0] if len(found) == 1 else found
    return json.dumps(document).encode()
