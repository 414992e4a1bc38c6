"""Messages made to break whoever reads them: read in linear time, never with an error, and never lost."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.ingest.mail import html
from cases.ingest.mail.files import files_of
from cases.ingest.mails import taken
from cases.ingest.normal import NormalAlert
from cases.ingest.reading import ITEM_AT_MOST, Unreadable
from cases.ingest.registry import KINDS
from tests.mails import phish, reported
from tests.payloads_of import values

HEAD = b"From: a@example.org\r\nSubject: x\r\n"
MANY = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
MEBI = 1024 * 1024


def nested(levels: int) -> bytes:
    """So many parts within parts, with a link in the innermost."""
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return HEAD + parts + b"Content-Type: text/plain\r\n\r\nhttps://deep.example.net/x\r\n"


def page(text: bytes) -> bytes:
    return HEAD + b"Content-Type: text/html\r\n\r\n" + text


HOSTILE = {
    "no end of parts": HEAD + MANY + b"--b\r\n" * MEBI,
    "parts within themselves": HEAD + MANY + (b"--b\r\n" + MANY) * 20_000,
    "nearly boundaries": HEAD + MANY + b"--bc\r\n" * MEBI,
    "empty lines": HEAD + b"\r\n" + b"\n" * (8 * MEBI),
    "comments": b"From: " + b"(" * 100_000 + b"\r\nSubject: x\r\n\r\n",
    "quotes": b"From: " + b'"\\' * 100_000 + b"\r\n\r\n",
    "addresses": b"To: " + b",@" * 100_000 + b"\r\n\r\n",
    "parameters": HEAD + b"Content-Type: " + b'a;"' * 100_000 + b"\r\n\r\n",
    "parts of a parameter": HEAD
    + b"Content-Type: multipart/mixed; boundary*0*=x''a; boundary*1=" * 1_000
    + b"\r\n\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?b?" * 100_000 + b"\r\n\r\n",
    "surrogates": b"Subject: " + b"=?utf-7?q?+2D0-?= " * 1_000 + b"\r\n\r\n",
    "headers": HEAD + b"X: y\r\n" * 300_000 + b"\r\n",
    "folds": b"Subject: x\r\n" + b" y\r\n" * 500_000 + b"\r\n",
    "one line": b"X:" + b"a" * (8 * MEBI),
    "brackets": page(b"<" * MEBI),
    "open tags": page(b'<a "' * MEBI),
    "open values": page(b"<a href='" * MEBI),
    "styles": page(b"<style>" * MEBI),
    "references": page(b"&#" + b"9" * MEBI),
    "quoted marks": b"Subject: FW: x\r\n\r\n" + b"> " * MEBI,
    "heads": b"Subject: FW: x\r\n\r\n" + b"From: a\n" * 300_000,
    "base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A" * (4 * MEBI + 1),
    "uuencode": HEAD + b"Content-Transfer-Encoding: uuencode\r\n\r\nbegin 644 x\r\n" + b"zzz\n" * 200_000,
    "punycode": HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a" * MEBI,
    "half a character": HEAD + b"Content-Type: text/plain; charset=utf-16\r\n\r\n" + b"\x00\xd8" * 500_000,
    "no text codec": HEAD + b"Content-Type: text/plain; charset=zlib\r\n\r\nx",
    "controls": HEAD + b"\r\n" + b"\x01" * MEBI,
    "nothing but nul": b"From: \0\r\nSubject: \0\xff\xfe\r\n\r\n\0" * 1_000,
}


def alert_of(raw: bytes) -> NormalAlert:
    item = taken(raw, "message/rfc822")
    assert item is not None
    assert item.raw == raw
    assert len(item.text.encode("utf-8", "surrogatepass")) <= ITEM_AT_MOST
    return KINDS["email"].normalise(item.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_are_read(name: str) -> None:
    assert alert_of(HOSTILE[name]).title
    assert len(list(files_of(HOSTILE[name], 5))) <= 5


@pytest.mark.parametrize("levels", [1, 49, 200, 5_000])
def test_parts_within_parts(levels: int) -> None:
    alert = alert_of(nested(levels))
    assert alert.title == "x"
    if levels <= 200:
        assert values(alert, "url") == ["https://deep.example.net/x"]


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_raise(raw: bytes) -> None:
    with suppress(Unreadable):
        alert_of(raw)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_no_damage_raises(seed: int) -> None:
    dice = random.Random(seed)
    raw = bytearray(reported(phish()))
    for _ in range(dice.randint(1, 25)):
        at = dice.randrange(len(raw))
        raw[at : at + dice.choice((0, 1, 30))] = dice.randbytes(dice.choice((0, 1, 6)))
    with suppress(Unreadable):
        assert alert_of(bytes(raw)).title


@settings(deadline=None)
@given(st.text(max_size=500))
def test_no_html_raises(text: str) -> None:
    html.read(text)


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                    max_leaves=10), st.sampled_from(["report", "from", "to", "links", "attachments", "received",
                    "authentication", "notes", "subject", "date", "text", "message_id", "reply_to"]))  # fmt: skip
def test_a_document_that_somebody_else_made_up(value: object, name: str) -> None:
    document = {"format": "soar.mail/1", "reported": "attached", name: value}
    assert KINDS["email"].normalise(document).title
