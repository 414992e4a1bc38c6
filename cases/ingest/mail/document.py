"""A message as plain JSON: what is kept as the alert's payload, and what mappings point into.

The bytes themselves are kept beside it. A report holds the message that it reports: attached to it whole, or forwarded
inline; that one is told, and of the outer one who reported it, when, and with what words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from cases.ingest.mail import forwarded, html, trail, words
from cases.ingest.mail.files import DEEPEST, is_message, is_text
from cases.ingest.mail.parts import Part, inner, leaves, opened
from cases.ingest.mail.words import Address
from cases.ingest.mail.wrapped import unwrapped
from cases.ingest.text import cut

FORMAT = "soar.mail/1"
LONGEST_TEXT = 200_000
LONGEST_NOTE = 10_000
MOST_LINKS, MOST_ATTACHMENTS, MOST_HEADERS = 500, 200, 200
LONGEST_HEADERS = 100_000
LONGEST_NAME, LONGEST_LINK = 300, 2_048
CONVERTED = ("application/ms-tnef", "application/vnd.ms-outlook")
REFUSALS = frozenset({"delivery-status", "disposition-notification"})


class Content(NamedTuple):
    """What a message holds: ``plain`` and ``html`` as text, ``links``, ``files``, and ``messages`` within it, each with
    the part that holds it."""

    plain: str
    html: str
    links: list[html.Link]
    files: list[dict[str, Any]]
    messages: list[tuple[Part, Part]]


def document(raw: bytes) -> dict[str, Any] | None:
    """The message as JSON, None for bytes that are no message: not one header stands at their beginning.

    Never raises, whatever the bytes are."""
    outer = opened(raw)
    if outer is None:
        return None
    content = _content(outer)
    original = _original(outer, content)
    told = _attached(outer, content, original) if original else _inline(outer, content) or _direct(outer, content)
    return {
        "format": FORMAT,
        **told,
        "size": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "notes": outer.notes[:50],
    }


def _original(outer: Part, content: Content) -> Part | None:
    """The message that is reported: the first that is attached; not one that a server gives back undelivered."""
    if outer.parameter("report-type").lower() in REFUSALS:
        return None
    if len(content.messages) > 1:
        outer.notes.append(f"{len(content.messages)} messages are attached; the first is the one that is told")
    return content.messages[0][1] if content.messages else None


def _attached(outer: Part, content: Content, original: Part) -> dict[str, Any]:
    """What the reporter attached besides, and further messages, are told with it."""
    beside = [{**one, "beside": True} for one in content.files]
    within = _whole(_content(original), content.messages[1:])
    told = _told(original, within, [*within.files, *beside])
    return {"reported": "attached", "report": _report(outer, content.plain or content.html), **told}


def _inline(outer: Part, content: Content) -> dict[str, Any] | None:
    """The original as it is left in the text; the links of HTML count from where it begins."""
    subject = outer.get("subject")
    for text, links in ((content.html, content.links), (content.plain, content.links)):
        found = forwarded.find(text, subject) if text else None
        if found is not None:
            behind = [one for one in links if one.at >= found.at] if text is content.html else links
            return _forwarded(outer, content, found, behind)
    return None


def _forwarded(outer: Part, content: Content, found: forwarded.Inline, links: list[html.Link]) -> dict[str, Any]:
    sent = trail.date_of(found.fields.get("date", ""))
    return {
        "reported": "inline",
        "report": _report(outer, found.note),
        "from": _person(words.first_address(_plain_address(found.fields["from"]))),
        "reply_to": _people([found.fields.get("reply_to", "")]),
        "return_path": "",
        "to": _people([_plain_address(found.fields.get("to", ""))]),
        "cc": _people([_plain_address(found.fields.get("cc", ""))]),
        "subject": cut(found.fields.get("subject", ""), LONGEST_LINK) or forwarded.subject_of(outer.get("subject")),
        "message_id": "",
        "date": sent.isoformat() if sent else "",
        "received": [],
        "sending_ip": "",
        "authentication": {},
        "text": cut(found.text, LONGEST_TEXT),
        "links": _links(links, outer.notes),
        "attachments": content.files,
        "headers": _headers(outer),
    }


def _direct(outer: Part, content: Content) -> dict[str, Any]:
    within = _whole(content)
    return {"reported": "", **_told(outer, within, within.files)}


def _report(outer: Part, note: str) -> dict[str, Any]:
    route = trail.hops(outer)
    return {
        "by": _person(words.first_address(next(iter(outer.all("from")), ""))),
        "subject": cut(outer.get("subject"), LONGEST_LINK),
        "message_id": _message_id(outer),
        "at": _when(outer, route),
        "note": cut(_tidy(note), LONGEST_NOTE),
    }


def _told(part: Part, content: Content, files: list[dict[str, Any]]) -> dict[str, Any]:
    route = trail.hops(part)
    return {
        "from": _person(words.first_address(next(iter(part.all("from") or part.all("sender")), ""))),
        "reply_to": _people(part.all("reply-to")),
        "return_path": words.first_address(next(iter(part.all("return-path")), "")).address[:320],
        "to": _people(part.all("to") or part.all("delivered-to") or part.all("x-original-to")),
        "cc": _people(part.all("cc")),
        "subject": cut(part.get("subject"), LONGEST_LINK),
        "message_id": _message_id(part),
        "date": _when(part, route),
        "received": route,
        "sending_ip": trail.sending_address(part, route),
        "authentication": trail.verdicts(part),
        "text": cut(_tidy(content.plain or content.html), LONGEST_TEXT),
        "links": _links(content.links, part.notes),
        "attachments": files[:MOST_ATTACHMENTS],
        "headers": _headers(part),
    }


def _content(message: Part) -> Content:
    """What a message holds itself."""
    content = Content("", "", [], [], [])
    plain: list[str] = []
    shown = html.Html()
    for leaf in leaves(message):
        within = inner(leaf) if is_message(leaf) else None
        if within is not None:
            content.messages.append((leaf, within))
        elif is_text(leaf):
            shown = _shown(leaf, plain, shown)
        elif leaf.kind != "text/rfc822-headers":
            content.files.extend(_file_of(leaf, message.notes))
    return content._replace(plain="\n".join(plain), html=shown.text, links=shown.links)


def _shown(leaf: Part, plain: list[str], shown: html.Html) -> html.Html:
    """``plain`` with one more text, or the HTML with that of one more part behind it."""
    if leaf.kind == "text/plain":
        if sum(map(len, plain)) < LONGEST_TEXT:
            plain.append(leaf.text()[: 2 * LONGEST_TEXT])
        return shown
    more = html.read(leaf.text()) if len(shown.text) < html.LONGEST else html.Html()
    moved = [one._replace(at=one.at + len(shown.text)) for one in more.links]
    return html.Html(shown.text + more.text, shown.links + moved)


def _whole(content: Content, others: Sequence[tuple[Part, Part]] = (), depth: int = 0) -> Content:
    """With the links and files of the messages within and of ``others``, which count as files too."""
    links, files = [*content.links], [*content.files]
    for leaf, message in [*content.messages, *others]:
        more = _content(message)
        more = _whole(more, (), depth + 1) if depth < DEEPEST else more
        links += more.links
        files += [_file(leaf), *more.files]
    return content._replace(links=links, files=files)


def _file_of(leaf: Part, notes: list[str]) -> list[dict[str, Any]]:
    """The file that a part is; a signature and an empty part without a name are none."""
    if leaf.kind in CONVERTED or leaf.name.lower().endswith((".msg", "winmail.dat")):
        notes.append(f"{leaf.name or leaf.kind} is in Outlook's own format, which is not opened; it is kept as a file")
    one = _file(leaf)
    return [one] if one["size"] or one["name"] else []


def _file(leaf: Part) -> dict[str, Any]:
    content = leaf.content()
    return {
        "name": leaf.name,
        "type": leaf.kind,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "inline": bool(leaf.get("content-id")) and leaf.disposition != "attachment" and leaf.kind.startswith("image/"),
    }


def _links(links: list[html.Link], notes: list[str]) -> list[dict[str, str]]:
    """Each address once, as the sender wrote it: a gateway's own around it is taken off and told."""
    found: dict[str, dict[str, str]] = {}
    for one in links:
        url = unwrapped(one.url)
        entry = found.setdefault(url, {"url": url[:LONGEST_LINK], "role": one.role, "label": one.label})
        entry["label"] = entry["label"] or one.label
        if url != one.url:
            entry["wrapped"] = cut(one.url, 2_000)
    if len(found) > MOST_LINKS:
        notes.append(f"{len(found):,} links were found, the first {MOST_LINKS} are told")
    return list(found.values())[:MOST_LINKS]


def _when(part: Part, route: list[dict[str, Any]]) -> str:
    """When our own server took the message: the sender's clock (Date) says what the sender likes."""
    if route and route[0]["at"]:
        return str(route[0]["at"])
    sent = trail.date_of(part.get("date"))
    return sent.isoformat() if sent else ""


def _message_id(part: Part) -> str:
    return "".join(part.get("message-id").split())[:998]


def _headers(part: Part) -> list[list[str]]:
    """The headers in their order, as far as they are told; all of them are in the message itself."""
    told: list[list[str]] = []
    room = LONGEST_HEADERS
    for name, value in part.headers[:MOST_HEADERS]:
        text = cut(words.header(value), 2_000)
        room -= len(name) + len(text)
        if room < 0:
            break
        told.append([name[:200], text])
    return told


def _plain_address(text: str) -> str:
    """``Name <a@b> [mailto:a@b]`` and ``Name [a@b]`` as ``Name <a@b>``."""
    text = text.replace("[mailto:", "<").replace("<mailto:", "<").replace("]", ">").replace("[", "<")
    return text.replace(";", ",")


def _person(one: Address) -> dict[str, str]:
    return {"name": cut(one.name, LONGEST_NAME), "address": one.address[:320]}


def _people(values: list[str]) -> list[dict[str, str]]:
    return [_person(one) for value in values[:20] if value for one in words.addresses(value)][:100]


def _tidy(text: str) -> str:
    """Without the empty lines and blanks that HTML leaves."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return "\n".join(kept).strip()
