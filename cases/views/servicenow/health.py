"""How each instance does, in each direction: state, last success, what waits and failed, pace (servicenow.md 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Min, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.actions.servicenow_access import changes_seen, changes_told
from cases.models import LinkState, ServiceNowInstance, TicketChange, TicketProfile
from cases.models.servicenow_traffic import ChangeState
from cases.ticket_words import host_of
from soar.accounts.models import User
from soar.connectors.selectors import managed_by
from soar.lib.text import ago

PROFILES = Prefetch("profiles", TicketProfile.objects.only("instance", "name", "enabled", "order"))
WAITS = (ChangeState.WAITING, ChangeState.SENDING)
LATE = timedelta(minutes=5)  # without an answer nothing was read for so long, and for several polls
NAMED = 2  # profiles that are named under an instance
HOUR = timedelta(hours=1)


class Look(NamedTuple):
    """The badge of a state: class, sign, word; ``why`` is said under the table."""

    css: str
    sign: str
    word: Any


OFF = Look("is-no_action", "st-no_action", gettext_lazy("Off"))
PAUSED = Look("is-no_action", "pause", gettext_lazy("Paused"))
IDLE = Look("is-queued", "st-queued", gettext_lazy("No profile is on"))
FIRST = Look("is-queued", "st-queued", gettext_lazy("Not yet"))
HELD = Look("is-at_risk", "clock", gettext_lazy("Held back"))
DOWN = Look("is-unsuccessful", "st-unsuccessful", gettext_lazy("Down"))
STALE = Look("is-at_risk", "warn", gettext_lazy("Late"))
SENDING = Look("is-in_progress", "st-running", gettext_lazy("Sending"))
GOOD = Look("is-successful", "st-successful", gettext_lazy("In sync"))


@dataclass(frozen=True, slots=True)
class Direction:
    """One line of the table. ``oldest``: since when the first one waits. ``verb``: pause, resume, try or ""."""

    name: str
    look: Look
    ok_at: datetime | None
    waiting: int
    oldest: str
    failed: int
    pace: str
    verb: str

    @property
    def is_out(self) -> bool:
        """To ServiceNow."""
        return self.name == "out"


@dataclass(frozen=True, slots=True)
class InstanceHealth:
    """An instance with its two lines. ``troubles`` are sentences: bold beginning, and what follows from it."""

    instance: ServiceNowInstance
    host: str
    profiles: str
    directions: tuple[Direction, Direction]
    troubles: list[tuple[str, str]] = field(default_factory=list)
    runs: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Figures of an instance's outbox."""

    waiting: int = 0
    oldest: datetime | None = None
    failed: int = 0
    sent: int = 0


def health(user: User, now: datetime | None = None) -> list[InstanceHealth]:
    """Every instance, by host. Who manages its connector reads the whole queue's figures, but for restricted incidents
    that they do not see; others those of incidents that they see."""
    now = now or timezone.now()
    rows = list(ServiceNowInstance.objects.select_related("account").defer("vocabulary").prefetch_related(PROFILES))
    runs = set(managed_by(user).filter(servicenow__isnull=False).values_list("pk", flat=True)) if rows else set()
    managed = [row.pk for row in rows if row.account_id in runs]
    queues = _queues(changes_told(user).filter(link__instance__in=managed), now) if managed else {}
    if len(managed) < len(rows):
        queues |= _queues(changes_seen(user).exclude(link__instance__in=managed), now)
    found = [_of(row, queues.get(row.pk, Queue()), row.account_id in runs, now) for row in rows]
    return sorted(found, key=lambda one: one.host)


def _queues(rows: QuerySet[TicketChange], now: datetime) -> dict[int, Queue]:
    alive = Q(link__state__in=(LinkState.CREATING, LinkState.LINKED))
    waits, failed = alive & Q(state__in=WAITS), Q(state=ChangeState.FAILED) & alive
    sent = Q(state=ChangeState.DONE, finished_at__gt=now - HOUR)
    recent = rows.filter(waits | failed | sent).values("link__instance").order_by()
    counted = recent.annotate(
        waiting=Count("pk", filter=waits), oldest=Min("created_at", filter=waits),
        failed=Count("pk", filter=failed), sent=Count("pk", filter=sent),
    )  # fmt: skip
    return {one["link__instance"]: Queue(one["waiting"], one["oldest"], one["failed"], one["sent"]) for one in counted}


def _of(row: ServiceNowInstance, queue: Queue, runs: bool, now: datetime) -> InstanceHealth:
    profiles = sorted(one.name for one in row.profiles.all() if one.enabled)
    out = Direction(
        "out", _out_look(row, queue, bool(profiles), now), row.out_ok_at, queue.waiting,
        ago(queue.oldest, now) if queue.oldest else "", queue.failed, _out_pace(row, queue, now),
        _verb(row, row.out_paused, bool(row.out_failures or _held(row, now)), runs),
    )  # fmt: skip
    into = Direction(
        "in", _in_look(row, bool(profiles), now), row.in_ok_at, 0, "", 0, _in_pace(row, now),
        _verb(row, row.in_paused, bool(row.in_failures), runs),
    )  # fmt: skip
    host = host_of(row.account.settings.get("url", ""))
    return InstanceHealth(row, host, _named(profiles), (out, into), _troubles(row, queue, host, now), runs)


def _named(profiles: Sequence[str]) -> str:
    if not profiles:
        return _("No profile is on")
    rest = len(profiles) - NAMED
    if rest < 1:
        return ", ".join(profiles)
    more = ngettext("%d more profile", "%d more profiles", rest) % rest
    return _("%(named)s and %(more)s") % {"named": ", ".join(profiles[:NAMED]), "more": more}


def _verb(row: ServiceNowInstance, paused: bool, troubled: bool, runs: bool) -> str:
    if not runs or not row.account.enabled:
        return ""
    return "resume" if paused else "try" if troubled else "pause"


def _held(row: ServiceNowInstance, now: datetime) -> bool:
    return row.out_resume_at is not None and row.out_resume_at > now


def _out_look(row: ServiceNowInstance, queue: Queue, on: bool, now: datetime) -> Look:
    if not row.account.enabled:
        return OFF
    if row.out_paused:
        return PAUSED
    if row.out_failures or _held(row, now):
        return DOWN if row.out_failures else HELD
    if row.out_ok_at is None and not queue.waiting:
        return FIRST if on else IDLE
    return SENDING if queue.waiting else GOOD


def _in_look(row: ServiceNowInstance, on: bool, now: datetime) -> Look:
    if not row.account.enabled:
        return OFF
    if row.in_paused:
        return PAUSED
    if row.in_failures:
        return DOWN
    if row.in_ok_at is None:
        return FIRST if on else IDLE
    return STALE if _late(row, now) else GOOD


def _late(row: ServiceNowInstance, now: datetime) -> bool:
    longest = max(LATE, timedelta(seconds=5 * row.every_seconds))
    return row.in_ok_at is not None and now - row.in_ok_at > longest


def _out_pace(row: ServiceNowInstance, queue: Queue, now: datetime) -> str:
    if row.out_paused:
        return _("waits, in order")
    if _held(row, now) and row.out_resume_at:
        return _("tries again in %s") % ago(now, row.out_resume_at)
    return ngettext("%d change an hour", "%d changes an hour", queue.sent) % queue.sent


def _in_pace(row: ServiceNowInstance, now: datetime) -> str:
    if row.in_failures or row.in_paused:
        if row.read_until is None:
            return _("nothing read yet")
        return _("continues where it stopped, %s") % timezone.localtime(row.read_until).strftime("%H:%M:%S")
    every = _("every %d s") % row.every_seconds
    if row.heard_at is None:
        return _("%s, webhook not heard yet") % every
    return _("%(every)s, webhook heard %(ago)s ago") % {"every": every, "ago": ago(row.heard_at, now)}


def _troubles(row: ServiceNowInstance, queue: Queue, host: str, now: datetime) -> list[tuple[str, str]]:
    """What is wrong, in ServiceNow's own words, and what that means for what waits."""
    waits = ""
    if queue.waiting:
        waits = (
            ngettext(
                "%d change waits in order; it is not lost.", "%d changes wait in order and none is lost.", queue.waiting
            )
            % queue.waiting
        )
    if not row.account.enabled:
        why = row.account.disabled_reason or _("Its connector is switched off.")
        return [(f"{host}: {why}", waits)]
    told: list[tuple[str, str]] = []
    if row.out_error and (row.out_failures or _held(row, now)) and not row.out_paused:
        told.append((_of_host(host, row.out_error), waits))
    if row.in_error and row.in_failures and not row.in_paused and row.in_error != row.out_error:
        told.append((_of_host(host, row.in_error), _("What changes there meanwhile is read as soon as it answers.")))
    if not told and row.in_error and row.in_failures and not row.in_paused:
        told.append((_of_host(host, row.in_error), waits))
    if not row.in_failures and not row.in_paused and _late(row, now):
        told.append((
            _("%s was not asked for changes lately.") % host,
            _("Is a worker running? Its log and the state of the scheduler tell more."),
        ))  # fmt: skip
    return told


def _of_host(host: str, error: str) -> str:
    """The error with the host that it is about, named once."""
    return error if error.startswith(host) else f"{host}: {error}"
