"""The message that tells a person of one notification, or of several. What is restricted or TLP:RED, or above what the
channel may carry, is not told: only that there is something, and where."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.notifications.reasons import REASONS
from cases.notifications.wording import Line, page_of
from soar.connectors.messages import NOTICE, Message, Row, Section, may_carry, rank

LISTED = 50
RED = rank("red")


def preferences_url() -> str:
    """Where a person chooses what is sent."""
    return f"{settings.SOAR_URL}{reverse('notification-settings')}"


def message(lines: Sequence[Line], cleared: str, *, recipients: tuple[str, ...] = ()) -> Message:
    """What to send of these lines, at least one, by a channel that is ``cleared`` up to a TLP."""
    if len(lines) == 1:
        return _one(lines[0], veiled(lines[0], cleared), recipients)
    return _several(lines, cleared, recipients)


def veiled(line: Line, cleared: str) -> bool:
    """Whether a message may not say what the line is about."""
    subject = line.subject
    if subject is None:
        return False  # a number of alerts
    return subject.restricted or rank(subject.tlp) >= RED or not may_carry(cleared, subject.tlp)


def _one(line: Line, hidden: bool, recipients: tuple[str, ...]) -> Message:
    if hidden or line.subject is None:
        return Message(
            _("Something concerns you in Soar") if hidden else f"{line.sentence} ({line.heading})",
            type=NOTICE,
            text=_veil(line) if hidden else "",
            facts=() if hidden else _why(line),
            link=page_of(line),
            tlp="clear",
            recipients=recipients,
            manage=preferences_url(),
        )
    subject = line.subject
    return Message(
        f"{subject.number}: {line.sentence}",
        type=NOTICE,
        text=line.excerpt,
        facts=((subject.number, subject.title), *_why(line)),
        link=page_of(line),
        severity=line.severity,
        tlp=subject.tlp,
        thread=f"notification-{subject.number}",
        recipients=recipients,
        manage=preferences_url(),
    )


def _several(lines: Sequence[Line], cleared: str, recipients: tuple[str, ...]) -> Message:
    """The newest first under their reasons, at most LISTED; the others are counted."""
    hidden = sum(veiled(line, cleared) for line in lines)
    open_ = [line for line in lines if not veiled(line, cleared)]
    sections = [
        Section(str(reason.label), tuple(map(_row, own)))
        for name, reason in REASONS.items()
        if (own := [line for line in open_[:LISTED] if line.row.reason == name])
    ]
    more = len(open_) - min(len(open_), LISTED)
    words = [_more(more)] if more else []
    words += [_hidden(hidden)] if hidden else []
    title = ngettext("%d notification from Soar", "%d notifications from Soar", len(lines)) % len(lines)
    return Message(
        title,
        type=NOTICE,
        text="\n".join(words),
        sections=tuple(sections),
        link=f"{settings.SOAR_URL}{reverse('inbox')}",
        link_label=_("Open the inbox"),
        tlp=_strictest(open_),
        recipients=recipients,
        manage=preferences_url(),
    )


def _row(line: Line) -> Row:
    number = line.subject.number if line.subject else ""
    return Row(f"{number} {line.heading}".strip(), detail=line.sentence)


def _why(line: Line) -> tuple[tuple[str, str], ...]:
    return ((_("Why"), line.reason),)


def _veil(line: Line) -> str:
    return _("It is confidential, so this message does not say what. Why: %s.") % line.reason


def _more(number: int) -> str:
    return ngettext("%d more, older.", "%d more, older.", number) % number


def _hidden(number: int) -> str:
    return (
        ngettext(
            "%d more is confidential: it stands in the inbox alone.",
            "%d more are confidential: they stand in the inbox alone.",
            number,
        )
        % number
    )


def _strictest(lines: Sequence[Line]) -> str:
    words = [line.subject.tlp for line in lines if line.subject]
    return max(words, key=rank, default="clear")
