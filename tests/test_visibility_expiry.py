"""A grant that has run out counts for nothing, by whichever way it is read (access.md 5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models.functions import Now
from guardian.shortcuts import assign_perm

from cases import grants
from cases.models import Alert, AlertSource, Incident
from cases.permissions import holds, owners_for
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


@pytest.fixture(params=[grants.AT_MOST, 0], ids=["listed", "asked for row by row"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grants as a list, and as they are read for somebody who has too many for one."""
    monkeypatch.setattr(grants, "AT_MOST", request.param)


def anew(user: User) -> User:
    return User.objects.get(pk=user.pk)


def granted_until(when: Any, permission: str, whom: User | Group, thing: Any) -> None:
    """A grant that ends at ``when`` of the database's clock."""
    row: Any = assign_perm(permission, whom, thing)
    type(row).objects.filter(pk=row.pk).update(expires_at=when)


@pytest.fixture
def theirs(red: Team) -> AlertSource:
    source = make_source("Of Red", team=red)
    make_alert("Red one", source=source)
    return source


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("to_team", [False, True], ids=["person", "team"])
def test_a_grant_of_a_source_ends(analyst: User, blue: Team, theirs: AlertSource, to_team: bool) -> None:
    whom = blue.group if to_team else analyst
    granted_until(Now() + AN_HOUR, "cases.view_source", whom, theirs)
    assert Alert.objects.visible_to(anew(analyst)).count() == 1
    granted_until(Now() - AN_HOUR, "cases.view_source", whom, theirs)
    assert not Alert.objects.visible_to(anew(analyst)).exists()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("to_team", [False, True], ids=["person", "team"])
def test_a_grant_of_a_restricted_incident_ends_for_it_and_its_alerts(analyst: User, blue: Team, to_team: bool) -> None:
    secret = make_incident("Secret", make_alert("Secret one"))
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.filter(incident=secret).update(restricted=True)
    secret.refresh_from_db()
    whom = blue.group if to_team else analyst
    for permission in ("view_incident", "comment_incident", "edit_incident"):
        granted_until(Now() + AN_HOUR, f"cases.{permission}", whom, secret)
    assert Incident.objects.visible_to(anew(analyst)).get() == secret
    assert Alert.objects.visible_to(anew(analyst)).exists()
    assert holds(anew(analyst), secret, "edit")
    assert analyst in owners_for(secret)
    for permission in ("view_incident", "comment_incident", "edit_incident"):
        granted_until(Now() - AN_HOUR, f"cases.{permission}", whom, secret)
    assert not Incident.objects.visible_to(anew(analyst)).exists()
    assert not Alert.objects.visible_to(anew(analyst)).exists()
    assert not holds(anew(analyst), secret, "edit")
    assert analyst not in owners_for(secret)
