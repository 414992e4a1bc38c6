"""Reading inboxes. What a person may not see any more is in none, and in no count (access.md 4)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from cases.models import Alert, Notification, NotificationMember
from cases.querysets import inside
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.keyset import Order

NEWEST = Order("-id", ("id",))
LATE = "triage.late"  # the kind of cases.notifications.late_alerts
COUNTED = 100  # more are shown as "99+"
# For settings.NAV_REASONS: whether the person has something unread, whether or not they still see what it is about.
ANY_UNREAD = "EXISTS (SELECT FROM cases_notification WHERE user_id = %(user)s AND read_at IS NULL AND listed)"


def visible(user: User) -> QuerySet[Notification]:
    """The person's notifications about what they see now."""
    rows = Notification.objects.filter(user=user)
    if not may(user, "view_cases"):
        return rows.none()
    alert = Exists(Alert.objects.visible_to(user).filter(pk=OuterRef("alert")))
    many = Exists(members(user).filter(notification=OuterRef("pk")))
    one_alert = Q(alert__isnull=False) & alert
    one_incident = Q(incident__isnull=False) & inside("incident", user)
    # How many alerts are late tells of none: it was counted for this person.
    return rows.filter(one_alert | one_incident | (Q(alert=None, incident=None) & (many | Q(kind=LATE))))


def members(user: User) -> QuerySet[NotificationMember]:
    """What lines of many alerts stand for, as far as the person sees it."""
    return NotificationMember.objects.filter(alert__in=Alert.objects.visible_to(user).order_by().values("pk"))


def listed(user: User) -> QuerySet[Notification]:
    """The lines of the person's inbox."""
    return visible(user).filter(listed=True)


def unread(user: User) -> QuerySet[Notification]:
    """The unread lines; how many there are stands in the navigation (settings.NAV_COUNTS)."""
    return listed(user).filter(read_at=None)
