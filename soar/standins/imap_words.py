"""Words of IMAP commands, as a server reads them."""

from __future__ import annotations

import base64
import re

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def words_of(text: str) -> list[str]:
    """Quoted strings and atoms."""
    return [atom if atom else re.sub(r"\\(.)", r"\1", quoted) for quoted, atom in WORD.findall(text)]


def names_of(rest: str) -> tuple[str, str]:
    """A set of numbers and the folder behind it."""
    numbers, _, name = rest.partition(" ")
    return numbers, utf7((*words_of(name), "")[0])


def utf7(text: str) -> str:
    """A folder's name of its modified UTF-7."""
    return re.sub(r"&([^-]*)-", lambda found: _unshifted(found[1]) if found[1] else "&", text)


def _unshifted(text: str) -> str:
    data = text.replace(",", "/")
    return base64.b64decode(data + "=" * (-len(data) % 4)).decode("utf-16-be", "replace")


def in_set(uid: int, numbers: str, last: int) -> bool:
    """Whether a set such as ``1,4:7,9:*`` holds the number; ``*`` is the last one, whichever way round it stands."""
    for part in numbers.split(","):
        ends = [last if one == "*" else int(one) for one in part.strip().split(":")]
        if min(ends) <= uid <= max(ends):
            return True
    return False
