"""Several people at the grants of one incident at the same moment; and who is told that the glass was broken."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cases.actions import incidents, links, restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing
from cases.models import Alert, Incident
from cases.tasks import tell_glass
from soar.accounts.access import actions
from soar.accounts.access.rows import grants_on
from soar.accounts.models import AuditEntry, User
from soar.connectors.actions import create_account
from soar.models import QueuedTask
from soar.standins.server import Server
from soar.standins.smtp import Smtp
from tests.factories import make_alert, make_incident, make_user
from tests.test_concurrency import Racers, held, whole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def incident() -> Incident:
    return make_incident("Case", make_alert("In it"))


def tell() -> None:
    """What a worker does."""
    task = QueuedTask.objects.get(task=restriction.TELL)
    tell_glass(*task.args)


def levels(incident: Incident) -> dict[str, str]:
    return {one.key: one.level for one in grants_on(INCIDENT, incident)}


def test_two_managers_who_take_each_other_away_leave_one(incident: Incident) -> None:
    one, two = make_user("ada", "Admin"), make_user("bea", "Admin")
    restriction.restrict(Actor.of(one), incident.pk)
    actions.grant(one, INCIDENT, incident.number, two, "manage")
    racers = Racers()
    with held(incident):
        for number, (who, whom) in enumerate(((one, two), (two, one)), 1):
            user = User.objects.get(pk=who.pk)
            racers.start(partial(actions.revoke, user, INCIDENT, incident.number, f"user-{whom.pk}"))
            racers.waiting(number)
    racers.join()
    assert len(racers.errors) == 1
    assert isinstance(racers.errors[0], Conflict | Forbidden | Missing)
    assert list(levels(incident).values()) == ["manage"]
    whole()


def test_two_grants_to_one_person_are_one_grant(incident: Incident) -> None:
    admin, guest, racers = make_user("ada", "Admin"), make_user("guest", "Viewer"), Racers()
    with held(incident):
        for number, level in enumerate(("edit", "view"), 1):
            user = User.objects.get(pk=admin.pk)
            racers.start(partial(actions.grant, user, INCIDENT, incident.number, guest, level))
            racers.waiting(number)
    racers.join()
    assert racers.errors == []
    assert list(levels(incident)) == ["guest"]
    assert AuditEntry.objects.filter(verb__in=("access.granted", "access.changed")).count() == 2
    whole()


def test_an_alert_that_is_linked_meanwhile_is_restricted_too(incident: Incident) -> None:
    admin, racers, late = make_user("ada", "Admin"), Racers(), make_alert("Late")
    with held(incident):
        racers.start(partial(restriction.restrict, Actor.of(User.objects.get(pk=admin.pk)), incident.pk))
        racers.waiting(1)
        racers.start(partial(links.link, Actor.of(User.objects.get(pk=admin.pk)), [late.pk], incident.pk))
        racers.waiting(2)
    racers.join()
    incident.refresh_from_db()
    inside = Alert.objects.filter(incident=incident)
    assert incident.restricted
    assert set(inside.values_list("restricted", flat=True)) == {True}
    whole()


@pytest.fixture
def post() -> Iterator[Any]:
    """State of a mail server that is set up."""
    with Server([Smtp()]) as server:
        mail = {"url": server.urls["smtp"]["url"], **server.standins["smtp"].settings, "allow_internal": True}
        create_account(None, "smtp", "Mail", {**mail, "cleared": "red"}, {})
        yield server.standins["smtp"].state


def test_owners_and_managers_are_told_that_the_glass_was_broken(post: Any, incident: Incident) -> None:
    one, two = make_user("ada", "Admin", first_name="Ada"), make_user("bea", "Admin", first_name="Bea")
    owner = make_user("priya", "Responder")
    for user in (one, two, owner):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.com")
    incidents.owners(Actor.system(), incident.pk, add=[owner])
    restriction.restrict(Actor.of(one), incident.pk)
    restriction.break_glass(two, incident.pk, reason="Owner is ill")
    tell()
    (mail,) = post["messages"]
    assert set(mail["recipients"]) == {"ada@example.com", "priya@example.com"}
    assert mail["subject"].endswith(f"Bea broke the glass of {incident.number}")
    assert "Owner is ill" in str(mail)


def test_breaking_the_glass_needs_no_mail_server(incident: Incident) -> None:
    one, two = make_user("ada", "Admin"), make_user("bea", "Admin")
    restriction.restrict(Actor.of(one), incident.pk)
    restriction.break_glass(two, incident.pk, reason="Owner is ill")
    tell()
    assert levels(incident)["bea"] == "manage"
