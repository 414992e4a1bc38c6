"""From the bytes of a delivery to its items. Pure: limits and shapes of ingest-and-api.md 6 and 10."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec

BODY_AT_MOST = 10 * 1024 * 1024
ITEM_AT_MOST = 1024 * 1024
ITEMS_AT_MOST = 1000
DEPTH_AT_MOST = 64
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq")


class Unreadable(Exception):
    """The delivery, or one item of it, cannot be taken: ``status`` 400 or 413, and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Item:
    """One alert's JSON: its text as it came and its value; or the error that stands in its place. ``raw``: the mail
    message that it was made of."""

    text: str
    value: dict[str, Any]
    error: Unreadable | None = None
    raw: bytes = b""


def unpack(body: bytes, encoding: str) -> bytes:
    """The body after ``Content-Encoding``. Raises Unreadable for a bomb, broken gzip or an unknown encoding."""
    if len(body) > BODY_AT_MOST:
        raise Unreadable(413, "The body is larger than 10 MiB.")
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Unreadable(400, f"Content-Encoding {encoding[:40]!r} is not understood; gzip is.")
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(body, BODY_AT_MOST + 1)
    except zlib.error as error:
        raise Unreadable(400, f"The body is not gzip: {error}") from error
    if len(plain) > BODY_AT_MOST or unzip.unconsumed_tail:
        raise Unreadable(413, "The body is larger than 10 MiB when unpacked.")
    if not unzip.eof:
        raise Unreadable(400, "The gzip body ends too early.")
    return plain


def read(body: bytes, content_type: str = "", item_at_most: int = ITEM_AT_MOST) -> tuple[list[Item], bool]:
    """The items of a body and whether it was a list (or NDJSON). Raises Unreadable when nothing can be read.

    ``item_at_most`` is larger for kinds whose documents hold many alerts: there the parts are measured."""
    try:
        text = body.decode("utf-8").strip().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Unreadable(400, f"The body is not UTF-8 (byte {error.start}).") from error
    if not text:
        raise Unreadable(400, "The body is empty. Send a JSON object, a list of them, or NDJSON.")
    if content_type.partition(";")[0].strip().lower() in NDJSON:
        return _lines(text, item_at_most), True
    if text[0] == "[":
        return _list(text, item_at_most), True
    item = _item(text, item_at_most)
    if item.error and "\n" in text and text[0] == "{":
        lines = _lines(text, item_at_most)
        if not lines[0].error:  # several objects, one a line, without the content type
            return lines, True
    if item.error:
        raise item.error
    return [item], False


def _list(text: str, item_at_most: int) -> list[Item]:
    try:
        raws = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(400, _sentence(error)) from error
    _count(len(raws))
    return [_item(bytes(raw).decode("utf-8"), item_at_most) for raw in raws]


def _lines(text: str, item_at_most: int) -> list[Item]:
    # Not splitlines: U+2028 and its like may stand in a JSON text as they are.
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    _count(len(lines))
    return [_item(line, item_at_most) for line in lines]


def _count(number: int) -> None:
    if number == 0:
        raise Unreadable(400, "The list is empty.")
    if number > ITEMS_AT_MOST:
        raise Unreadable(413, f"At most {ITEMS_AT_MOST:,} alerts in one call; this has {number:,}.")


def _item(text: str, at_most: int) -> Item:
    try:
        value = _decode(text, at_most)
    except Unreadable as error:
        return Item(text, {}, error)
    return Item(text, value)


def part(value: dict[str, Any]) -> Item:
    """One alert of a document that holds several, as an item with a text of its own."""
    return limited(Item(encoded(value), value))


def encoded(value: Any) -> str:
    """A value as JSON, short: letters beyond ASCII stand as they are, lone surrogates as the escapes they came as."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(value)


def limited(item: Item) -> Item:
    """The item, or the error in its place when it is larger than one alert may be."""
    try:
        _measure(item.text, ITEM_AT_MOST)
    except Unreadable as error:
        return Item(item.text, {}, item.error or error)
    return item


def _measure(text: str, at_most: int) -> None:
    # A character is one byte at least and four at most.
    if len(text) > at_most or (len(text) * 4 > at_most and len(text.encode()) > at_most):
        raise Unreadable(413, "An alert is at most 1 MiB.")


def _decode(text: str, at_most: int) -> dict[str, Any]:
    _measure(text, at_most)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        value = _lenient(text, error)
    if not isinstance(value, dict):
        raise Unreadable(400, "An alert is a JSON object.")
    if text.count("{") + text.count("[") > DEPTH_AT_MOST and _deeper(value):
        raise Unreadable(400, f"The JSON is nested deeper than {DEPTH_AT_MOST} levels.")
    return value


def _lenient(text: str, first: Exception) -> Any:
    """Lone surrogates are legal JSON escapes: read by the standard library, mended later and noted."""
    if "\\u" not in text or isinstance(first, RecursionError):
        raise Unreadable(400, _sentence(first)) from first
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable(400, _sentence(first)) from first


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"The JSON is nested deeper than {DEPTH_AT_MOST} levels."
    return f"This is not JSON: {error}"


def _deeper(value: Any) -> bool:
    """Whether the value is nested deeper than DEPTH_AT_MOST; level by level, so no recursion to exhaust."""
    level: list[Any] = [value]
    for _ in range(DEPTH_AT_MOST):
        children: list[Any] = []
        for one in level:
            children.extend(one.values() if isinstance(one, dict) else one)
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True
