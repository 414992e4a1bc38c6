"""The files in a message, as they were before they were packed into it."""

from __future__ import annotations

from collections.abc import Iterator

from cases.ingest.mail.parts import MESSAGES, Part, inner, leaves, opened

DEEPEST = 8  # messages within messages
MAIL_ENDINGS = (".eml", ".rfc822", ".email")


def is_message(leaf: Part) -> bool:
    """Whether a part says of itself that it is a message."""
    return leaf.kind in MESSAGES or leaf.name.lower().endswith(MAIL_ENDINGS)


def is_text(leaf: Part) -> bool:
    """Whether a part is text of the message itself and no file."""
    return leaf.kind in ("text/plain", "text/html") and leaf.disposition != "attachment" and not leaf.name


def files_of(raw: bytes, at_most: int) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each file with anything in it, those of messages within the message too, ``at_most`` of them."""
    message = opened(raw)
    if message is not None:
        for number, (leaf, content) in enumerate(_files(message, 0), 1):
            yield leaf.name or _named(leaf, number), content
            if number >= at_most:
                return


def _files(message: Part, depth: int) -> Iterator[tuple[Part, bytes]]:
    for leaf in leaves(message):
        within = inner(leaf) if is_message(leaf) and depth < DEEPEST else None
        if not is_text(leaf) and (content := leaf.content()):
            yield leaf, content
        if within is not None:
            yield from _files(within, depth + 1)


def _named(leaf: Part, number: int) -> str:
    return f"message-{number}.eml" if is_message(leaf) else f"attachment-{number}"
