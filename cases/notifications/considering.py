"""From timeline entries to lines of inboxes: who is concerned, may see it and wants to hear of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cases.models import Alert, Incident, NotificationSettings, TimelineEntry
from cases.notifications import choices, writing
from cases.notifications.concerned import Concerned
from cases.notifications.reasons import REASONS
from cases.notifications.writing import Item, Receiver
from soar.accounts.models import User
from soar.connectors import notify

RELATED = ("alert__owner", "alert__team", "incident__team")


@dataclass(frozen=True, slots=True)
class _Call:
    """What one call of the reader has read of the people concerned."""

    people: dict[int, User]
    chosen: dict[int, NotificationSettings]
    mail: bool


def consider(entry_ids: Iterable[int]) -> None:
    """Write down what these entries tell whom. Twice changes nothing: a person is told of an entry once."""
    entries = TimelineEntry.objects.filter(pk__in=list(entry_ids)).select_related(*RELATED).order_by("pk")
    asked, items = Concerned(), defaultdict(list)
    for entry in entries:
        told = asked.of(entry)
        hushed = choices.muted(told, entry.alert, entry.incident) if told else set()
        for user, reason in told.items():
            if user not in hushed or REASONS[reason].asked:
                items[user].append(Item(entry, reason, mailed=(entry.pk, user) in asked.mailed))
    if items:
        call = _called(items)
        for user, own in sorted(items.items()):
            _tell(call, user, own)


def _called(users: Iterable[int]) -> _Call:
    people = User.objects.filter(pk__in=list(users), is_active=True, is_service=False)
    return _Call({one.pk: one for one in people}, choices.settings_of_all(users), notify.mail_account() is not None)


def _tell(call: _Call, pk: int, items: list[Item]) -> None:
    user = call.people.get(pk)
    if user is None:
        return
    wanted = [item for item in items if not choices.is_off(call.chosen[pk], item.reason)]
    seen = visible(user, wanted)
    if seen:
        writing.write(Receiver(user, call.chosen[pk], mail=call.mail), seen)


def visible(user: User, items: list[Item]) -> list[Item]:
    """Those of the items whose alert or incident the person sees (access.md 4): two queries at most."""
    alerts = {item.entry.alert_id for item in items if item.entry.alert_id}
    incidents = {item.entry.incident_id for item in items if item.entry.incident_id}
    shown = Alert.objects.visible_to(user).filter(pk__in=alerts).order_by() if alerts else Alert.objects.none()
    open_ = Incident.objects.visible_to(user).filter(pk__in=incidents).order_by()
    seen_alerts = set(shown.values_list("pk", flat=True))
    seen_incidents = set(open_.values_list("pk", flat=True)) if incidents else set()
    return [one for one in items if one.entry.alert_id in seen_alerts or one.entry.incident_id in seen_incidents]
