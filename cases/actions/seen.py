"""Forms that were opened before somebody else saved (casework.md 5): what a form was made from travels in it, and only
the fields that it changes are compared, so that a new severity does not hold up a summary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import AlertStatus, Determination, IncidentStatus, Severity, Words
from cases.errors import Stale
from cases.models import Alert, Incident
from soar.accounts.models import Team, User

Subject = Alert | Incident
DIGEST = 16  # characters; enough to tell two wordings apart, short beside a summary of 50,000
LISTS = ("tags", "techniques")
STORED = {"reason": "resolve_reason"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a form showed (``was``) and what it wants instead (``wanted``), by field, as digests.

    ``strict``: any of the fields that it showed must still be as it was, also where both want the same. It is for
    verbs that say more than the fields do: a second resolution has a reason of its own, which would be lost."""

    was: Mapping[str, str]
    wanted: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False

    @classmethod
    def read(cls, text: str, wanted: Mapping[str, str], *, strict: bool = False) -> Seen:
        """From the form's hidden field (``seen_of``) and the values that it sends. What cannot be read fits nothing."""
        pairs = (part.partition(":") for part in text.split(","))
        was = {name: value for name, _colon, value in pairs}
        return cls(was, {name: digest(name, value) for name, value in wanted.items()}, strict)

    @property
    def changed(self) -> frozenset[str]:
        """The fields that the form changes."""
        return frozenset(name for name, value in self.wanted.items() if self.was.get(name) != value)

    def conflicts(self, subject: Subject) -> list[str]:
        """The fields that somebody else changed to something that this form would overwrite."""
        names = self.was if self.strict else self.changed
        now = {name: digest(name, sent(subject, name)) for name in names}
        moved = [name for name in names if now[name] != self.was.get(name)]
        return moved if self.strict else [name for name in moved if now[name] != self.wanted[name]]


Expected = int | Seen | None


def check_version(subject: Subject, expected: Expected) -> None:
    """Raise Stale when the subject is no longer what the ETag (a version) or the form (``Seen``) was made from.

    ``extra["fields"]`` of the error names the fields in conflict; a version names none."""
    fields = expected.conflicts(subject) if isinstance(expected, Seen) else []
    if fields or (isinstance(expected, int) and subject.version != expected):
        more: dict[str, Any] = {"fields": fields} if fields else {}
        raise Stale(
            _("%(number)s was changed by somebody else in the meantime. Nothing was saved.")
            % {"number": subject.number},
            current=subject,
            **more,
        )


def seen_of(subject: Subject, *fields: str) -> str:
    """The hidden field ``seen`` of a form that shows these fields."""
    return ",".join(f"{name}:{digest(name, sent(subject, name))}" for name in fields)


def digest(name: str, text: str) -> str:
    """What of a field's text counts: not how its lines end, nor blanks around it or between the items of a list."""
    plain = "\n".join(text.replace("\x00", "").splitlines()).strip()
    if name in LISTS:
        plain = ",".join(part for part in (piece.strip().lower() for piece in plain.split(",")) if part)
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:DIGEST]


def sent(subject: Subject, name: str) -> str:
    """A field as its form shows and sends it: words of choices, names of people and teams, lists with commas."""
    value = getattr(subject, STORED.get(name, name), "")
    choices: dict[str, type[Words]] = {"severity": Severity, "determination": Determination}
    choices["status"] = AlertStatus if isinstance(subject, Alert) else IncidentStatus
    if name in choices:
        return choices[name](value).word
    if isinstance(value, User):
        return value.username
    if isinstance(value, Team):
        return value.name
    return ", ".join(value) if isinstance(value, list) else str(value or "")
