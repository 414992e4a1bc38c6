"""What a person does with their own inbox and choices (casework.md 19). Nothing of it stands on a timeline."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.errors import Missing, Refused, Stale
from cases.models import Alert, Channel, Notification, NotificationSettings, Watch
from cases.notifications import inbox
from cases.notifications.choices import INBOX, settings_of
from cases.notifications.reasons import MODES, REASONS
from cases.timeline import Subject
from soar.accounts.models import User
from soar.connectors import personal
from soar.lib import clock

IDS_AT_MOST = 200
FIELDS = (
    "choices", "digest_hour", "workdays_only", "quiet_from", "quiet_until", "paused_until",
    "chat_way", "chat_kind", "chat_account", "chat_handle", "chat_url",
)  # fmt: skip
FOLLOW, MUTE, NOTHING = "follow", "mute", "none"
STATES = (FOLLOW, MUTE, NOTHING)


def notification_for(user: User, pk: int) -> Notification:
    """A line of the person's own inbox about what they still see. Raises Missing."""
    row = inbox.listed(user).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise Missing(_("There is no such notification."))
    return row


def mark(user: User, ids: Iterable[int], *, read: bool) -> int:
    """Mark these lines of one's own as read or unread; others are passed over. Returns how many changed.

    Raises Refused for more than 200."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > IDS_AT_MOST:
        raise Refused(_("At most %(ids_at_most)s at once.") % {"ids_at_most": IDS_AT_MOST}, field="ids")
    rows = inbox.listed(user).filter(pk__in=[pk for pk in wanted if 0 < pk < 2**63], read_at__isnull=read)
    found = list(rows.order_by().values_list("pk", flat=True))
    return Notification.objects.filter(pk__in=found).update(read_at=clock.now() if read else None)


def mark_all(user: User, *, up_to: int | None = None) -> int:
    """Mark all unread lines as read, those up to an id if one is given: what has come since the person looked stays.
    Returns how many."""
    rows = Notification.objects.filter(user=user, read_at=None, listed=True)
    if up_to is not None:
        rows = rows.filter(pk__lte=min(up_to, 2**63 - 1))
    return rows.update(read_at=clock.now())


@transaction.atomic
def save_settings(user: User, changes: dict[str, Any], *, expected_version: int | None = None) -> NotificationSettings:
    """Change what one is told of, where and when. Raises Refused beside the field that is wrong, Stale."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # there may be no row to lock yet
    row = settings_of(user.pk)
    if expected_version is not None and expected_version != row.version:
        raise Stale(_("Your settings were changed in the meantime. Nothing was saved."))
    for name in changes:
        if name not in FIELDS:
            raise Refused(
                _("%(name)s cannot be changed. These can: %(fields)s.")
                % {"name": f"{name!s:.40}", "fields": ", ".join(FIELDS)},
                field=str(name)[:40],
            )
    if "choices" in changes:
        changes = {**changes, "choices": _choices(row, changes["choices"])}
    for name, value in changes.items():
        setattr(row, name, value)
    _check(row, changes)
    row.version += 0 if row._state.adding else 1
    row.updated_at = clock.now()
    row.save()
    return row


def watch(user: User, subject: Subject, state: str, *, until: datetime | None = None) -> Watch | None:
    """Follow an incident, mute an incident or alert (for good or ``until`` then), or neither. The caller has checked
    that the person sees it. Raises Refused."""
    if state not in STATES:
        raise Refused(_("One of: %(states)s.") % {"states": ", ".join(STATES)}, field="state")
    if state == FOLLOW and isinstance(subject, Alert):
        raise Refused(_("Only an incident can be followed."), field="state")
    if until is not None and state != MUTE:
        raise Refused(_("Only a mute has an end."), field="until")
    if until is not None and until <= clock.now():
        raise Refused(_("The end must lie in the future."), field="until")
    about = _about(subject)
    if state == NOTHING:
        Watch.objects.filter(user=user, **about).delete()
        return None
    given = {"muted": state == MUTE, "until": until, "created_at": clock.now()}
    row, _new = Watch.objects.update_or_create(user=user, **about, defaults=given)
    return row


def watched(user: User, subject: Subject) -> Watch | None:
    """What the person chose for it that still holds."""
    row = Watch.objects.filter(user=user, **_about(subject)).first()
    over = row is not None and row.until is not None and row.until <= clock.now()
    return None if over else row


def _about(subject: Subject) -> dict[str, Any]:
    is_alert = isinstance(subject, Alert)
    return {"alert": subject if is_alert else None, "incident": None if is_alert else subject}


def _choices(row: NotificationSettings, given: Any) -> dict[str, dict[str, Any]]:
    """The choices with those that are given, reason by reason. Raises Refused."""
    kept = {name: dict(own) for name, own in row.choices.items() if name in REASONS}
    if not isinstance(given, dict):
        raise Refused(_("Give an object: reason, then inbox, email and chat."), field="choices")
    for name, own in given.items():
        if name not in REASONS or not isinstance(own, dict):
            raise Refused(
                _("%(name)s is no reason. These are: %(reasons)s.")
                % {"name": f"{name!s:.40}", "reasons": ", ".join(REASONS)},
                field="choices",
            )
        for channel, value in own.items():
            _check_choice(str(channel), value)
            kept.setdefault(name, {})[channel] = value
    return kept


def _check_choice(channel: str, value: Any) -> None:
    if channel == INBOX and isinstance(value, bool):
        return
    if channel in Channel.values and value in MODES:
        return
    raise Refused(
        _("inbox is true or false, email and chat are one of: %(modes)s.") % {"modes": ", ".join(MODES)},
        field="choices",
    )


def _check(row: NotificationSettings, changes: dict[str, Any]) -> None:
    if not 0 <= row.digest_hour <= 23:
        raise Refused(_("An hour from 0 to 23."), field="digest_hour")
    _check_quiet(row.quiet_from, row.quiet_until)
    if row.chat_way not in ("", personal.HANDLE, personal.WEBHOOK):
        raise Refused(_("One of: handle, webhook, or nothing."), field="chat_way")
    if row.chat_way == personal.HANDLE:
        _check_handle(row, new="chat_account" in changes)
    if row.chat_way == personal.WEBHOOK:
        _check_webhook(row)


def _check_quiet(begin: time | None, end: time | None) -> None:
    if (begin is None) != (end is None):
        raise Refused(_("Quiet hours have a beginning and an end."), field="quiet_until" if begin else "quiet_from")


def _check_handle(row: NotificationSettings, *, new: bool) -> None:
    if row.chat_account is None or (new and row.chat_account not in personal.direct_accounts()):
        raise Refused(_("Choose one of the connectors."), field="chat_account")
    try:
        row.chat_handle = personal.handle_of(row.chat_handle)
    except ValueError as error:
        raise Refused(str(error), field="chat_handle") from None


def _check_webhook(row: NotificationSettings) -> None:
    if row.chat_kind not in personal.OWN_KINDS:
        raise Refused(_("One of: %(own_kinds)s.") % {"own_kinds": ", ".join(personal.OWN_KINDS)}, field="chat_kind")
    try:
        row.chat_url = personal.checked_url(row.chat_kind, str(row.chat_url))
    except ValueError as error:
        raise Refused(str(error), field="chat_url") from None
