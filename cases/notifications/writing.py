"""Writing lines of an inbox, and what is to be sent of them. Many alerts with which one person does the same at one
time are one line: a bulk action on 100,000 of them is told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from cases.models import Channel, Notification, NotificationDelivery, NotificationMember, NotificationSettings
from cases.models import TimelineEntry as Entry
from cases.notifications import choices, moments
from cases.notifications.reasons import AT_ONCE, OFF, REASONS
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.queue import enqueue_many

SEND = "cases.tasks.notifications_send"
GROUPED_OVER = 5  # alerts of one call with which the same was done
WINDOW = 600  # seconds: what one person does within is one group
SETTLING = timedelta(seconds=30)  # before a group is sent, so that the message counts more of it
GROUPABLE = frozenset({"assigned", "team", "comment", "status", "sla", "approval"})
Group = tuple[str, str, str, int | None, int]


@dataclass(frozen=True, slots=True)
class Item:
    """An entry and why it is told. ``mailed``: the person gets a mail of it by another way."""

    entry: Entry
    reason: str
    mailed: bool = False


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told, what they chose, and whether the portal can send mail."""

    user: User
    chosen: NotificationSettings
    mail: bool


def write(to: Receiver, items: list[Item]) -> None:
    """Lines for these items, which the person sees, and deliveries for those that were not there before."""
    grouped: dict[Group, list[Item]] = defaultdict(list)
    for item in items:
        grouped[_group_of(item)].append(item)
    with transaction.atomic():
        made = [line for group, own in grouped.items() for line in _lines(to, group, own)]
        _deliver(to, made)


def add_line(to: Receiver, line: Notification) -> None:
    """A line that comes from no entry, unless it is there (its ``key``); with what is to be sent of it."""
    with transaction.atomic():
        _deliver(to, [(row, False) for row in _add(to, line)])


def add_lines(key: str, lines: Iterable[tuple[Receiver, Notification]]) -> None:
    """The same for many people, a line of this key for each, with a few statements for all of them."""
    wanted = {to.user.pk: (to, line) for to, line in lines}
    rows = Notification.objects.filter(user__in=list(wanted), key=key)
    with transaction.atomic():
        for there in rows.values_list("user", flat=True):
            del wanted[there]
        now = clock.now()
        for to, line in wanted.values():
            line.key = key
            _fill(to, line, now)
        Notification.objects.bulk_create([line for _, line in wanted.values()], ignore_conflicts=True)
        # Read again: who was told by another worker meanwhile has that one's line.
        _deliver_all([(wanted[row.user_id][0], row, False) for row in rows.all() if row.user_id in wanted])


def add_unseen(to: Receiver, line: Notification) -> None:
    """A line that is neither listed nor sent: only its key is kept."""
    _add(to, line, unseen=True)


def _lines(to: Receiver, group: Group, items: list[Item]) -> Iterator[tuple[Notification, bool]]:
    """The lines that are new, each with whether its mail goes out by another way."""
    if items[0].reason in GROUPABLE and items[0].entry.alert_id and _is_group(to.user, group, items):
        yield from ((line, False) for line in _group(to, group, items))
        return
    for item in items:
        yield from ((line, item.mailed) for line in _add(to, _line(item)))


def _is_group(user: User, group: Group, items: list[Item]) -> bool:
    return len(items) > GROUPED_OVER or Notification.objects.filter(user=user, key=_key(group)).exists()


def _group_of(item: Item) -> Group:
    """What people do is theirs; what runs, rules and clocks do is the same, whichever did it."""
    entry = item.entry
    actor = entry.actor_id if entry.actor_type == "user" else None
    return item.reason, entry.kind, entry.actor_type, actor, int(entry.recorded_at.timestamp()) // WINDOW


def _key(group: Group) -> str:
    return "group:" + ":".join(map(str, group))


def _line(item: Item) -> Notification:
    """An approval stands on the alert and on its incident: it is told once."""
    entry = item.entry
    approval = entry.data.get("approval") if entry.kind == "approval.requested" else None
    return Notification(
        reason=item.reason,
        key=f"approval:{approval}" if approval else f"entry:{entry.pk}",
        entry=entry.pk,
        kind=entry.kind,
        alert_id=entry.alert_id,
        incident_id=entry.incident_id,
        actor_name=entry.actor_name,
    )


def _add(to: Receiver, line: Notification, *, unseen: bool = False) -> list[Notification]:
    """The line, or nothing when there is one of its key."""
    _fill(to, line, clock.now())
    line.listed = line.listed and not unseen
    names = [field.attname for field in Notification._meta.concrete_fields if field.attname not in ("id", "key")]
    values = {name: getattr(line, name) for name in names}
    row, new = Notification.objects.get_or_create(user=to.user, key=line.key, defaults=values)
    return [row] if new else []


def _fill(to: Receiver, line: Notification, now: datetime) -> None:
    line.user, line.created_at, line.at = to.user, now, now
    line.listed = choices.in_inbox(to.chosen, line.reason)


def _group(to: Receiver, group: Group, items: list[Item]) -> list[Notification]:
    """The group's line, new or with more members; it is unread again when there are more."""
    first = items[0].entry
    reason, kind, *_rest = group
    line = Notification(
        reason=reason, key=_key(group), entry=first.pk, kind=kind, actor_name=first.actor_name
    )  # without alert and incident
    made = _add(to, line)
    row = made[0] if made else Notification.objects.select_for_update().get(user=to.user, key=line.key)
    if _join(row, items) and not made:
        Notification.objects.filter(pk=row.pk).update(at=clock.now(), read_at=None)
    return made


def _join(row: Notification, items: list[Item]) -> int:
    """Make the alerts of these items members, each entry once. Returns how many are new."""
    members = NotificationMember._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {members} (notification_id, alert_id, entry)"  # noqa: S608  our own name
            " SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
            [row.pk, [one.entry.alert_id for one in items], [one.entry.pk for one in items]],
        )
        return int(cursor.rowcount)


def _deliver(to: Receiver, lines: list[tuple[Notification, bool]]) -> None:
    """Write down what is to be sent of new lines of a person, and ring for what is due."""
    _deliver_all([(to, line, mailed) for line, mailed in lines])


def _deliver_all(lines: list[tuple[Receiver, Notification, bool]]) -> None:
    """The same for the lines of several people."""
    now = clock.now()
    heard = [one for one in lines if not choices.is_paused(one[0].chosen, now)]
    rows = [row for to, line, mailed in heard for row in _deliveries(to, line, mailed, now)]
    NotificationDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    enqueue_many((SEND, one) for one in sorted({(row.user_id, row.channel) for row in rows if row.due_at <= now}))


def _deliveries(to: Receiver, line: Notification, mailed: bool, now: datetime) -> Iterator[NotificationDelivery]:
    for channel in ways(to):
        mode = choices.mode_of(to.chosen, line.reason, channel)
        by_another_way = channel == Channel.EMAIL and (mailed or REASONS[line.reason].direct)
        if mode == OFF or by_another_way:
            continue
        settling = SETTLING if mode == AT_ONCE and line.key.startswith("group:") else timedelta()
        yield NotificationDelivery(
            notification=line,
            user=to.user,
            channel=channel,
            mode=mode,
            due_at=when(to, mode, now + settling),
            created_at=now,
        )


def ways(to: Receiver) -> list[Channel]:
    """By what the person can be reached at all."""
    mail = [Channel.EMAIL] if to.mail and to.user.email else []
    return [*mail, *([Channel.CHAT] if to.chosen.chat_way else [])]


def when(to: Receiver, mode: str, now: datetime) -> datetime:
    """When something that happens ``now`` is due by what the person chose."""
    chosen = to.chosen
    return moments.due(
        mode,
        now,
        moments.zone_of(to.user.time_zone),
        hour=chosen.digest_hour,
        workdays_only=chosen.workdays_only,
        quiet=choices.quiet_hours(chosen),
    )
