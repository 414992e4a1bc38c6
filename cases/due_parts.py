"""How long there is until something is due, as a finished part of a page (design: Time left)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from soar.lib.text import span_words

TONES = {"breached": " is-overdue", "at_risk": " is-at_risk"}
SOON = timedelta(hours=1)


def left(due: datetime, now: datetime, state: str) -> SafeString:
    """``<time>`` with what is left ("38 min"), or what it is overdue by ("−6 min"). live.js keeps it true."""
    return _time(due, f"clock{TONES.get(state, '')}", _span(due, now, "−"), "left")


def bare(due: datetime, now: datetime) -> SafeString:
    """The span alone, for a sentence that says what it is of."""
    return _time(due, "", _span(due, now, ""), "span")


def _span(due: datetime, now: datetime, minus: str) -> str:
    seconds = (due - now).total_seconds()
    return span_words(seconds) if seconds >= 0 else f"{minus}{span_words(-seconds)}"


def _time(due: datetime, css: str, text: str, kind: str) -> SafeString:
    utc = due.astimezone(UTC).isoformat()[:19]
    exact = timezone.localtime(due).strftime("%Y-%m-%d %H:%M:%S %Z")
    about = f' class="{css}"' if css else ""
    title = escape(_("due %s") % exact)
    return mark_safe(  # noqa: S308  all of it is ours or escaped
        f'<time{about} datetime="{utc}Z" title="{title}" data-due="{kind}">{escape(text)}</time>'
    )
