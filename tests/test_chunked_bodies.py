"""Bodies without a length, in chunks (ingest-and-api.md 6, 10): the application's part, and granian's."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from soar.lib.chunked import whole_bodies
from tests.cluster import _memory
from tests.portal import Portal

MIB = 2**20


class Chunks:
    """A body of which each read gives a piece, as a server does."""

    def __init__(self, body: bytes, piece: int) -> None:
        self.body, self.piece, self.given = BytesIO(body), piece, 0

    def read(self, size: int) -> bytes:
        found = self.body.read(min(size, self.piece))
        self.given += len(found)
        return found


def seen(stream: Chunks, **environ: Any) -> tuple[str | None, bytes]:
    """The length and the body that an application behind ``whole_bodies`` sees, at most 10 bytes allowed."""
    found: list[tuple[str | None, bytes]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.append((environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read(100)))
        return []

    whole_bodies(application, 10)({"wsgi.input": stream, **environ}, lambda *_: None)
    return found[0]


def test_chunks_get_a_length() -> None:
    assert seen(Chunks(b"0123456", 3), HTTP_TRANSFER_ENCODING="chunked") == ("7", b"0123456")


def test_of_too_much_only_one_byte_too_much_is_read() -> None:
    stream = Chunks(b"x" * 1000, 4)
    assert seen(stream, HTTP_TRANSFER_ENCODING="gzip, Chunked") == ("11", b"x" * 11)
    assert stream.given == 11


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "3"}, {}])
def test_what_is_not_chunked_is_left_alone(environ: dict[str, str]) -> None:
    stream = Chunks(b"012", 3)
    assert seen(stream, **environ) == (environ.get("CONTENT_LENGTH"), b"012")


def pieces(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def test_a_sender_that_streams_is_read_and_its_limit_holds() -> None:
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="soar-chunks-") as name:
        Path(name).chmod(0o711)
        portal = Portal(Path(name) / "data")
        try:
            portal.start()
            source = json.loads(portal.manage("source", "create", "Shipper", "--kind", "generic"))
            headers = {"Authorization": f"Bearer {source['token']}", "Content-Type": "application/json"}
            path = f"/api/v1/ingest/{source['slug']}/"
            taken = portal.client.post(path, content=pieces(b'{"id": "1", "ti', b'tle": "Streamed"}'), headers=headers)
            assert (taken.status_code, taken.json()["number"]) == (201, "ALR-1")
            large = pieces(b'{"title": "', *[b"x" * MIB] * 11, b'"}')
            refused = portal.client.post(path, content=large, headers=headers)
            assert (refused.status_code, refused.headers["Content-Type"]) == (413, "application/problem+json")
        finally:
            portal.clean_up()
