"""Text of headers and bodies: whatever its charset says, it is read, and never with an error."""

from __future__ import annotations

import binascii
import codecs
import re
from email.utils import getaddresses
from typing import NamedTuple

LONGEST_HEADER = 16_000  # characters of one header that are read
MOST_ADDRESSES = 200
# Charsets that are read by a wider one, as mail programs do, and names that say nothing.
WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932",
         "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}  # fmt: skip
# Not for text of other people: some take quadratic time, some give back what was never written.
UNFIT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
NAME_OF_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()+-]{0,39}")
ENCODED = re.compile(r"=\?([A-Za-z0-9_.:()+-]{1,40})(?:\*[A-Za-z-]{0,20})?\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
BETWEEN = re.compile(r"(?<=\?=)[ \t\r\n]+(?==\?)")
FOLD = re.compile(r"[ \t]*[\r\n]+[ \t]*")
LOOSE_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]@]{1,64}@[^\s<>\"'(),;:@]{3,253}")


# A list of one address as nearly all are written: read at once, which the package takes ten times as long for.
_WORDS, _BARE = (
    r"\w[\w-]{0,60}(?: \w[\w-]{0,60}){0,8}",
    r"[\w+-]{1,64}(?:\.[\w+-]{1,64}){0,9}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}",
)
ONE_ADDRESS = re.compile(rf"(?a)(?:({_WORDS}) )?<({_BARE})>|({_BARE})")


class Address(NamedTuple):
    """A mail address with the name that stands before it."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name and self.address else self.address or self.name


def decoded(data: bytes, charset: str = "") -> str:
    """``data`` as text by its charset; by UTF-8, else Windows-1252, where that is not known or does not fit."""
    for name in (charset, "utf-8"):
        try:
            return data.decode(_codec(name))
        except (LookupError, ValueError):
            continue
    try:
        return data.decode(_codec(charset), "replace")
    except (LookupError, ValueError):
        return data.decode("cp1252", "replace")


def _codec(charset: str) -> str:
    """The codec for a charset. Raises LookupError for one that is not for text, or that nobody knows."""
    name = charset.strip(" '\"").lower()
    if not NAME_OF_CHARSET.fullmatch(name):
        raise LookupError(name)
    found = codecs.lookup(WIDER.get(name, name)).name
    if found in UNFIT or found.replace("-", "_") in UNFIT:
        raise LookupError(name)
    return found


def unbyted(value: str) -> str:
    """Text of a header whose bytes beyond ASCII stand as surrogates: what they were meant to be."""
    if value.isascii():
        return value
    try:
        return decoded(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # surrogates that no byte has become: told by signs later
        return value


def header(value: str) -> str:
    """A header's value in one line, encoded words (RFC 2047) read."""
    text = FOLD.sub(" ", unbyted(value[:LONGEST_HEADER])).strip()
    if "=?" not in text:
        return text
    return _with_words(BETWEEN.sub("", text))


def _with_words(text: str) -> str:
    """Bytes of neighbouring words in one charset belong together: a character may be cut between them."""
    pieces: list[str] = []
    kept, charset, done = b"", "", 0
    for match in ENCODED.finditer(text):
        if kept and (match.start() > done or match[1].lower() != charset):
            pieces.append(decoded(kept, charset))
            kept = b""
        pieces.append(text[done : match.start()])
        kept, charset, done = kept + _word(match[2], match[3]), match[1].lower(), match.end()
    if kept:
        pieces.append(decoded(kept, charset))
    return "".join([*pieces, text[done:]])


def _word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return data


def addresses(value: str) -> list[Address]:
    """The addresses of a header (From, To ...). Names are decoded after the list was taken apart, not before."""
    text = FOLD.sub(" ", unbyted(value[:LONGEST_HEADER]))
    if one := ONE_ADDRESS.fullmatch(text):
        return [Address(one[1] or "", one[2] or one[3])]
    try:
        pairs = getaddresses([text])
    except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
        pairs = []
    found = [Address(header(name), address) for name, address in pairs if "@" in address]
    if not found:
        found = [Address("", one) for one in LOOSE_ADDRESS.findall(header(value))]
    return found[:MOST_ADDRESSES]


def first_address(value: str) -> Address:
    """The first address; where there is none, what stands instead counts as a name."""
    found = addresses(value)
    return found[0] if found else Address(header(value)[:300].strip(" <>"), "")
