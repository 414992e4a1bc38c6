"""Reading an answer's body without letting the server decide how much memory it takes."""

from __future__ import annotations

import zlib

import httpx


class TooLarge(Exception):
    """The body is over the limit; the rest was not read."""


def read_body(response: httpx.Response, at_most: int) -> bytes:
    """The decompressed body of a streamed response, at most ``at_most`` bytes.

    Raises TooLarge, and httpx.DecodingError for a body that is not what its headers say.
    """
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > at_most:
        raise TooLarge(f"answered with {declared} bytes, more than the {at_most} allowed")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"", "identity"}:
        return _plain(response, at_most)
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise httpx.DecodingError(f"unknown content encoding {encoding!r}")
    return _unpacked(response, at_most)


def _plain(response: httpx.Response, at_most: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        _check(body, at_most)
    return bytes(body)


def _unpacked(response: httpx.Response, at_most: int) -> bytes:
    # By hand: a small compressed chunk may hold gigabytes, so the output of each step is bounded.
    unpacker, body = zlib.decompressobj(wbits=47), bytearray()
    try:
        for chunk in response.iter_raw():
            body += unpacker.decompress(chunk, at_most - len(body) + 1)
            _check(body, at_most)
    except zlib.error as error:
        raise httpx.DecodingError(f"the body is not the compressed data it claims to be: {error}") from error
    if body and not unpacker.eof:
        raise httpx.DecodingError("the compressed body is cut short")
    return bytes(body)


def _check(body: bytearray, at_most: int) -> None:
    if len(body) > at_most:
        raise TooLarge(f"answered with more than the {at_most} bytes allowed")
