"""Who may change whom: nobody beyond what they hold, the last admin stays, two at once are safe."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from cases.actions import alerts
from cases.actors import Actor
from soar.accounts.actions import people, roles, teams, tokens
from soar.accounts.models import AuditEntry, Role, Team, User
from soar.lib.errors import CaseError, Conflict, Forbidden, Missing, Refused
from tests.factories import PASSWORD, make_alert, make_incident, make_source, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def helpdesk(admin: User) -> User:
    """Manages people and reads cases, nothing more."""
    roles.create(admin, "Helpdesk", permissions=["manage_people", "view_cases"])
    return make_user("hedda", "Helpdesk")


def test_without_the_permission_nothing_is_changed(analyst: User, viewer: User) -> None:
    for act in (
        lambda: people.create(analyst, "new"),
        lambda: people.update(analyst, viewer.pk, {"first_name": "X"}),
        lambda: people.set_active(analyst, viewer.pk, False),
        lambda: people.new_password(analyst, viewer.pk),
        lambda: people.hand_over(analyst, viewer.pk, "mara"),
        lambda: teams.create(analyst, "New"),
        lambda: roles.create(analyst, "New"),
        lambda: tokens.revoke(analyst, 1),
    ):
        with pytest.raises(Forbidden):
            act()
    assert not AuditEntry.objects.filter(actor_id=analyst.pk).exists()


def test_nobody_gives_what_they_do_not_hold(helpdesk: User, viewer: User) -> None:
    assert people.update(helpdesk, viewer.pk, {"roles": ["Viewer", "Helpdesk"]})
    for role in ("Admin", "Responder", "Auditor"):
        with pytest.raises(Forbidden):
            people.update(helpdesk, viewer.pk, {"roles": [role]})
        with pytest.raises(Forbidden):
            people.update(helpdesk, helpdesk.pk, {"roles": [role]})
        with pytest.raises(Forbidden):
            people.create(helpdesk, "new", roles=[role])
    with pytest.raises(Forbidden):
        roles.create(helpdesk, "More", permissions=["manage_settings"])
    with pytest.raises(Forbidden):
        roles.update(helpdesk, Role.objects.get(group__name="Helpdesk").pk, permissions=["manage_people", "respond"])
    assert not User.objects.filter(username="new").exists()


def test_all_permissions_together_make_no_admin(admin: User) -> None:
    roles.create(admin, "Everything", permissions=[codename for codename, _ in Role._meta.permissions])
    other = make_user("eve", "Everything")
    with pytest.raises(Forbidden):
        people.update(other, other.pk, {"roles": ["Admin"]})
    with pytest.raises(Forbidden):
        people.new_password(other, admin.pk)


def test_who_holds_more_is_out_of_reach(helpdesk: User, admin: User, analyst: User) -> None:
    for other in (admin, analyst):
        with pytest.raises(Forbidden):
            people.new_password(helpdesk, other.pk)
        with pytest.raises(Forbidden):
            people.set_active(helpdesk, other.pk, False)
        with pytest.raises(Forbidden):
            people.update(helpdesk, other.pk, {"roles": []})
    User.objects.filter(pk=analyst.pk).update(is_active=False)  # rights count while they are asleep, too
    with pytest.raises(Forbidden):
        people.new_password(helpdesk, analyst.pk)


def test_a_token_of_an_admin_with_scopes_is_no_admin(admin: User, viewer: User) -> None:
    admin.token_scopes = frozenset({"manage_people", "view_cases"})
    assert people.update(admin, viewer.pk, {"first_name": "Jo"}).first_name == "Jo"
    with pytest.raises(Forbidden):
        people.update(admin, viewer.pk, {"roles": ["Admin"]})
    with pytest.raises(Forbidden):
        people.new_password(admin, make_user("second", "Admin").pk)


def test_nobody_lets_themselves_into_a_team(helpdesk: User, viewer: User, blue: Team, red: Team) -> None:
    with pytest.raises(Forbidden):
        people.update(helpdesk, helpdesk.pk, {"teams": ["Red"]})
    with pytest.raises(Forbidden):
        teams.update(helpdesk, red.pk, members=["hedda"])
    assert teams.update(helpdesk, teams.create(helpdesk, "Green").pk, members=[]).name == "Green"


def test_the_last_active_admin_stays(admin: User) -> None:
    other = make_user("second", "Admin")
    make_user("robot", "Viewer")
    people.set_active(admin, other.pk, False)
    for act in (
        partial(people.update, admin, admin.pk, {"roles": ["Viewer"]}),
        partial(people.update, None, admin.pk, {"roles": []}),
        partial(people.set_active, None, admin.pk, False),
        partial(people.set_active, admin, admin.pk, False),
    ):
        with pytest.raises(Conflict):
            act()
    admin.refresh_from_db()
    assert admin.is_active and admin.is_superuser
    assert AuditEntry.objects.filter(verb="user.deactivated").count() == 1


def test_programs_are_no_admins_and_have_no_password(admin: User, client: object) -> None:
    with pytest.raises(Refused):
        people.create(admin, "robot", roles=["Admin"], service=True)
    robot, password = people.create(admin, "robot", roles=["Viewer"], service=True)
    assert password == "" and not robot.has_usable_password() and robot.is_service
    with pytest.raises(Conflict):
        people.new_password(admin, robot.pk)
    with pytest.raises(Refused):
        people.update(admin, robot.pk, {"roles": ["Admin"]})
    row, token = tokens.create_for(admin, robot.pk, "ci", scopes=["view_cases"])
    assert token.startswith("soar_") and row.user == robot
    with pytest.raises(Conflict):
        tokens.create_for(admin, admin.pk, "mine")
    tokens.revoke(admin, row.pk)
    tokens.revoke(admin, row.pk)
    assert AuditEntry.objects.filter(verb="token.revoked").count() == 1


def test_changes_are_written_with_before_and_after(admin: User, viewer: User, red: Team) -> None:
    people.update(admin, viewer.pk, {"email": "j@example.com", "roles": ["Analyst"], "teams": ["Red"]})
    row = AuditEntry.objects.get(verb="user.changed")
    assert row.actor_id == admin.pk
    assert row.data == {
        "before": {"email": "", "roles": ["Viewer"], "teams": ["Blue"]},
        "after": {"email": "j@example.com", "roles": ["Analyst"], "teams": ["Red"]},
    }
    people.update(admin, viewer.pk, {"email": "j@example.com", "roles": ["Analyst"], "teams": ["Red"]})
    assert AuditEntry.objects.filter(verb="user.changed").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"email": "nobody at home"}, "email"), ({"first_name": "x" * 151}, "first_name"), ({"roles": ["Owner"]}, "roles"),
     ({"teams": ["Nowhere"]}, "teams"), ({"roles": ["Blue"]}, "roles"), ({"teams": ["Viewer"]}, "teams")],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(
    admin: User, viewer: User, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as error:
        people.update(admin, viewer.pk, changes)
    assert error.value.field == field
    with pytest.raises(Missing):
        people.update(admin, 10**9, changes)


def test_names_and_passwords_of_new_people(admin: User) -> None:
    for name in ("", "two words", "mara\x00", "x" * 151):
        if name != "mara\x00":
            with pytest.raises(Refused) as error:
                people.create(admin, name)
            assert error.value.field == "username"
    user, password = people.create(admin, "mara", roles=["analyst"])
    assert user.check_password(password) and len(password) >= 16
    with pytest.raises(Refused):
        people.create(admin, "mara")


def test_what_somebody_owns_is_handed_over(admin: User, analyst: User, responder: User) -> None:
    alert, other = make_alert(team=Team.objects.get(name="Blue")), make_alert()
    for one in (alert, other):
        alerts.assign(Actor.of(admin), one.pk, owner=analyst)
    incident = make_incident("Case", owners=[analyst])
    given = people.hand_over(admin, analyst.pk, "priya")
    assert {name: number for name, number in given.items() if number} == {"alerts": 2, "incidents": 1}
    alert.refresh_from_db()
    assert alert.owner == responder
    assert alert.timeline.latest("pk").data["new"] == "Priya Raman"
    assert [row.user for row in incident.owner_rows.all()] == [responder]
    assert AuditEntry.objects.filter(verb="user.handed_over").count() == 2
    assert not people.hand_over(admin, analyst.pk, "priya")
    for to in ("nobody here", "mara"):
        with pytest.raises(Refused):
            people.hand_over(admin, analyst.pk, to)


def test_it_is_not_handed_to_somebody_who_cannot_work(admin: User, analyst: User, viewer: User) -> None:
    alert = make_alert()
    alerts.assign(Actor.of(admin), alert.pk, owner=analyst)
    with pytest.raises(CaseError):
        people.hand_over(admin, analyst.pk, "jonas")
    alert.refresh_from_db()
    assert alert.owner == analyst


def test_a_team_goes_only_when_nothing_belongs_to_it(admin: User, blue: Team, red: Team, analyst: User) -> None:
    alert = make_alert(source=make_source(team=blue))
    incident = make_incident("Case", team=blue)
    with pytest.raises(Conflict):
        teams.delete(admin, blue.pk)
    for wrong in ("Nowhere", "Blue"):
        with pytest.raises(Refused):
            teams.delete(admin, blue.pk, move_to=wrong)
    teams.delete(admin, blue.pk, move_to="Red")
    for row in (alert, incident, alert.source):
        row.refresh_from_db()
        assert row.team == red
    assert AuditEntry.objects.get(verb="team.deleted").data == {
        "members": ["mara"],
        "moved_to": "Red",
        "moved": {"alerts": 1, "incidents": 1, "sources": 1},
    }
    assert not Group.objects.filter(name="team:Blue").exists()


def test_a_team_keeps_what_nobody_here_may_see(admin: User, blue: Team) -> None:
    from cases.models import Incident

    incident = make_incident("Secret", team=blue)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    with pytest.raises(Conflict) as error:
        teams.delete(admin, blue.pk, move_to="")
    assert incident.number not in error.value.message
    assert Team.objects.filter(pk=blue.pk).exists()


def test_teams_are_renamed_and_names_are_one_of_a_kind(admin: User, blue: Team, red: Team) -> None:
    assert teams.update(admin, blue.pk, name="Azure").group.name == "team:Azure"
    for name in ("Red", "rEd", "Analyst"):
        with pytest.raises(Conflict):
            teams.update(admin, blue.pk, name=name)
        with pytest.raises(CaseError):
            teams.create(admin, name)
    with pytest.raises(Refused):
        teams.update(admin, blue.pk, members=["nobody-at-all"])


def test_built_in_roles_stay(admin: User) -> None:
    for role in Role.objects.filter(builtin=True):
        with pytest.raises(Conflict):
            roles.update(admin, role.pk, permissions=[])
        with pytest.raises(Conflict):
            roles.delete(admin, role.pk)
    with pytest.raises(Refused):
        roles.create(admin, "Odd", permissions=["fly"])
    for name in ("Viewer", "vieweR"):
        with pytest.raises(Conflict):
            roles.create(admin, name)


def test_who_loses_what_with_a_role(admin: User, viewer: User) -> None:
    role = roles.create(admin, "Exports", permissions=["export", "view_cases"])
    people.update(admin, viewer.pk, {"roles": ["Viewer", "Exports"]})
    assert roles.losses(role) == [(viewer, ["export"])]
    roles.delete(admin, role.pk)
    assert AuditEntry.objects.get(verb="role.deleted").data == {
        "permissions": ["export", "view_cases"], "people": ["jonas"],
    }  # fmt: skip
    assert not User.objects.get(pk=viewer.pk).has_perm("accounts.export")


@pytest.mark.django_db(transaction=True)
def test_two_admins_at_once_do_not_remove_each_other() -> None:
    both = [make_user("first", "Admin"), make_user("second", "Admin")]
    ready, refused = threading.Barrier(2), []

    def remove(mine: User, other: User) -> None:
        try:
            ready.wait(30)
            people.set_active(mine, other.pk, False)
        except CaseError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in (both, both[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
    assert User.objects.filter(is_active=True, groups__name="Admin").count() == 1


def test_a_password_that_was_set_ends_the_old_one(admin: User, viewer: User) -> None:
    user, password = people.new_password(admin, viewer.pk)
    assert user.check_password(password) and not user.check_password(PASSWORD)
    assert password not in str(AuditEntry.objects.get(verb="user.password_set").data)
