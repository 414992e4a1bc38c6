"""Who sees what was merged: a restriction of what remains counts for all that went into it, and nobody comes to see, or
to show to others, what they could not before."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from cases.actions import incidents, links, merge, merge_undo, restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import Alert, Incident, IncidentMove
from cases.permissions import incident_for
from cases.searching import search
from soar.accounts.access.actions import grant
from soar.accounts.models import AuditEntry, Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
SOAR = Actor.system()


def anew(user: User) -> User:
    """As the next request reads them."""
    return User.objects.get(pk=user.pk)


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def sees(user: User, *which: Incident) -> list[bool]:
    """Whether the person sees each of them."""
    seen = set(Incident.objects.visible_to(anew(user)).values_list("pk", flat=True))
    return [one.pk in seen for one in which]


def pair(team: Team) -> tuple[Incident, Incident]:
    """The one that stays, and the one that goes and has a note."""
    stays = make_incident("Stays", make_alert("One", team=team), team=team)
    goes = make_incident("Goes", make_alert("Two", team=team), team=team)
    incidents.comment(SOAR, goes.pk, "The zebrafish is suspected")
    return stays, goes


def take_back(actor: User, goes: Incident) -> None:
    """Undo the merge of this incident."""
    move = IncidentMove.objects.get(source=goes)
    merge_undo.undo(Actor.of(anew(actor)), move.target_id, move.pk)


def test_restricting_what_remains_closes_what_went_into_it(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    first = make_incident("First", make_alert(team=blue), team=blue)
    merge.merge(SOAR, goes.pk, [first.pk])
    merge.merge(SOAR, stays.pk, [goes.pk])
    grant(admin, INCIDENT, goes.number, viewer, "view")  # counts for that one alone
    assert sees(viewer, stays, goes, first) == [True] * 3
    restriction.restrict(Actor.of(admin), stays.pk, reason="HR")
    assert sees(viewer, stays, goes, first) == [False] * 3
    assert client_of(anew(viewer)).get(f"/incidents/{goes.number}/").status_code == 404
    assert not any(search(anew(viewer), "zebrafish").hits.values())
    assert AuditEntry.objects.filter(verb="access.restricted", data__merged=2).exists()
    assert sees(admin, stays, goes, first) == [True] * 3
    restriction.unrestrict(Actor.of(anew(admin)), stays.pk)
    assert sees(viewer, stays, goes, first) == [True] * 3


def test_who_is_let_in_to_what_remains_sees_what_went_into_it(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    restriction.restrict(Actor.of(admin), stays.pk)
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    assert sees(viewer, stays, goes) == [False, False]
    grant(anew(admin), INCIDENT, stays.number, viewer, "view")
    assert sees(viewer, stays, goes) == [True, True]
    page = client_of(anew(admin)).get(f"/incidents/{goes.number}/access/").content.decode()
    assert viewer.display_name() in page  # who sees it is told on its own page of access


def test_access_of_a_husk_is_not_set_by_itself(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    restriction.restrict(Actor.of(admin), stays.pk)
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    with pytest.raises(Forbidden):
        grant(anew(admin), INCIDENT, goes.number, viewer, "view")
    with pytest.raises(Forbidden):
        restriction.unrestrict(Actor.of(anew(admin)), goes.pk)
    with pytest.raises(Refused, match=f"glass of {stays.number}"):
        restriction.break_glass(anew(admin), goes.pk, reason="Now")


def test_taken_out_of_one_that_was_restricted_before_it_is_as_it_was(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    restriction.restrict(Actor.of(admin), stays.pk)
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    take_back(admin, goes)
    assert sees(viewer, stays, goes) == [False, True]
    assert again(goes).access_of_id is None and not again(goes).restricted


def test_one_that_was_restricted_itself_is_so_when_it_comes_back(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    for one in (stays, goes):
        restriction.restrict(Actor.of(anew(admin)), one.pk)
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    restriction.unrestrict(Actor.of(anew(admin)), stays.pk)
    assert sees(viewer, stays, goes) == [True, False]
    take_back(admin, goes)
    assert sees(viewer, stays, goes) == [True, False]
    assert set(Alert.objects.filter(incident=goes).values_list("restricted", flat=True)) == {True}


def test_close_on_one_and_manage_on_the_other_lift_no_restriction(admin: User, blue: Team) -> None:
    mara = make_user("mara", "Analyst", teams=("Blue",))
    stays, goes = pair(blue)
    for one in (stays, goes):
        restriction.restrict(Actor.of(anew(admin)), one.pk)
    grant(anew(admin), INCIDENT, goes.number, mara, "close")
    grant(anew(admin), INCIDENT, stays.number, mara, "manage")
    with pytest.raises(Conflict, match="let others in"):
        merge.merge(Actor.of(anew(mara)), stays.pk, [goes.pk])
    secret = Alert.objects.get(incident=goes)
    with pytest.raises(Forbidden, match="restricted"):  # nor alert by alert
        links.link(Actor.of(anew(mara)), [secret.pk], stays.pk, move=True)
    grant(anew(admin), INCIDENT, goes.number, mara, "manage")
    merge.merge(Actor.of(anew(mara)), stays.pk, [goes.pk])


def test_access_that_ends_sooner_is_less(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    for one in (stays, goes):
        restriction.restrict(Actor.of(anew(admin)), one.pk)
    soon = clock.now() + timedelta(hours=1)
    grant(anew(admin), INCIDENT, goes.number, viewer, "view", expires_at=soon)
    grant(anew(admin), INCIDENT, stays.number, viewer, "view")
    with pytest.raises(Conflict, match="not for so long"):
        merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    grant(anew(admin), INCIDENT, stays.number, viewer, "view", expires_at=soon)
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])


def test_a_group_lets_its_people_in_to_the_one_that_goes(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    for one in (stays, goes):
        restriction.restrict(Actor.of(anew(admin)), one.pk)
    blue.group.user_set.add(viewer)
    grant(anew(admin), INCIDENT, goes.number, blue.group, "view")
    grant(anew(admin), INCIDENT, stays.number, viewer, "view")
    merge.merge(Actor.of(anew(admin)), stays.pk, [goes.pk])
    with pytest.raises(Missing):
        incident_for(make_user("nia", "Analyst", teams=("Blue",)), goes.pk)  # of the group, but not let in to the other


def test_what_was_merged_before_the_rule_follows_it_after_the_upgrade(admin: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(blue)
    first = make_incident("First", make_alert(team=blue), team=blue)
    merge.merge(SOAR, goes.pk, [first.pk])
    merge.merge(SOAR, stays.pk, [goes.pk])
    restriction.restrict(Actor.of(admin), stays.pk)
    Incident.objects.filter(pk__in=[goes.pk, first.pk]).update(restricted=False, access_of=None)
    IncidentMove.objects.update(before={"status": 0, "closed_at": None})
    assert sees(viewer, stays, goes, first) == [False, True, True]
    upgrade = import_module("cases.migrations.0039_husk_access")
    with connection.cursor() as cursor:
        cursor.execute(upgrade.KEEP_OWN)
        cursor.execute(upgrade.FOLLOW)
    assert sees(viewer, stays, goes, first) == [False, False, False]
    assert sees(admin, stays, goes, first) == [True, True, True]
    with connection.cursor() as cursor:
        cursor.execute(upgrade.OWN_AGAIN)
    assert not again(goes).restricted and not again(first).restricted
