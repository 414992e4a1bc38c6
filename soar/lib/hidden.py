"""Characters that turn a line round or cannot be seen, made visible: what a page shows is what is there.

A title that begins with U+202E would read backwards, a host name with U+200B looks like another. Each such character is
written as ``[U+202E]``, a control of ASCII as its picture (U+2400 and on). A joiner between letters of a script that
needs it, or between the signs of an emoji, is text and stays.
"""

from __future__ import annotations

import re

_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
# Soft hyphen, Arabic letter mark, Mongolian separator, zero widths and marks, line separators, embeddings, overrides,
# isolates and other invisible operators, BOM, annotations, tags.
_FORMATS = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_JOINERS = "\u200c\u200d"
_PLAIN = "\x00-\u036f"  # scripts that join nothing
HIDDEN = re.compile(f"[{_CONTROLS}{_FORMATS}]|[{_JOINERS}](?=[{_PLAIN}]|$)|(?:(?<=[{_PLAIN}])|^)[{_JOINERS}]")
# The same in UTF-8, a little more generous: asked first, of whole pages. Each begins with a byte that is looked for by
# itself: one pattern of them all takes 40 times as long.
_LEADS = (
    rb"\xc2[\x80-\x9f\xad]",
    rb"\xd8\x9c",
    rb"\xe1\xa0\x8e",
    rb"\xe2\x80[\x8b-\x8f\xa8-\xae]",
    rb"\xe2\x81[\xa0-\xaf]",
    rb"\xef\xbb\xbf",
    rb"\xef\xbf[\xb9-\xbb]",
    rb"\xf3\xa0[\x80\x81]",
)
_MAYBE = tuple(re.compile(lead) for lead in _LEADS)
_COPIED = re.compile(r'(?<= data-copy=")[^"]*')
_NO_CONTROL = bytes({*range(256)} - {*range(32), 127} | {*b"\t\n\r"})


def shown(text: str) -> str:
    """``text`` with every such character as a visible sign; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return HIDDEN.sub(_sign, text)


def shown_page(page: bytes) -> bytes:
    """A page of HTML in UTF-8, the same object when there is nothing to show. What a button copies stays as it is."""
    if not page.translate(None, _NO_CONTROL) and not any(maybe.search(page) for maybe in _MAYBE):
        return page
    text = _COPIED.sub(lambda copied: HIDDEN.sub(_reference, copied[0]), page.decode("utf-8", "replace"))
    return HIDDEN.sub(_sign, text).encode()


def _reference(found: re.Match[str]) -> str:
    return f"&#x{ord(found[0]):x};"


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"
