"""HTML of a mail as text, with its links: one pass, in linear time. Nothing is fetched and nothing is run."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST = 2_000_000  # characters that are read
MOST_LINKS = 2_000
LONGEST_TAG, LONGEST_ADDRESS, LONGEST_LABEL = 8_000, 4_096, 300
TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:]{0,20})")
SIGN = re.compile(r"<(?=/?[a-zA-Z]|[!?])")  # any other one is text
# Attributes that hold an address, and what the address is then.
ATTRIBUTE = re.compile(
    r"(?i)(?<![-\w])(href|src|action|formaction|background|content|xlink:href|srcset)\s{0,9}=\s{0,9}"
)
ROLES = {"href": "link", "xlink:href": "link", "action": "form", "formaction": "form", "content": "link"}
SILENT = frozenset({"script", "style", "title", "noscript", "template"})
BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "body"}
)
BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
# What browsers leave out of an address: line ends and tabs anywhere, and what cannot be seen.
UNSEEN = re.compile("[\t\r\n\x00-\x08\x0b\x0c\x0e-\x1f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
REFRESH = re.compile(r"(?i)\burl\s{0,9}=\s{0,9}['\"]?([^'\";]{1,4000})")


class Link(NamedTuple):
    """An address as it stands in the HTML. ``at``: where in the text; ``role``: link, form, image or resource."""

    at: int
    url: str
    label: str
    role: str


@dataclass(slots=True)
class Html:
    """The text that a reader sees, more or less, and all addresses in it."""

    text: str = ""
    links: list[Link] = field(default_factory=list)


def read(source: str) -> Html:
    """Text and links of HTML, however broken it is."""
    reader = _Reader(source[:LONGEST])
    reader.run()
    return Html("".join(reader.pieces), reader.links)


def unescaped(text: str) -> str:
    """``text`` with its character references read."""
    try:
        return html.unescape(text) if "&" in text else text
    except (ValueError, OverflowError):  # a reference of thousands of digits
        return text


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.pieces: list[str] = []
        self.length = 0
        self.links: list[Link] = []
        self.anchor: tuple[int, int, str] | None = None  # where its text begins, index of its piece, address
        self.never: set[str] = set()  # ends that do not come any more, not to be looked for again

    def run(self) -> None:
        while self.at < len(self.source):
            sign = SIGN.search(self.source, self.at)
            begin = sign.start() if sign else len(self.source)
            self._text(self.source[self.at : begin])
            if sign is None:
                return
            if self.source.startswith("<!--", begin):
                self._skip("-->", begin + 4)
            elif self.source.startswith(("<!", "<?"), begin):
                self._skip(">", begin + 2)
            else:
                self._tag(begin)

    def _tag(self, begin: int) -> None:
        match = TAG.match(self.source, begin)
        assert match is not None  # SIGN has looked
        end = self._end_of_tag(match.end())
        name, closing = match[1].lower(), self.source[begin + 1] == "/"
        inside = self.source[match.end() : min(end, match.end() + LONGEST_TAG)]
        self.at = end + 1
        if name in BREAKS:
            self._put("\n")
        elif name in ("td", "th"):
            self._put(" ")
        if closing:
            if name == "a":
                self._end_anchor()
            return
        self._attributes(name, inside)
        if name in SILENT and not inside.endswith("/"):
            self._skip_element(name)

    def _end_of_tag(self, start: int) -> int:
        """The ``>`` that ends a tag: not one within quotes, as far as quotes come in pairs."""
        end = self._find(">", start)
        if end - start > LONGEST_TAG:
            return end
        for quote in "\"'":
            if self.source.count(quote, start, end) % 2:
                other = self._find(quote, end)
                later = self._find(">", other) if other < len(self.source) else other
                if later < len(self.source) and later - start < LONGEST_TAG:
                    return later
        return end

    def _attributes(self, tag: str, inside: str) -> None:
        at = 0
        while match := ATTRIBUTE.search(inside, at):
            value, at = _value(inside, match.end())
            name = match[1].lower()
            if name == "content" and tag != "meta":
                continue
            self._address(tag, name, unescaped(value))

    def _address(self, tag: str, name: str, value: str) -> None:
        if name == "content":
            found = REFRESH.search(value)
            value = found[1] if found else ""
        if name == "srcset":
            value = value.strip().partition(" ")[0]
        url = UNSEEN.sub("", value).strip()[:LONGEST_ADDRESS]
        if not url:
            return
        if tag in ("a", "area") and name.endswith("href"):
            self._end_anchor()
            self.anchor = (self.length, len(self.pieces), url)
        else:
            role = "resource" if tag in ("link", "script") else ROLES.get(name, "image")
            self._link(Link(self.length, url, "", role))

    def _end_anchor(self) -> None:
        if self.anchor is not None:
            at, piece, url = self.anchor
            label = BLANKS.sub(" ", "".join(self.pieces[piece : piece + 50])[:LONGEST_LABEL]).strip()
            self.anchor = None
            self._link(Link(at, url, label, "link"))

    def _link(self, link: Link) -> None:
        if len(self.links) < MOST_LINKS:
            self.links.append(link)

    def _text(self, text: str) -> None:
        if text:
            self._put(BLANKS.sub(" ", unescaped(text)))

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def _skip(self, sign: str, start: int) -> None:
        self.at = self._find(sign, start) + len(sign)

    def _skip_element(self, name: str) -> None:
        if name in self.never:
            return
        found = re.compile(f"</{name}", re.I).search(self.source, self.at)
        if found is None:
            self.never.add(name)
        else:
            self.at = found.start()

    def _find(self, sign: str, start: int) -> int:
        """Where ``sign`` stands next, the end of all if it comes no more; that is found out only once."""
        if sign not in self.never:
            found = self.source.find(sign, start)
            if found >= 0:
                return found
            self.never.add(sign)
        return len(self.source)


def _value(inside: str, at: int) -> tuple[str, int]:
    """The value of an attribute that begins at ``at``, and where to look on."""
    quote = inside[at : at + 1]
    if quote and quote in "\"'":
        end = inside.find(quote, at + 1)
        end = len(inside) if end < 0 else end
        return inside[at + 1 : end], end + 1
    match = re.compile(r"[^\s>]*").match(inside, at)
    end = match.end() if match else at
    return inside[at:end], max(end, at + 1)
