"""The figures of the navigation: each of what the person sees, all of them in one query."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import AlertSource, Incident, Notification
from soar import nav
from soar.accounts.models import Team, User
from soar.connectors.models import ConnectorAccount
from tests.factories import make_incident, make_source

pytestmark = pytest.mark.django_db


def figures(user: User) -> tuple[dict[str, str], int]:
    """The figures, and how many queries counted them: without those for who the person is."""
    person = User.objects.get(pk=user.pk)
    places = [place for _label, found in nav.places(person, "/") for place in found]
    nav.counted(places, person)  # reads grants and permissions
    with CaptureQueriesContext(connection) as asked:
        found = nav.counted(places, person)
    return found, len(asked)


def unread(user: User, incident: Incident, number: int) -> None:
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(
            user=user, reason="mention", key=f"k{n}", kind="comment", incident=incident, created_at=now, at=now
        )
        for n in range(number)
    )


def test_nothing_to_count_asks_once(admin: User) -> None:
    assert figures(admin) == ({}, 1)


def test_all_figures_take_one_query_more(admin: User, blue: Team) -> None:
    unread(admin, make_incident("One", team=blue), 3)
    make_source("Quiet")
    AlertSource.objects.update(silent_since=timezone.now())
    ConnectorAccount.objects.create(name="Gone", kind="slack", enabled=False, disabled_reason="410")
    assert figures(admin) == ({"inbox": "3", "source-list": "1", "connector-list": "1"}, 2)


@pytest.mark.parametrize(("number", "figure"), [(99, "99"), (100, "99+"), (130, "99+")])
def test_more_than_two_digits_are_not_told(admin: User, blue: Team, number: int, figure: str) -> None:
    unread(admin, make_incident("One", team=blue), number)
    assert figures(admin)[0] == {"inbox": figure}


def test_what_is_not_seen_is_not_counted(analyst: User, red: Team) -> None:
    unread(analyst, make_incident("Theirs", team=red), 2)
    assert figures(analyst)[0] == {}
