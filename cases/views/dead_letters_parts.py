"""What the pages of dead letters show: tabs of a source, a row, the bytes as text or in hexadecimal."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from cases.actions.dead_letters import letters_read_by, waiting
from cases.models import AlertSource, DeadLetter
from soar.accounts.models import User
from soar.lib.hidden import shown

TEXT_AT_MOST = 64 * 1024
HEX_AT_MOST = 4 * 1024
LINE = 16
COUNTED = 1_000


class State(NamedTuple):
    """A letter's badge: class, sign and word."""

    tone: str
    sign: str
    word: str


def tabs(source: AlertSource, current: str) -> dict[str, Any]:
    """The context of ``cases/sources/_tabs.html``."""
    return {"source": source, "tab": current, "letters_waiting": count_waiting(source)}


def count_waiting(source: AlertSource | None = None, user: User | None = None) -> int:
    """How many letters wait, of a source or of all that ``user`` reads of; a thousand at most."""
    rows = waiting(letters_read_by(user) if user else DeadLetter.objects.all())
    rows = rows.filter(source=source) if source else rows
    return rows.order_by()[:COUNTED].count()


def state_of(letter: DeadLetter) -> State:
    """Whether it waits, was read, or never can be."""
    if letter.replayed_at is not None:
        return State("is-successful", "st-successful", _("Read"))
    if not letter.whole:
        return State("is-no_action", "st-no_action", _("Not kept whole"))
    return State("is-unsuccessful", "st-unsuccessful", _("Cannot be read"))


def row(letter: DeadLetter) -> dict[str, Any]:
    """A line of the list."""
    return {"letter": letter, "state": state_of(letter)}


def body_of(letter: DeadLetter) -> dict[str, Any]:
    """The bytes for people: ``text`` if they are any, else ``hex``; ``cut`` when there are more than are shown."""
    raw = bytes(letter.body)
    if letter.encoding:
        return {"hex": hexed(raw[:HEX_AT_MOST]), "cut": len(raw) > HEX_AT_MOST}
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(raw) - 4 or letter.whole:  # not just a letter that was cut through
            return {"hex": hexed(raw[:HEX_AT_MOST]), "cut": len(raw) > HEX_AT_MOST}
        text = raw[: error.start].decode("utf-8")
    return {"text": shown(text[:TEXT_AT_MOST]), "cut": len(text) > TEXT_AT_MOST}


def hexed(raw: bytes) -> str:
    """Bytes as people look at them: place, sixteen bytes, their letters."""
    lines = (raw[at : at + LINE] for at in range(0, len(raw), LINE))
    return "\n".join(f"{at * LINE:06x}  {line.hex(' '):<47}  {_letters(line)}" for at, line in enumerate(lines))


def _letters(line: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
