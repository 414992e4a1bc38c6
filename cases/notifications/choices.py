"""What a person chose to be told, where and when: their row of settings, or the registry's word without one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

from django.db.models import Q

from cases.models import Alert, Channel, Incident, NotificationSettings, Watch
from cases.notifications.reasons import OFF, REASONS
from soar.lib import clock

INBOX = "inbox"


def settings_of(user_id: int) -> NotificationSettings:
    """The person's settings; unsaved ones, with what holds by default, if they never chose."""
    row = NotificationSettings.objects.select_related("chat_account").filter(pk=user_id).first()
    return row or NotificationSettings(user_id=user_id, updated_at=clock.now())


def settings_of_all(user_ids: Iterable[int]) -> dict[int, NotificationSettings]:
    """The same for several people, by id."""
    wanted = set(user_ids)
    rows = NotificationSettings.objects.select_related("chat_account").filter(pk__in=wanted)
    found = {row.user_id: row for row in rows}
    return {pk: found.get(pk) or NotificationSettings(user_id=pk, updated_at=clock.now()) for pk in wanted}


def in_inbox(chosen: NotificationSettings, reason: str) -> bool:
    """Whether the person wants to read of it in the inbox."""
    return bool(_own(chosen, reason).get(INBOX, True))


def mode_of(chosen: NotificationSettings, reason: str, channel: str) -> str:
    """At once, hourly, daily or off, for a reason and a channel."""
    known = REASONS[reason]
    default = known.email if channel == Channel.EMAIL else known.chat
    return str(_own(chosen, reason).get(channel, default))


def is_paused(chosen: NotificationSettings, now: datetime) -> bool:
    """Whether the person wants nothing sent at this moment."""
    return chosen.paused_until is not None and chosen.paused_until > now


def quiet_hours(chosen: NotificationSettings) -> tuple[time, time] | None:
    """When the person wants nothing sent, every night or day; None: never."""
    begin, end = chosen.quiet_from, chosen.quiet_until
    return (begin, end) if begin is not None and end is not None else None


def muted(user_ids: Iterable[int], alert: Alert | None, incident: Incident | None) -> set[int]:
    """Who of these people has muted the alert, its incident, or the incident."""
    return _watching(user_ids, alert, incident, muted=True)


def followers(incident: Incident) -> set[int]:
    """Who follows an incident besides its owners."""
    rows = Watch.objects.filter(current(), incident=incident, muted=False)
    return set(rows.values_list("user_id", flat=True))


def is_off(chosen: NotificationSettings, reason: str) -> bool:
    """Whether the reason is told nowhere at all."""
    modes = [mode_of(chosen, reason, channel) for channel in Channel.values]
    return not in_inbox(chosen, reason) and all(mode == OFF for mode in modes)


def _own(chosen: NotificationSettings, reason: str) -> dict[str, object]:
    own = chosen.choices.get(reason)
    return own if isinstance(own, dict) else {}


def _watching(user_ids: Iterable[int], alert: Alert | None, incident: Incident | None, *, muted: bool) -> set[int]:
    about = Q()
    if alert is not None:
        about |= Q(alert=alert) | (Q(incident=alert.incident_id) if alert.incident_id else Q())
    if incident is not None:
        about |= Q(incident=incident)
    rows = Watch.objects.filter(current(), about, user__in=set(user_ids), muted=muted)
    return set(rows.values_list("user_id", flat=True))


def current() -> Q:
    """Of rows of Watch: those that hold now."""
    return Q(until=None) | Q(until__gt=clock.now())
