"""A mail message as a delivery: posted as it is (``message/rfc822``), within JSON, or read from a mailbox. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from cases.ingest.mail.document import document
from cases.ingest.reading import ITEM_AT_MOST, Item, Unreadable, part
from cases.ingest.sources.email import raw_of

CUT = "x-soar-whole"  # parameter of the content type: how long a message is of which only the beginning is here
MAIL = ("message/rfc822", "message/global")
MAIL_AT_MOST = 25 * 1024 * 1024  # of one message; what is posted has the limit of a body before
NO_MAIL = "This is no mail message: it does not begin with a header such as From or Subject."
ROOM = ITEM_AT_MOST - 64 * 1024
CARRIES = ("raw", "raw_base64")  # fields of JSON that hold a message
BESIDE_AT_MOST = 32 * 1024


def taken(body: bytes, content_type: str) -> Item | None:
    """The message that a body is; None for JSON. Raises Unreadable for a body that is neither."""
    kind = content_type.partition(";")[0].strip().lower()
    start = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if kind not in MAIL and (not start or start[:1] in b"{["):
        return None
    if len(body) > MAIL_AT_MOST:
        raise Unreadable(413, f"A message is at most {MAIL_AT_MOST // (1024 * 1024)} MiB.")
    item = _item(body)
    whole = content_type.partition(f"{CUT}=")[2].strip()
    if whole.isdecimal() and len(whole) < 15:
        item.value["notes"] = [f"the message has {int(whole):,} bytes; the first {len(body):,} are here"]
        return _again(item)
    return item


def opened(item: Item) -> Item:
    """The item itself, or the message that it carries in ``raw`` or ``raw_base64``."""
    raw = raw_of(item.value) if not item.error else None
    if raw is None:
        return item
    try:
        return _with_the_rest(_item(raw), item.value)
    except Unreadable as error:
        return Item(item.text, {}, error)


def _with_the_rest(made: Item, posted: dict[str, Any]) -> Item:
    """The message, and what else the JSON said that carried it: nothing that was sent is dropped without a word."""
    rest = {name: value for name, value in posted.items() if name not in CARRIES}
    if not rest:
        return made
    if _size(rest) < BESIDE_AT_MOST:
        made.value["posted_with"] = rest
    else:
        made.value["notes"] = [*made.value["notes"], "what was posted beside the message is too much to be kept"]
    return _again(made)


def _item(raw: bytes) -> Item:
    told = document(raw)
    if told is None:
        raise Unreadable(400, NO_MAIL)
    item = part(fitted(told))
    item.raw = raw
    return item


def _again(item: Item) -> Item:
    """The item with its text made anew of its value."""
    made = part(item.value)
    made.raw = item.raw
    return made


def fitted(told: dict[str, Any]) -> dict[str, Any]:
    """The document no larger than an alert may be: what is longest goes first, and the message itself has it all."""
    for cut in (_fewer_headers, _less_text, _fewer_links, _fewer_people, _bare):
        if _size(told) <= ROOM:
            return told
        told = cut(told)
        told["notes"] = [*told["notes"], "not all of the message is told here; it is kept whole"][-50:]
    return told


def _size(told: dict[str, Any]) -> int:
    try:
        return len(msgspec.json.encode(told))
    except (UnicodeEncodeError, OverflowError):
        return len(repr(told)) * 2


def _fewer_headers(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "headers": told["headers"][:20]}


def _less_text(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "text": told["text"][:50_000]}


def _fewer_links(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "links": [{**one, "wrapped": ""} for one in told["links"][:100]]}


def _fewer_people(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "headers": [], "to": told["to"][:10], "cc": told["cc"][:5], "reply_to": told["reply_to"][:5]}


def _bare(told: dict[str, Any]) -> dict[str, Any]:
    """What is left is small by its own limits."""
    return {**told, "links": told["links"][:20], "attachments": told["attachments"][:50], "text": told["text"][:5_000]}
