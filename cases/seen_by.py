"""Which alerts several people see, by a few statements for all of them: each is asked the one visibility query
(access.md 4), and what it asks of a person is read for all at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import BigIntegerField, F, Q, QuerySet, Value

from cases.grants import AnyOf, read_grants
from cases.models import Alert
from soar.accounts.backend import read_permissions
from soar.accounts.models import User

AT_ONCE = 100  # people of one statement: the database plans more of them no quicker


def alerts_seen_by(people: Sequence[User], alerts: Collection[int]) -> dict[int, set[int]]:
    """Which of these alerts (ids) each of the people sees, by the id of the person."""
    found: dict[int, set[int]] = {user.pk: set() for user in people}
    if not people or not alerts:
        return found
    read_permissions(people)
    read_grants(people)
    wanted = Q(AnyOf(F("pk"), sorted(alerts)))
    for first in range(0, len(people), AT_ONCE):
        for user, alert in _seen(people[first : first + AT_ONCE], wanted):
            found[user].add(alert)
    return found


def _seen(people: Sequence[User], wanted: Q) -> QuerySet[Alert, tuple[int, int]]:
    own = [
        Alert.objects.visible_to(user)
        .filter(wanted)
        .order_by()
        .annotate(person=Value(user.pk, output_field=BigIntegerField()))
        .values_list("person", "pk")
        for user in people
    ]
    return own[0].union(*own[1:], all=True)
