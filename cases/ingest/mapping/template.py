"""A text made of several values: ``${type} at ${door.name}``."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from cases.ingest.text import as_text, cut
from soar.lib.json_path import BadPath, Path

LONGEST = 1_000  # characters of a template
LONGEST_VALUE = 100_000  # characters of one value in it
MOST_HOLES = 20
HOLE = re.compile(r"\$\{([^{}]{0,300})\}")


def is_template(text: str) -> bool:
    """Whether it is a text with holes rather than a path."""
    return "${" in text


class Template:
    """A template that was read once, to be filled often."""

    __slots__ = ("holes", "words")

    def __init__(self, text: str) -> None:
        """Read ``text``. Raises BadPath."""
        if len(text) > LONGEST:
            raise BadPath(_("A text with paths has at most %(longest)s characters.") % {"longest": LONGEST})
        parts = HOLE.split(text)  # words, path, words, path ... words
        self.words = parts[0::2]
        if any("${" in words for words in self.words):
            raise BadPath(_("A path in a text stands as ${path}; one of them is not closed, or stands in another."))
        if len(parts) // 2 > MOST_HOLES:
            raise BadPath(_("A text holds at most %(most_holes)s paths.") % {"most_holes": MOST_HOLES})
        self.holes = [Path(path) for path in parts[1::2]]

    def fill(self, document: Any) -> str:
        """The text with the values put in; "" when none of them is there."""
        values = [plain(path.find(document)) for path in self.holes]
        if not any(values):
            return ""
        return "".join([self.words[0], *(value + words for value, words in zip(values, self.words[1:], strict=True))])


def plain(found: list[Any]) -> str:
    """Values as one text, with commas between several."""
    if not found:
        return ""
    if len(found) == 1 and found[0].__class__ is str and len(found[0]) < LONGEST_VALUE:
        return str(found[0])
    return cut(", ".join(as_text(value) for value in found) if len(found) > 1 else as_text(found[0]), LONGEST_VALUE)
