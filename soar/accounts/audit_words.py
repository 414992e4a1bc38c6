"""Audit entries as the page shows them: a sign, a tone, a link to the object, what was before and after."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from soar.accounts.models import AuditEntry, User
from soar.lib.text import shorten_hash

BAD = (".failed", ".refused", ".deleted", ".removed", ".deactivated", ".switched_off", "break_glass", "glass_broken")
LOOK = ("secret", "token_rotated", "password_set", "restrict", "role.", "view_as", "purged", "legal_hold", "exported")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(Z|[+-][0-9]{2}:[0-9]{2})")
NUMBER = re.compile(r"\b(INC|ALR)-[0-9]{1,18}\b")
PAGES = {"INC": "incident-detail", "ALR": "alert-detail"}
VALUE_AT_MOST = 120


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry and how it looks. ``url``: where the object is, "" if that is not known; ``facts``: what is told of it,
    ``before`` and ``after`` as triples of field, old and new."""

    entry: AuditEntry
    user: User | None
    tone: str
    sign: str
    url: str
    facts: list[tuple[str, str]]
    changes: list[tuple[str, str, str]]
    detail: str


def rows(entries: list[AuditEntry]) -> list[AuditRow]:
    """The entries with the people who acted, by one query."""
    people = User.objects.in_bulk({entry.actor_id for entry in entries if entry.actor_id})
    return [_row(entry, people.get(entry.actor_id or 0)) for entry in entries]


def _row(entry: AuditEntry, user: User | None) -> AuditRow:
    data = entry.data if isinstance(entry.data, dict) else {}
    tone, sign = _tone(entry.verb)
    changes = _changes(data)
    facts = [(name, _text(value)) for name, value in data.items() if not (changes and name in ("before", "after"))]
    said = [f"{name}: {_moved(data, name) or f'{old} → {new}'}" for name, old, new in changes] + [
        f"{name}: {shorten_hash(value)}" for name, value in facts
    ]
    return AuditRow(entry, user, tone, sign, _url(entry), facts, changes, "; ".join(said)[:300])


def _tone(verb: str) -> tuple[str, str]:
    if any(part in verb for part in BAD):
        return "t-red", "error"
    return ("t-amber", "warn") if any(part in verb for part in LOOK) else ("", "")


def _changes(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    before, after = data.get("before"), data.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    return [(name, _text(before.get(name)), _text(after.get(name))) for name in {**before, **after}]


def _moved(data: dict[str, Any], name: str) -> str:
    """What came to a list and what left it; "" of what is no list before and after."""
    old, new = data["before"].get(name), data["after"].get(name)
    if not (isinstance(old, list) and isinstance(new, list)):
        return ""
    came, left = [one for one in new if one not in old], [one for one in old if one not in new]
    return " ".join(f"{sign} {_text(these)}" for sign, these in (("+", came), ("−", left)) if these)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)[:VALUE_AT_MOST] or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())[:VALUE_AT_MOST] or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = "–" if value in (None, "") else _moment(str(value))
    return text if len(text) <= VALUE_AT_MOST else f"{text[:VALUE_AT_MOST]}…"


def _moment(text: str) -> str:
    """A moment as it was written (``2027-02-20T20:03:34.394586Z``) in the reader's zone; anything else as it is."""
    if MOMENT.fullmatch(text) is None:
        return text
    try:
        return f"{timezone.localtime(datetime.fromisoformat(text.replace('Z', '+00:00'))):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return text


def _url(entry: AuditEntry) -> str:
    found = NUMBER.search(entry.target)
    if found is None or entry.verb == "timeline.purged":
        return ""
    try:
        return reverse(PAGES[found[1]], args=[found[0]])
    except NoReverseMatch:
        return ""
