"""What is told by a channel: one message, written once, that each channel puts into its own form (connectors.md 7).

Nothing here is marked up or escaped: every channel does that itself. Values of observables come in defanged already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Traffic Light Protocol 2.0, from what anybody may read to what only the addressed may.
TLP = ("clear", "green", "amber", "amber+strict", "red")
REPORT, APPROVAL, NOTICE, TEST = "report", "approval", "notice", "test"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a section: what it is, how it stands ("successful", "highly_suspicious"), and what is to be said."""

    text: str
    state: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading: the objects, the tasks, the approvals. ``more``: how many were left out already."""

    title: str
    rows: tuple[Row, ...] = ()
    more: int = 0

    @property
    def lines(self) -> tuple[Row, ...]:
        """The rows, and one that counts what was left out."""
        return (*self.rows, Row(f"… and {self.more} more")) if self.more else self.rows


@dataclass(frozen=True, slots=True)
class Message:
    """``type``: report, approval, notice or test; a webhook's template knows it as ``$type$``.

    ``text``: a paragraph or two. ``facts``: (name, value) pairs. ``link``: the absolute address of the page to go to;
    every channel keeps it, however short the rest is cut. ``severity`` and ``tlp`` are the API's words; ``tlp`` decides
    which channels may carry the message. ``thread``: a stable name of what it is about ("INC-12", "run-81"); mails of
    one thread are shown together. ``prefix`` stands before a mail's subject, exactly as typed. ``recipients``: mail
    addresses; without any, the account's own. ``manage``: the address of the page where a receiver chooses what is sent
    to them, which a mail names at its end and as List-Unsubscribe. ``payload``: the JSON of ``$payload$``; without it,
    the message itself.
    """

    title: str
    type: str = NOTICE
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    link: str = ""
    link_label: str = "Open in Soar"
    severity: str = ""
    tlp: str = "amber"
    thread: str = ""
    prefix: str = ""
    recipients: tuple[str, ...] = ()
    manage: str = ""
    payload: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """The message as JSON: what a generic webhook sends as ``data``."""
        return self.payload or {
            "title": self.title,
            "type": self.type,
            "text": self.text,
            "facts": dict(self.facts),
            "sections": [
                {
                    "title": part.title,
                    "rows": [{"text": row.text, "state": row.state, "detail": row.detail} for row in part.lines],
                }
                for part in self.sections
            ],
            "link": self.link,
            "severity": self.severity,
            "tlp": self.tlp,
        }


def rank(word: str) -> int:
    """How far up a TLP word stands; one that is not known counts as red."""
    lowered = word.lower().removeprefix("tlp:")
    return TLP.index(lowered) if lowered in TLP else len(TLP) - 1


def may_carry(cleared: str, tlp: str) -> bool:
    """Whether a channel that is cleared up to ``cleared`` may carry a message of ``tlp``."""
    return rank(tlp) <= (rank(cleared) if cleared in TLP else 0)
