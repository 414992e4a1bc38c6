"""Who is told in the inbox that an approval waits (settings.NOTIFICATION_APPROVERS)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Lower

from playbooks.choices import APPROVAL_OPEN
from playbooks.models import Approval
from playbooks.response.telling import asked
from soar.accounts.membership import holders
from soar.accounts.models import User

TOLD_AT_MOST = 200


def approvers(approval_id: int, alert_id: int | None) -> dict[int, bool]:
    """Ids of the people whom an open approval asks, each with whether it mails them itself: those whose addresses it
    names; where none of these is somebody's, those who may respond. Whether they see it, the caller asks.

    ``alert_id``: of the entry that tells of it. One that is about an alert is told there, not on the incident too."""
    approval = Approval.objects.filter(pk=approval_id, status__in=APPROVAL_OPEN).first()
    if approval is None or (approval.alert_id is not None and approval.alert_id != alert_id):
        return {}
    named = [one.strip().lower() for one in asked(approval).recipients]
    if named:
        people = _people(User.objects.alias(low=Lower("email")).filter(low__in=named))
        if people:
            return dict.fromkeys(people, True)
    return dict.fromkeys(_people(holders("respond")), False)


def _people(rows: QuerySet[User]) -> list[int]:
    found = rows.filter(is_active=True, is_service=False).order_by("pk").values_list("pk", flat=True)
    return list(dict.fromkeys(found[:TOLD_AT_MOST]))
