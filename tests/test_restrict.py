"""Restricting an incident, the rule for its owners, breaking the glass (access.md 3, 6; rulings 20)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from cases.actions import incidents, links, restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import Alert, Incident, IncidentUserPermission, TimelineEntry
from cases.permissions import holds, owners_for
from soar.accounts.access import actions, expiring
from soar.accounts.access.rows import grants_on
from soar.accounts.actions import roles
from soar.accounts.models import AuditEntry, Team, User
from soar.models import QueuedTask
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(blue: Team, responder: User) -> Incident:
    """An incident of team Blue with an alert, which Priya leads."""
    made = make_incident("Board account", make_alert("Odd sign-in", team=blue), team=blue)
    incidents.owners(Actor.system(), made.pk, lead=responder)
    made.refresh_from_db()
    return made


def anew(user: User) -> User:
    return User.objects.get(pk=user.pk)


def sees(user: User, incident: Incident) -> bool:
    asked = Incident.objects.visible_to(anew(user)).filter(pk=incident.pk).exists()
    alerts = Alert.objects.visible_to(anew(user)).filter(incident=incident).exists()
    assert asked == alerts  # the alerts follow
    return asked


def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)


def levels(incident: Incident) -> dict[str, tuple[str, str]]:
    return {one.key: (one.level, one.rule) for one in grants_on(INCIDENT, incident)}


def restricted(incident: Incident, by: User) -> Incident:
    made = restriction.restrict(Actor.of(anew(by)), incident.pk, reason="VIP, legal asked")
    incident.refresh_from_db()
    return made


def test_who_does_not_manage_it_may_not(analyst: User, stranger: User, case: Incident) -> None:
    with pytest.raises(Forbidden, match="manage"):
        restricted(case, analyst)
    with pytest.raises(Missing):
        restricted(case, stranger)
    with pytest.raises(Forbidden):
        incidents.update(Actor.of(analyst), case.pk, changes={"title": "Taken over", "restricted": True})
    case.refresh_from_db()
    assert (case.restricted, case.title) == (False, "Board account")


def test_roles_and_teams_give_nothing_any_more(
    admin: User, analyst: User, viewer: User, responder: User, case: Incident
) -> None:
    auditor = make_user("audrey", "Auditor")
    actions.grant(admin, INCIDENT, case.number, viewer, "comment")
    assert all(sees(person, case) for person in (admin, analyst, viewer, responder, auditor))
    restricted(case, admin)
    assert [sees(person, case) for person in (admin, viewer, responder)] == [True] * 3
    assert [sees(person, case) for person in (analyst, auditor)] == [False] * 2
    assert levels(case) == {
        "admin": ("manage", "restriction"),
        "jonas": ("comment", ""),
        "priya": ("edit", "owner"),
    }
    assert holds(anew(responder), case, "edit") and not holds(anew(responder), case, "close")
    row = AuditEntry.objects.get(verb="access.restricted")
    assert (row.target, row.data["reason"], row.data["alerts"]) == (case.number, "VIP, legal asked", 1)
    assert TimelineEntry.objects.get(incident=case, kind="access.restricted").text == "VIP, legal asked"


def test_restricting_twice_is_restricting_once(admin: User, case: Incident) -> None:
    restricted(case, admin)
    restricted(case, admin)
    assert AuditEntry.objects.filter(verb="access.restricted").count() == 1


def test_an_alert_that_is_linked_later_is_restricted_too(
    admin: User, analyst: User, blue: Team, case: Incident
) -> None:
    restricted(case, admin)
    later = make_alert("Later", team=blue)
    links.link(Actor.of(anew(admin)), [later.pk], case.pk)
    assert not Alert.objects.visible_to(anew(analyst)).filter(pk=later.pk).exists()
    links.unlink(Actor.of(anew(admin)), [later.pk], case.pk)
    assert Alert.objects.visible_to(anew(analyst)).filter(pk=later.pk).exists()


def test_without_the_restriction_all_is_as_before(admin: User, analyst: User, viewer: User, case: Incident) -> None:
    restricted(case, admin)
    actions.grant(anew(admin), INCIDENT, case.number, viewer, "comment")
    restriction.unrestrict(Actor.of(anew(admin)), case.pk, reason="Told")
    assert sees(analyst, case) and sees(viewer, case)
    assert levels(case) == {"jonas": ("comment", "")}
    assert not Alert.objects.filter(incident=case, restricted=True).exists()


def test_an_admin_without_a_grant_cannot_take_the_restriction_away(admin: User, case: Incident) -> None:
    other = make_user("otto", "Admin")
    restricted(case, admin)
    with pytest.raises(Missing):
        restriction.unrestrict(Actor.of(anew(other)), case.pk)


def test_the_last_manager_stays(admin: User, responder: User, case: Incident) -> None:
    restricted(case, admin)
    me = f"user-{admin.pk}"
    caller = anew(admin)
    for change in (
        lambda: actions.revoke(caller, INCIDENT, case.number, me),
        lambda: actions.change(caller, INCIDENT, case.number, me, level="edit"),
        lambda: actions.change(caller, INCIDENT, case.number, me, expires_at=tomorrow()),
    ):
        with pytest.raises(Conflict, match="without anybody who manages"):
            change()
    assert levels(case)["admin"] == ("manage", "restriction")
    actions.grant(caller, INCIDENT, case.number, responder, "manage")
    actions.revoke(caller, INCIDENT, case.number, me)
    assert not sees(admin, case)


def test_a_group_without_people_is_no_manager(admin: User, case: Incident) -> None:
    empty = make_user("gone", teams=("Empty",))
    User.objects.filter(pk=empty.pk).update(is_active=False)
    restricted(case, admin)
    caller = anew(admin)
    actions.grant(caller, INCIDENT, case.number, actions.holder_named(group="Empty"), "manage")
    with pytest.raises(Conflict):
        actions.revoke(caller, INCIDENT, case.number, f"user-{admin.pk}")


def test_soar_itself_leaves_it_to_the_lead_or_an_admin(admin: User, responder: User, case: Incident) -> None:
    restriction.restrict(Actor.system(), case.pk)
    assert levels(case) == {"priya": ("manage", "restriction")}
    unowned = make_incident("Unowned")
    restriction.restrict(Actor.system(), unowned.pk)
    assert levels(unowned) == {"admin": ("manage", "restriction")}


def test_an_owner_of_a_restricted_incident_gets_edit_from_who_manages_it(
    admin: User, analyst: User, responder: User, case: Incident
) -> None:
    restricted(case, admin)
    assert analyst not in owners_for(case, anew(responder))
    with pytest.raises(Refused, match="only somebody who manages its access can give"):
        incidents.owners(Actor.of(anew(responder)), case.pk, add=[analyst])
    assert not sees(analyst, case)
    assert analyst in owners_for(case, anew(admin))
    incidents.owners(Actor.of(anew(admin)), case.pk, add=[analyst])
    assert levels(case)["mara"] == ("edit", "owner")
    entry = TimelineEntry.objects.filter(incident=case, kind="access.granted").order_by("-pk").first()
    assert entry is not None
    assert (entry.data["user"], entry.data["rule"]) == ("mara", "owner")
    incidents.owners(Actor.of(anew(admin)), case.pk, remove=[analyst])
    assert not sees(analyst, case)


def test_what_an_owner_was_granted_by_hand_outlasts_the_owning(admin: User, analyst: User, case: Incident) -> None:
    restricted(case, admin)
    caller = anew(admin)
    actions.grant(caller, INCIDENT, case.number, analyst, "comment")
    incidents.owners(Actor.of(caller), case.pk, add=[analyst])
    assert levels(case)["mara"] == ("edit", "owner")
    incidents.owners(Actor.of(caller), case.pk, remove=[analyst])
    assert levels(case)["mara"] == ("comment", "")
    assert sees(analyst, case)


def test_the_glass_is_broken_by_admins_alone_and_with_a_reason(admin: User, analyst: User, case: Incident) -> None:
    other = make_user("otto", "Admin")
    with pytest.raises(Refused, match="not restricted"):
        restriction.break_glass(other, case.pk, reason="Needed")
    restricted(case, admin)
    for person in (analyst, make_user("vera", "Auditor")):
        with pytest.raises(Forbidden):
            restriction.break_glass(anew(person), case.pk, reason="Curious")
    with pytest.raises(Refused, match="Write something"):
        restriction.break_glass(other, case.pk, reason="  ")
    with pytest.raises(Missing):
        restriction.break_glass(other, 10**12, reason="Needed")
    with pytest.raises(Conflict, match="already"):
        restriction.break_glass(anew(admin), case.pk, reason="Needed")
    assert not sees(other, case)
    assert not AuditEntry.objects.filter(verb="access.glass_broken").exists()


def test_breaking_the_glass_lets_in_for_some_hours_and_is_told(admin: User, case: Incident) -> None:
    other = make_user("otto", "Admin")
    restricted(case, admin)
    restriction.break_glass(other, case.number, reason="Owner is ill")
    assert sees(other, case) and holds(anew(other), case, "manage")
    found = {one.key: one for one in grants_on(INCIDENT, case)}["otto"]
    assert found.rule == "glass" and found.expires_at is not None
    assert AuditEntry.objects.get(verb="access.glass_broken").data["reason"] == "Owner is ill"
    assert TimelineEntry.objects.get(incident=case, kind="access.glass_broken").text == "Owner is ill"
    assert QueuedTask.objects.filter(task="cases.tasks.tell_glass").exists()
    rows = IncidentUserPermission.objects.filter(content_object=case, user=other)
    rows.update(expires_at=Now() - timedelta(days=1))  # before this test's transaction began
    assert not sees(other, case)


def test_an_owner_who_broke_the_glass_keeps_edit_afterwards(admin: User, case: Incident) -> None:
    other = make_user("otto", "Admin")
    incidents.owners(Actor.system(), case.pk, add=[other])
    restricted(case, admin)
    restriction.break_glass(anew(other), case.pk, reason="Owner is ill")
    glass = IncidentUserPermission.objects.filter(content_object=case, user=other, rule="glass")
    glass.update(expires_at=Now() - timedelta(seconds=1))
    assert levels(case)["otto"] == ("edit", "owner")
    assert expiring.tidy() == 1
    assert levels(case)["otto"] == ("edit", "owner")
    assert sees(other, case)


def test_a_restriction_of_an_old_version_is_refused(admin: User, case: Incident) -> None:
    with pytest.raises(Stale):
        incidents.update(Actor.of(admin), case.pk, changes={"restricted": True}, expected_version=case.version + 7)
    changed = incidents.update(Actor.of(admin), case.pk, changes={"restricted": True, "title": "Board"})
    assert (changed.restricted, changed.title) == (True, "Board")
    changed = incidents.update(Actor.of(admin), case.pk, changes={"restricted": False})
    assert changed.restricted is False


def test_an_alert_does_not_leave_a_restriction_by_who_only_edits(
    admin: User, analyst: User, viewer: User, case: Incident, blue: Team
) -> None:
    alert, other = make_alert("Secret", team=blue), make_incident("Open to all", team=blue)
    links.link(Actor.of(admin), [alert.pk], case.pk)
    restricted(case, admin)
    actions.grant(anew(admin), INCIDENT, case.number, analyst, "edit")
    editor = Actor.of(anew(analyst))
    acts: tuple[Callable[[], object], ...] = (
        lambda: links.unlink(editor, [alert.pk]),
        lambda: links.link(editor, [alert.pk], other.pk, move=True),
        lambda: incidents.open_incident(editor, title="New", alerts=[alert.pk], move=True),
    )
    for act in acts:
        with pytest.raises(Forbidden, match="restricted"):
            act()
    alert.refresh_from_db()
    assert alert.incident == case and alert.restricted
    page = f"/incidents/{case.number}/"
    assert 'form="alert-unlink"' not in client_of(analyst).get(page).content.decode()  # nothing is offered in vain
    actions.grant(anew(admin), INCIDENT, case.number, analyst, "manage")
    assert 'form="alert-unlink"' in client_of(analyst).get(page).content.decode()
    links.unlink(Actor.of(anew(analyst)), [alert.pk])
    alert.refresh_from_db()
    assert not alert.restricted


def test_managing_people_alone_gets_nobody_into_a_restricted_incident(admin: User, analyst: User, red: Team) -> None:
    """Neither by restricting it, which lets the one who does it manage, nor by breaking the glass."""
    roles.create(None, "Helpdesk", permissions=["manage_people", "view_cases"])
    helper = make_user("hella", "Helpdesk", teams=("Red",))
    seen = make_incident("Of Red", team=red)
    with pytest.raises(Forbidden, match="You do not hold “manage”"):
        restriction.restrict(Actor.of(helper), seen.pk)
    problem_of(Api(helper).patch(f"/incidents/{seen.pk}/", {"restricted": True}), 403)
    assert not Incident.objects.get(pk=seen.pk).restricted and not grants_on(INCIDENT, seen)
    hidden = make_incident("Hidden")
    restriction.restrict(Actor.of(admin), hidden.pk)
    said = set()
    for number in (hidden.number, seen.number, "INC-999999"):  # restricted, not restricted, not there: all the same
        with pytest.raises(Forbidden) as refused:
            restriction.break_glass(helper, number, reason="Curious")
        said.add(refused.value.message)
    assert len(said) == 1
    assert [one.key for one in grants_on(INCIDENT, hidden)] == ["admin"]
