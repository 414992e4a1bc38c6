"""From the bytes of a feed to its rows: unpacked within a limit, read by its format."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator

from soar.connectors.intelligence.feeds import documents, texts
from soar.connectors.intelligence.feeds.rows import BadFeed, Place, Row

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


def read(
    body: bytes, format_: str, *, type_: str = "", column: str = "", place: Place | None = None
) -> Iterator[Row | None]:
    """The rows of a feed, None for each thing that was skipped; ``place`` moves as they are read.

    Raises BadFeed with a sentence for people."""
    place, data = place or Place(), unpacked(body)
    place.total = len(data)
    if not data.strip():
        raise BadFeed("The file is empty.")
    if data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise BadFeed("This is a web page, not a list.", 1)
    if format_ == "csv":
        return texts.table(data, type_, column, place)
    return READERS[format_](data, type_, place)


def unpacked(body: bytes) -> bytes:
    """The body, or what a gzip or zip of one file holds. Raises BadFeed over 64 MiB."""
    if len(body) > LARGEST:
        raise BadFeed("A feed has at most 64 MiB.")
    try:
        if body[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                return _within(packed.read(LARGEST + 1))
        if body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise BadFeed(f"The archive holds {len(names)} files, one is needed.")
                with archive.open(names[0]) as member:
                    return _within(member.read(LARGEST + 1))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BadFeed(f"The file cannot be unpacked: {error}.") from None
    return body


def _within(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise BadFeed("A feed has at most 64 MiB, unpacked.")
    return data
