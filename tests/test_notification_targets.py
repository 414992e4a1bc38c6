"""Who hears of a target at risk or missed: always somebody who can act (casework.md 11, 19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import incidents, restriction, sla_work
from cases.actions import notifications as choose
from cases.actors import Actor
from cases.models import Incident, IncidentClock
from soar.accounts.models import Team, User
from tests.factories import make_incident, make_team, make_user
from tests.notification_tools import reasons, run

pytestmark = pytest.mark.django_db


def breached(incident: Incident) -> None:
    """A clock of it is overdue, and the scheduler has looked."""
    IncidentClock.objects.filter(incident=incident).update(due_at=timezone.now() - timedelta(minutes=1))
    sla_work.remind()
    run()


def test_a_missed_target_of_what_nobody_owns_reaches_those_who_can_act(
    analyst: User, responder: User, viewer: User, stranger: User
) -> None:
    breached(make_incident("Nobody has it", severity="critical"))
    assert "sla" in reasons(analyst) and "sla" in reasons(responder) and "sla" in reasons(stranger)
    assert reasons(viewer) == []


def test_of_a_team_that_cannot_act_the_others_hear(analyst: User, viewer: User, stranger: User, admin: User) -> None:
    team = make_team("Watchers")
    watching = make_user("wanda", "Viewer", teams=("Watchers",))
    incident = make_incident("Theirs", severity="critical", team=team)
    breached(incident)
    assert "sla" in reasons(watching) and "sla" in reasons(admin)
    assert reasons(analyst) == [] and reasons(viewer) == []  # they do not see it


def test_who_is_gone_owns_nothing(analyst: User, responder: User, blue: Team) -> None:
    incident = make_incident("Left behind", severity="critical", team=blue)
    incidents.owners(Actor.system(), incident.pk, add=[responder])
    run()
    User.objects.filter(pk=responder.pk).update(is_active=False)
    breached(incident)
    assert "sla" in reasons(analyst)


def test_a_follower_hears_of_a_missed_target(analyst: User, responder: User) -> None:
    incident = make_incident("Followed", severity="critical")
    incidents.owners(Actor.system(), incident.pk, add=[responder])
    choose.watch(analyst, incident, "follow")
    breached(incident)
    assert "sla" in reasons(analyst) and "sla" in reasons(responder)


def test_of_a_restricted_one_only_who_is_let_in_hears(analyst: User, responder: User, admin: User) -> None:
    incident = make_incident("Secret", severity="critical")
    restriction.restrict(Actor.of(admin), incident.pk, reason="HR")
    breached(incident)
    assert "sla" in reasons(admin) and reasons(analyst) == [] and reasons(responder) == []
