"""What waits for a person: changes that ServiceNow refused, and links whose ticket is missing or hidden (9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cases.actions.servicenow_access import (
    changes_seen,
    changes_told,
    conflicts_seen,
    failed,
    links_seen,
    links_told,
    open_conflicts,
)
from cases.models import LinkState, TicketChange, TicketLink
from cases.models.servicenow_traffic import OPEN_CHANGES
from cases.permissions import holds
from cases.ticket_words import change_words, ticket_url
from cases.views.servicenow.columns import of_link
from soar.accounts.models import User

SHOWN = 20
# For settings.NAV_REASONS: whether ``needing_people`` may find any.
ANY_FAILURE = (
    "EXISTS (SELECT FROM cases_ticketchange WHERE state = 'failed')"
    " OR EXISTS (SELECT FROM cases_ticketlink WHERE state = 'broken')"
    " OR EXISTS (SELECT FROM cases_ticketconflict WHERE outcome = '')"
)
LAST = 2**63 - 1  # no change is behind it
SENT = ("kind", "state", "attempts", "due_at", "said", "hint", "detail", "evidence__name")


@dataclass(frozen=True, slots=True)
class Failure:
    """A line. ``change`` is None for a broken link of which nothing was to be sent. ``said`` are the words of
    ServiceNow, ``why`` ours; ``behind``: how many later changes wait."""

    link: TicketLink
    change: TicketChange | None
    url: str
    what: str
    said: str
    why: str
    at: datetime | None
    attempts: int
    behind: int
    may_edit: bool

    @property
    def broken(self) -> bool:
        """Whether the link itself is what is wrong."""
        return self.link.state == LinkState.BROKEN

    @property
    def key(self) -> str:
        """For ids."""
        return f"{self.link.pk}-{self.change.pk if self.change else 0}"


@dataclass(frozen=True, slots=True)
class Failures:
    """Some of them, and how many there are: of incidents that the person sees, and others. ``retryable`` and
    ``skippable``: of these rows, by the person. ``after``: behind which one these begin, "" at the oldest; ``next``:
    the same of those that follow, "" without any."""

    rows: list[Failure]
    total: int
    hidden: int
    retryable: int
    skippable: int
    after: str
    next: str


def failures(user: User, *, counts_all: bool = False, after: str = "") -> Failures:
    """The oldest first: what is behind waits longest; changes before broken links. ``counts_all``: say how many there
    are that the person, who looks after the instances, does not see. ``after``: a ``next`` of before."""
    changes, links = _behind(after)
    refused = failed(changes_seen(user))
    broken = links_seen(user).filter(state=LinkState.BROKEN)
    lines = [_refused(user, one) for one in _changes(refused.filter(pk__gt=changes))[: SHOWN + 1]]
    lines += [_broken(user, one) for one in _links(broken.filter(pk__gt=links))[: SHOWN + 1 - len(lines)]]
    lines, more = lines[:SHOWN], len(lines) > SHOWN
    begins = changes == links == 0
    number = len(lines) if begins and not more else refused.count() + broken.count()
    return Failures(
        lines, number, max(all_failures(user) - number, 0) if counts_all else 0,
        sum(1 for one in lines if one.may_edit and not one.broken),
        sum(1 for one in lines if one.may_edit and one.change and one.change.kind != "create"),
        "" if begins else after, _next(lines[-1]) if more else "",
    )  # fmt: skip


def _behind(after: str) -> tuple[int, int]:
    """The keys behind which changes and links begin. What is no key begins at the oldest."""
    kind, _dash, key = after.partition("-")
    if kind not in ("change", "link") or not (key.isascii() and key.isdecimal() and len(key) < 19):
        return 0, 0
    return (int(key), 0) if kind == "change" else (LAST, int(key))


def _next(line: Failure) -> str:
    return f"change-{line.change.pk}" if line.change else f"link-{line.link.pk}"


def all_failures(user: User) -> int:
    """How many there are, but at restricted incidents that the person does not see."""
    told = links_told(user)
    broken = told.filter(state=LinkState.BROKEN).order_by().values("pk")
    return failed(changes_told(user)).order_by().values("pk").union(broken, all=True).count()


def needing_people(user: User) -> QuerySet[Any, Any]:
    """Failures, broken links and open conflicts at incidents that the person sees: the figure beside ServiceNow in the
    navigation (settings.NAV_COUNTS)."""
    refused = failed(changes_seen(user)).order_by().values("pk")
    broken = links_seen(user).filter(state=LinkState.BROKEN).order_by().values("pk")
    asked = open_conflicts(conflicts_seen(user)).order_by().values("pk")
    return refused.union(broken, asked, all=True)


def _changes(rows: QuerySet[TicketChange]) -> QuerySet[TicketChange]:
    later = TicketChange.objects.filter(link=OuterRef("link"), pk__gt=OuterRef("pk"), state__in=OPEN_CHANGES)
    behind = later.order_by().values("link").annotate(n=Count("pk")).values("n")
    related = rows.select_related("link__incident", "link__instance__account", "evidence")
    return related.only(*SENT, *of_link("link__")).annotate(behind=Coalesce(Subquery(behind), 0)).order_by("pk")


def _links(rows: QuerySet[TicketLink]) -> QuerySet[TicketLink]:
    waiting = Count("changes", filter=Q(changes__state__in=OPEN_CHANGES))
    related = rows.select_related("incident", "instance__account").only(*of_link())
    return related.annotate(behind=waiting).order_by(F("pk"))


def _refused(user: User, change: TicketChange) -> Failure:
    link: Any = change.link
    counted: Any = change
    return Failure(
        link, change, ticket_url(link), change_words(change), change.said, change.hint, change.due_at,
        change.attempts, counted.behind, holds(user, link.incident, "edit"),
    )  # fmt: skip


def _broken(user: User, link: TicketLink) -> Failure:
    counted: Any = link
    what = _("its ticket can be seen again") if link.shown_again_at else _("its ticket cannot be read")
    return Failure(
        link, None, ticket_url(link), what, link.reason, _broken_words(link),
        None, 0, counted.behind, holds(user, link.incident, "edit"),
    )  # fmt: skip


def _broken_words(link: TicketLink) -> str:
    if link.shown_again_at:
        return _("ServiceNow shows it again. Link it again to go on; what waits is sent then.")
    who = str(link.instance.account.settings.get("username") or _("of the connector"))
    return _("Deleted, or hidden from the user %s. Nothing is made anew unless you say so.") % who
