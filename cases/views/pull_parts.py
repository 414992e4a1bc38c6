"""What the page of a source shows of reading it and of telling its product back."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from cases.actions.pulls import READ_BY
from cases.models import AlertPull, AlertPush, AlertSource
from cases.models.pull import PushState
from cases.pulls.connecting import told
from cases.views.sources_parts import kind_label, pull_of
from soar.connectors.desk import AlertDesk
from soar.connectors.registry import KINDS

SHOWN = 10


class Panel(NamedTuple):
    """``pull`` is None while the source is not read. ``can_tell``: whether products of this sort can be told anything;
    ``pushes``: whether this one is. ``failed``: the latest that could not be told, ``number``
    of them all; ``waiting``: how many are to be told. ``subject``: what is read; ``place``: how far that came, if
    it is not the time alone."""

    product: str
    pull: AlertPull | None
    every: str
    subject: str
    place: str
    can_tell: bool
    pushes: bool
    waiting: int
    failed: list[dict[str, Any]]
    number: int


def panel(source: AlertSource) -> Panel | None:
    """Of a source of a kind that can be read, else None."""
    if source.kind not in READ_BY:
        return None
    pull = pull_of(source)
    rows = AlertPush.objects.filter(alert__source=source)
    failed = rows.filter(state=PushState.FAILED)
    return Panel(
        kind_label(source.kind),
        pull,
        every(pull.every_seconds) if pull else "",
        *(told(pull) if pull else ("", "")),
        _can_tell(source.kind),
        bool(pull and pull.account and pull.account.settings.get("push")),
        rows.filter(state__in=(PushState.WAITING, PushState.SENDING)).count() if pull else 0,
        [_row(row) for row in failed.order_by("-pk")[:SHOWN]] if pull else [],
        failed.count() if pull else 0,
    )


def _can_tell(kind: str) -> bool:
    return any(issubclass(KINDS[name].connector, AlertDesk) for name in READ_BY[kind] if name in KINDS)


def every(seconds: int) -> str:
    """A pause in words."""
    if seconds % 3600 == 0:
        return _("%s h") % (seconds // 3600)
    return _("%s min") % (seconds // 60) if seconds % 60 == 0 else _("%s s") % seconds


def _row(row: AlertPush) -> dict[str, Any]:
    what = _("note") if row.entry else _("state")
    return {"alert": f"ALR-{row.alert_id}", "what": what, "said": row.said, "at": row.finished_at}
