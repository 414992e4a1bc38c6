"""The small coloured parts of a page as finished HTML: icons, badges, states, faces, times.

They are built in Python because a list draws hundreds: an include per cell costs more than all its queries.
Everything that is not a constant of this file is escaped. The classes are the API's own words.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from soar.lib.text import ago as ago_words
from soar.lib.text import defang, initials, shorten_hash

WORDS = {
    "servicenow": _("ServiceNow"),
    "informational": _("Informational"),
    "low": _("Low"),
    "medium": _("Medium"),
    "high": _("High"),
    "critical": _("Critical"),
    "new": _("New"),
    "in_progress": _("In progress"),
    "resolved": _("Resolved"),
    "open": _("Open"),
    "contained": _("Contained"),
    "closed": _("Closed"),
    "unknown": _("Unknown"),
    "malicious": _("Malicious"),
    "suspicious": _("Suspicious"),
    "benign": _("Benign"),
    "queued": _("Queued"),
    "pending_approval": _("Pending approval"),
    "needs_decision": _("Needs a decision"),
    "successful": _("Successful"),
    "partially_successful": _("Partially successful"),
    "unsuccessful": _("Unsuccessful"),
    "cancelled": _("Cancelled"),
    "rejected": _("Rejected"),
    "expired": _("Expired"),
    "no_action": _("No action"),
    "unknown_outcome": _("Unknown outcome"),
    "highly_suspicious": _("Highly suspicious"),
    "unrated": _("Unrated"),
}
DETERMINATION_ICONS = {
    "unknown": "st-unknown_outcome",
    "malicious": "det-malicious",
    "suspicious": "warn",
    "benign": "shield",
}
RISK_ICONS = {"highly_suspicious": "det-malicious", "suspicious": "warn", "unrated": "st-new"}
# What has no sign of its own; every other word of a status is drawn as st-<word>.
STATE_ICONS = {"needs_decision": "st-unknown_outcome"}
PREFIXES = {"sev": "sev-", "state": "is-", "risk": "risk-"}
TLP_TONES = {"red": "red", "amber+strict": "amber", "amber": "amber", "green": "green", "clear": "grey"}
FACES = ("", " face-b", " face-c", " face-d", " face-e")
NOT_A_CLASS = re.compile(r"[^A-Za-z0-9_-]")


def label(word: str) -> str:
    """What people read for one of the API's words, in their language. An unknown word is made readable."""
    return gettext(WORDS[word]) if word in WORDS else word.replace("_", " ").capitalize()


@lru_cache(maxsize=1024)
def icon(name: str, css: str = "") -> SafeString:
    """The sign ``name`` of static/icons.svg, hidden from readers; ``css`` adds classes ("i-14", "spin")."""
    classes = f"i {css}".strip()
    return mark_safe(  # noqa: S308  both are escaped
        f'<svg class="{escape(classes)}" aria-hidden="true"><use href="{_sprite()}#{escape(name)}"/></svg>'
    )


@lru_cache(maxsize=1)
def _sprite() -> str:
    """The address of the sprite, looked up once a process."""
    return escape(static("icons.svg"))


def sev(word: str, hidden: bool = False) -> SafeString:
    """The badge of a severity. ``hidden`` shows the sign alone (``.sevdot``), the word for screen readers."""
    return _badge("sev", word, sign=f"sev-{word}", hidden=hidden, language=get_language())


def state(word: str, hidden: bool = False, running: bool = False) -> SafeString:
    """The status of an alert or incident. ``hidden`` leaves the word to readers and the tooltip (dense rows).

    ``running`` turns the sign of work in progress into one that moves: use it for runs and steps.
    """
    moving = running and word == "in_progress"
    sign = "st-running" if moving else STATE_ICONS.get(word, f"st-{word}" if word in WORDS else "st-new")
    return _badge("state", word, sign=sign, hidden=hidden, moving=moving, language=get_language())


def determination(word: str, hidden: bool = False) -> SafeString:
    """What people decided about an alert or incident: unknown, malicious, suspicious, benign."""
    sign = DETERMINATION_ICONS.get(word, "st-unknown_outcome")
    return _badge("state", word, sign=sign, hidden=hidden, language=get_language())


def risk(word: str, hidden: bool = False) -> SafeString:
    """The rating of an observable: highly_suspicious, suspicious, unrated."""
    sign = RISK_ICONS.get(word, "st-new")
    return _badge("risk", word, sign=sign, hidden=hidden, language=get_language())


@lru_cache(maxsize=1024)
def _badge(base: str, word: str, *, sign: str, hidden: bool, language: str | None, moving: bool = False) -> SafeString:
    """One badge; ``language`` is only a key of the cache. Classes keep to letters, digits, - and _."""
    css = PREFIXES[base] + NOT_A_CLASS.sub("-", word)
    text = escape(label(word))
    drawn = icon(sign, "spin" if moving else "")
    if not hidden:
        return mark_safe(f'<span class="{base} {css}">{drawn}{text}</span>')  # noqa: S308  escaped above
    base = "sevdot" if base == "sev" else base
    read = f'<span class="visually-hidden">{text}</span>'
    return mark_safe(f'<span class="{base} {css}" title="{text}">{drawn}{read}</span>')  # noqa: S308  escaped above


def pill(text: object, tone: str = "grey", live: bool = False, out: bool = False) -> SafeString:
    """A small label in a tone; ``live`` with a dot before it, ``out`` as a plain tag with an outline."""
    more = (" live" if live else "") + (" out" if out else "")
    css = f"pill{more}" if out and tone == "grey" else f"pill t-{NOT_A_CLASS.sub('-', tone)}{more}"
    return mark_safe(f'<span class="{css}">{escape(text)}</span>')  # noqa: S308


def tlp(word: str) -> SafeString:
    """The traffic light protocol's mark: "amber" and "TLP:AMBER" give TLP:AMBER; "" gives nothing."""
    name = word.lower().removeprefix("tlp:")
    return pill(f"TLP:{name.upper()}", TLP_TONES.get(name, "grey")) if name else mark_safe("")


def face(user: Any, beside: bool = False) -> SafeString:
    """A person's initials in a disc; the colour is the id modulo 5. None is "Unassigned".

    ``user`` has ``pk`` and ``display_name()``. ``beside``: the name stands next to it, so readers skip it.
    """
    if user is None:
        text = escape(gettext("Unassigned"))
        role = 'aria-hidden="true"' if beside else f'role="img" aria-label="{text}"'
        return mark_safe(f'<span class="face face-none" title="{text}" {role}>–</span>')  # noqa: S308
    return face_of(user.display_name(), user.pk, beside)


@lru_cache(maxsize=2048)
def face_of(name: str, pk: int, beside: bool = False) -> SafeString:
    """Like ``face`` for rows that carry only a name and an id."""
    text = escape(name)
    role = 'aria-hidden="true"' if beside else f'role="img" aria-label="{text}"'
    shown = escape(initials(name))
    return mark_safe(f'<span class="face{FACES[pk % 5]}" title="{text}" {role}>{shown}</span>')  # noqa: S308


def person(user: Any) -> SafeString:
    """Face and name of a person; "Unassigned" for None."""
    name = gettext("Unassigned") if user is None else user.display_name()
    return mark_safe(f'<span class="person">{face(user, beside=True)}{escape(name)}</span>')  # noqa: S308


def ago(moment: datetime | None, now: datetime | None = None, suffix: bool = False) -> SafeString:
    """``<time>`` that says how long ago ("11 min"), with the exact time of the person's zone on hover.

    ``suffix`` says "11 min ago". static/js/live.js keeps the text true on an open page. None gives "–".
    """
    if moment is None:
        return mark_safe("–")
    words = ago_words(moment, now or timezone.now())
    text, kind = (gettext("%s ago") % words, "ago") if suffix else (words, "short")
    return _time(moment, f' data-ago="{kind}"', text)


def clock(moment: datetime | None, date: bool = False) -> SafeString:
    """``<time>`` with the hour and minute of the person's zone, of another day than today with its date; with ``date``
    always the date and the second. None: "–"."""
    if moment is None:
        return mark_safe("–")
    local = timezone.localtime(moment)
    if date:
        return _time(moment, "", f"{local:%Y-%m-%d %H:%M:%S}")
    return _time(moment, "", f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%Y-%m-%d %H:%M}")


def _time(moment: datetime, attributes: str, text: str) -> SafeString:
    """The element. isoformat and slices, because strftime is the slow part of a list of thirty ages."""
    utc = moment.astimezone(UTC).isoformat()[:19]
    local = moment.astimezone(timezone.get_current_timezone())
    title = f"{local.isoformat(' ')[:19]} {escape(local.tzname())}"
    return mark_safe(f'<time datetime="{utc}Z" title="{title}"{attributes}>{escape(text)}</time>')  # noqa: S308


def observable(value: str, url: str = "", type: str = "") -> SafeString:
    """A value as it may be shown: defanged where its ``type`` asks for it, a hash shortened, the whole as tooltip; a
    link with ``url``."""
    whole = defang(value, type)
    shown = escape(shorten_hash(whole))
    tag, attributes = ("a", f' class="mono" href="{escape(url)}"') if url else ("code", "")
    return mark_safe(f'<{tag}{attributes} title="{escape(whole)}">{shown}</{tag}>')  # noqa: S308
