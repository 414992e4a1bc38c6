"""Taking a message apart: in linear time and bounded memory, whatever its boundaries say.

Unusual parameters and transfer encodings are read by the ``email`` package. Its own parser of bodies is not used: it
looks at every line once for each level of nesting, and a message may have as many of both as its sender likes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.policy import compat32
from email.utils import collapse_rfc2231_value

from cases.ingest.mail import words

# Content-Type and Content-Disposition as nearly all are written: nothing escaped, encoded or continued.
USUAL = re.compile(r'(?a)[\w.+/-]{1,200}(?: ?; ?[\w-]{1,40}=(?:"[\w.:/+=?-]{1,200}"|[\w.:/+-]{1,200})){0,10};?')
USUAL_PARAMETER = re.compile(r'(?a); ?([\w-]{1,40})=(?:"([\w.:/+=?-]{1,200})"|([\w.:/+-]{1,200}))')
DEEPEST = 50  # levels of parts within parts
MOST_PARTS = 1_000
MOST_CANDIDATES = 20_000  # places that look like a boundary, of one part
LONGEST_HEAD, LONGEST_PART_HEAD = 256 * 1024, 64 * 1024
MOST_HEADERS = 1_000
LONGEST_PARAMETERS = 4_000
END_OF_HEAD = re.compile(rb"\r?\n[ \t]*\r?\n|\Z")
HEADER_LINE = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
MESSAGES = frozenset({"message/rfc822", "message/global"})
BROKEN = (MessageError, ValueError, TypeError, AttributeError, IndexError, KeyError, LookupError, RecursionError)


@dataclass(slots=True)
class Part:
    """A piece of ``data`` from ``start`` (of its body) to ``end``; ``headers`` in their order, as they came."""

    data: bytes
    start: int
    end: int
    headers: list[tuple[str, str]]
    depth: int = 0
    kind: str = "text/plain"
    notes: list[str] = field(default_factory=list)  # one list for a whole message
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        """Every header of that name, in its order, as it came."""
        if not self._by_name:  # a dozen are asked for
            for key, value in self.headers:
                self._by_name.setdefault(key.lower(), []).append(value)
        return self._by_name.get(name, [])

    def get(self, name: str) -> str:
        """The first header of that name as text in one line, "" without one."""
        return words.header(next(iter(self.all(name)), ""))

    def parameter(self, name: str, of: str = "content-type") -> str:
        """A parameter of Content-Type or Content-Disposition, RFC 2231 read."""
        value = next(iter(self.all(of)), "")[:LONGEST_PARAMETERS]
        return _parameter(words.FOLD.sub(" ", words.unbyted(value)), name) if ";" in value else ""

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or ""."""
        return self.get("content-disposition").partition(";")[0].strip().lower()

    @property
    def name(self) -> str:
        """The name of the file that it is, "" for none."""
        given = self.parameter("filename", "content-disposition") or self.parameter("name")
        return words.header(given).replace("\\", "/").rpartition("/")[2].strip()[:255]

    def content(self) -> bytes:
        """The body's bytes without their transfer encoding."""
        body = self.data[self.start : self.end]
        encoding = self.get("content-transfer-encoding").lower().strip(" ;")
        if encoding in ("", "7bit", "8bit", "binary"):
            return body
        message = Message(policy=compat32)
        message["Content-Transfer-Encoding"] = encoding[:40]
        message.set_payload(body.decode("ascii", "surrogateescape"))
        try:
            read = message.get_payload(decode=True)
        except BROKEN:
            read = None
        return read if isinstance(read, bytes) else body

    def text(self) -> str:
        """The body as text."""
        return words.decoded(self.content(), self.parameter("charset"))


def opened(raw: bytes, depth: int = 0, notes: list[str] | None = None) -> Part | None:
    """The message that these bytes are, None if not one header can be found at their beginning."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # as old programs of one vendor ended lines
    start = _begin(raw)
    if not HEADER_LINE.match(raw, start):
        return None
    return _part(raw, start, len(raw), depth, [] if notes is None else notes, LONGEST_HEAD)


def leaves(part: Part, count: list[int] | None = None) -> Iterator[Part]:
    """The parts that hold something themselves, in their order; a message within it counts as one too."""
    count = [0] if count is None else count
    if not part.kind.startswith("multipart/"):
        yield part
        return
    children = _children(part) if part.depth < DEEPEST else []
    if not children:
        deep = part.depth >= DEEPEST
        why = f"parts lie deeper than {DEEPEST} levels" if deep else "the boundary of a part is nowhere to be found"
        _note(part, f"{why}; what it holds is read as text")
        part.kind = "text/plain"
        yield part
        return
    for child in children:
        count[0] += 1
        if count[0] > MOST_PARTS:
            _note(part, f"only the first {MOST_PARTS:,} parts were read")
            return
        yield from leaves(child, count)


def inner(part: Part) -> Part | None:
    """The message that a part holds, None if it holds none."""
    if part.depth >= DEEPEST:
        return None
    return opened(part.content(), part.depth + 1, part.notes)


def _begin(raw: bytes) -> int:
    """Behind a byte order mark, empty lines and the separator of a mailbox file."""
    start = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    while raw[start : start + 1] in (b"\r", b"\n", b" ", b"\t"):
        start += 1
    if raw.startswith((b"From ", b">From "), start):
        start = raw.find(b"\n", start) + 1 or len(raw)
    return start


def _part(data: bytes, start: int, end: int, depth: int, notes: list[str], longest: int) -> Part:
    head_end, body = _head(data, start, end)
    if head_end - start > longest:
        notes.append(f"headers beyond {longest // 1024} KiB were not read")
    headers = _headers(data[start : min(head_end, start + longest)])
    part = Part(data, min(body, end), end, headers, depth, notes=notes)
    given = part.get("content-type").partition(";")[0].strip().lower()
    part.kind = given if MEDIA_TYPE.fullmatch(given) else "text/plain"
    return part


def _head(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the head ends and where the body begins. A part that begins with an empty line has no head."""
    for sign in (b"\r\n", b"\n"):
        if data.startswith(sign, start, end):
            return start, start + len(sign)
    match = END_OF_HEAD.search(data, start, end)
    return (match.start(), match.end()) if match else (end, end)


def _headers(head: bytes) -> list[tuple[str, str]]:
    """Lines that are no headers are left out."""
    found: list[list[bytes]] = []
    for line in head.splitlines():
        if HEADER_LINE.match(line):
            if len(found) == MOST_HEADERS:
                break
            found.append([line])
        elif found and line[:1] in (b" ", b"\t"):
            found[-1].append(line)
    pairs = (b"\n".join(lines).decode("ascii", "surrogateescape").partition(":") for lines in found)
    return [(name, value.strip()) for name, _, value in pairs]


def _children(part: Part) -> list[Part]:
    boundary = part.parameter("boundary").rstrip()
    if not boundary:
        return []
    places = _places(part, b"--" + boundary.encode("utf-8", "replace"))
    if not places:
        return []
    pairs = zip(places, [*places[1:], (part.end, part.end, True)], strict=True)
    return [
        _part(part.data, after, max(after, before), part.depth + 1, part.notes, LONGEST_PART_HEAD)
        for (_, after, last), (before, _, _) in pairs
        if not last
    ]


def _places(part: Part, sign: bytes) -> list[tuple[int, int, bool]]:
    """Where the boundary stands as a line: (end of what is before, start of what is behind, whether it is the last)."""
    found: list[tuple[int, int, bool]] = []
    at = (
        part.start - 1 if part.data.startswith(sign, part.start) else part.data.find(b"\n" + sign, part.start, part.end)
    )
    for _ in range(MOST_CANDIDATES):
        if at < part.start - 1 or len(found) > MOST_PARTS:
            break
        behind = at + 1 + len(sign)
        line_end = part.data.find(b"\n", behind, min(behind + 200, part.end))
        rest = part.data[behind : line_end if line_end >= 0 else min(behind + 200, part.end)].strip()
        if rest in (b"", b"--"):
            before = at - 1 if part.data[at - 1 : at] == b"\r" else at
            found.append((max(before, part.start), line_end + 1 if line_end >= 0 else part.end, rest == b"--"))
            if rest:
                break
        at = part.data.find(b"\n" + sign, behind, part.end)
    return found


def _parameter(value: str, name: str) -> str:
    if USUAL.fullmatch(value):  # read at once; the package makes a message of each
        pairs = ((one[1].lower(), one[2] or one[3]) for one in USUAL_PARAMETER.finditer(value))
        return next((text for key, text in pairs if key == name), "")
    message = Message(policy=compat32)
    message["Content-Type"] = value
    try:
        found = message.get_param(name, "", "content-type")
        return collapse_rfc2231_value(found) if found else ""
    except BROKEN:
        match = re.search(rf'(?i);\s*{re.escape(name)}\s*=\s*"?([^";]{{1,300}})', value)
        return match[1].strip() if match else ""


def _note(part: Part, text: str) -> None:
    if text not in part.notes:
        part.notes.append(text)
