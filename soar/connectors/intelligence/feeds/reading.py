"""From the bytes of a feed to its rows: unpacked within a limit, read by its format."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator

from soar.connectors.intelligence.feeds import documents, texts
from soar.connectors.intelligence.feeds.rows import Row

LARGEST = 64 * 1024 * 1024
READERS = {
    "urlhaus": texts.urlhaus,
    "threatfox": texts.threatfox,
    "feodo": texts.feodo,
    "stix": documents.stix,
    "misp": documents.misp,
    "plain": texts.plain,
}
FORMATS = ("plain", "csv", "stix", "misp", "urlhaus", "threatfox", "feodo")


def read(body: bytes, format_: str, *, type_: str = "", column: str = "") -> Iterator[Row | None]:
    """The rows of a feed, None for each thing that was skipped. Raises ValueError with a sentence for people."""
    data = unpacked(body)
    if not data.strip():
        raise ValueError("The file is empty.")
    if data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise ValueError("This is a web page, not a list.")
    if format_ == "csv":
        return texts.table(data, type_, column)
    return READERS[format_](data, type_)


def unpacked(body: bytes) -> bytes:
    """The body, or what a gzip or zip of one file holds. Raises ValueError over 64 MiB."""
    if len(body) > LARGEST:
        raise ValueError("A feed has at most 64 MiB.")
    try:
        if body[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                return _within(packed.read(LARGEST + 1))
        if body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise ValueError(f"The archive holds {len(names)} files, one is needed.")
                with archive.open(names[0]) as member:
                    return _within(member.read(LARGEST + 1))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"The file cannot be unpacked: {error}.") from None
    return body


def _within(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise ValueError("A feed has at most 64 MiB, unpacked.")
    return data
