"""Whether a mapping that is not saved yet would read what could not be read so far (ingest-and-api.md 3, 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.db.models import F
from django.utils.translation import gettext as _

from cases.actions.dead_letters import waiting
from cases.ingest.mapping.overlay import Overlay
from cases.ingest.pipeline import rules_of
from cases.ingest.prepare import Rules
from cases.ingest.reading import Unreadable, unpack
from cases.ingest.splitting import rows_of
from cases.models import AlertSource, DeadLetter
from soar.lib import clock

TRIED = 5
BYTES_AT_MOST = 256 * 1024  # of one: they are read again with every change of the form


@dataclass(frozen=True)
class Tried:
    """A dead letter and why it would still not be read; "" if it would."""

    letter: DeadLetter
    error: str


@dataclass(frozen=True)
class Unread:
    """The newest posts that wait to be read, each tried with the draft."""

    tried: list[Tried] = field(default_factory=list)

    @property
    def readable(self) -> int:
        """How many would be read."""
        return sum(not one.error for one in self.tried)


def unread(source: AlertSource, overlay: Overlay | None) -> Unread:
    """The newest of the source's dead letters that can be replayed, read as a replay would with ``overlay``; large
    ones are left out."""
    small = DeadLetter.objects.filter(source=source, kept=F("size"), kept__lte=BYTES_AT_MOST)
    rows = waiting(small).order_by("-id")[:TRIED]
    rules = replace(rules_of(source), mapping=overlay)
    return Unread([Tried(letter, _error(rules, letter)) for letter in rows])


def _error(rules: Rules, letter: DeadLetter) -> str:
    """What stops it. A list of which one item can be read is read: the others are kept by themselves."""
    try:
        body = unpack(bytes(letter.body), letter.encoding)
        if len(body) > 4 * BYTES_AT_MOST:
            return _("It is too large, unpacked, to be tried here.")
        made, _several = rows_of(rules, body, letter.content_type, clock.now())
    except Unreadable as error:
        return error.message
    errors = [item.error.message for item, row in made if item.error]
    return errors[0] if errors and len(errors) == len(made) else ""
