"""Headers as nearly all are written are read by a short way: it says what the ``email`` package says."""

from __future__ import annotations

from email.message import Message
from email.policy import compat32
from email.utils import collapse_rfc2231_value, getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.ingest.mail.parts import opened
from cases.ingest.mail.words import Address, addresses, header

PIECES = ["ab", "A", "b-c", " ", " <", "<", ">", "@", "x.y", ".", "_", "1", ",", '"', "(", "ü", "a@b.c"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join))
def test_addresses(text: str) -> None:
    theirs = [Address(header(name), address) for name, address in getaddresses([text.strip()]) if "@" in address]
    assert not theirs or addresses(text.strip()) == theirs


@pytest.mark.parametrize(
    "value",
    [
        "text/plain; charset=utf-8",
        'text/plain;charset="iso-8859-1"; format=flowed',
        'multipart/mixed; boundary="----=_Part_1.2?x"',
        "multipart/mixed; BOUNDARY=abc;",
        'application/pdf; name="=?utf-8?B?w6TDtg==?="',
        "application/pdf; name*=utf-8''%C3%A4.pdf",
        'application/pdf; name="a\\"b.pdf"',
        "text/plain; charset=a; charset=b",
        "text/plain",
    ],
)
@pytest.mark.parametrize("name", ["charset", "boundary", "name", "format"])
def test_parameters(value: str, name: str) -> None:
    message = Message(policy=compat32)
    message["Content-Type"] = value
    theirs = collapse_rfc2231_value(message.get_param(name, "", "content-type") or "")
    part = opened(f"Subject: x\nContent-Type: {value}\n\nbody".encode())
    assert part is not None
    assert part.parameter(name) == theirs


def test_folded_and_repeated_headers_keep_their_order() -> None:
    part = opened(b"Received: one\r\n\ttwo\r\nno header\r\nreceived: three\r\nSubject:\r\n folded\r\n\r\nbody")
    assert part is not None
    assert [header(one) for one in part.all("received")] == ["one two", "three"]
    assert part.get("subject") == "folded"
    assert part.all("cc") == []
