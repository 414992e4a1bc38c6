"""The pages of people, teams, roles and tokens, for those who manage people alone."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from soar.accounts.actions import people, roles, tokens
from soar.accounts.actions.users import create_token
from soar.accounts.models import ApiToken, AuditEntry, Role, Team, User
from tests.factories import make_alert, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
PAGES = ("", "new/", "new/?service=1", "teams/", "roles/", "tokens/")


def shown(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def test_they_are_for_those_who_manage_people(as_analyst: Client, as_viewer: Client, client: Client, red: Team) -> None:
    person, role = User.objects.get(username="mara"), Role.objects.get(group__name="Viewer")
    token, _ = create_token(person, "t", actor=person)
    pages = [
        *PAGES, f"{person.pk}/", f"teams/{red.pk}/", f"roles/{role.pk}/", f"roles/{role.pk}/delete/",
        f"tokens/{token.pk}/revoke/",
    ]  # fmt: skip
    for page in pages:
        for other in (as_analyst, as_viewer):
            shown(other, f"/people/{page}", 403)
        assert client.get(f"/people/{page}").status_code == 302
    verbs = [f"{person.pk}/{verb}/" for verb in ("active", "password", "sessions", "hand-over", "tokens")]
    for verb in (*verbs, f"teams/{red.pk}/delete/", f"tokens/{token.pk}/revoke/"):
        assert as_analyst.post(f"/people/{verb}", {"active": "0"}).status_code == 403
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_what_is_not_there_is_not_found(as_admin: Client) -> None:
    for page in ("999999/", "teams/999999/", "roles/999999/", "roles/999999/delete/", "tokens/999999/revoke/"):
        shown(as_admin, f"/people/{page}", 404)
    for verb in ("active", "password", "sessions", "hand-over", "tokens"):
        assert as_admin.post(f"/people/999999/{verb}/", {"active": "0"}).status_code == 404
    for page in ("?cursor=rubbish", "?sort=rubbish", "tokens/?cursor=x&only=y", "?q=%00x"):
        shown(as_admin, f"/people/{page}")


def test_the_list_says_who_may_what(as_admin: Client, analyst: User, stranger: User) -> None:
    people.set_active(None, stranger.pk, False)
    page = shown(as_admin, "/people/?q=lindqvist")
    assert "mara" in page and "Blue" in page and "Analyst" in page
    assert "sam" not in re.findall(r'class="mono">(\w+)<', page)
    assert re.findall(r'class="mono">(\w+)<', shown(as_admin, "/people/?sort=off")) == ["sam"]
    assert "Nobody matches" in shown(as_admin, "/people/?q=nobody-of-this-name")


def test_the_list_takes_few_queries(as_admin: Client) -> None:
    for number in range(12):
        make_user(f"user{number}", "Viewer", "Analyst", teams=(f"Team {number % 3}",))
    with counted("people"):
        shown(as_admin, "/people/")


def test_somebody_is_made_and_the_password_shown_once(as_admin: Client, blue: Team) -> None:
    form = {"username": "kei", "first_name": "Kei", "last_name": "Tanaka", "email": "kei@example.com",
            "roles": ["Analyst"], "teams": ["Blue"]}  # fmt: skip
    answer = as_admin.post("/people/new/", form)
    user = User.objects.get(username="kei")
    assert answer["Location"] == f"/people/{user.pk}/"
    page = as_admin.get(answer["Location"])
    found = re.search(r'id="new-password">([^<]+)<', page.content.decode())
    assert found is not None and user.check_password(found[1])
    assert "no-store" in page["Cache-Control"]
    assert "new-password" not in shown(as_admin, f"/people/{user.pk}/")
    assert Team.objects.filter(group__user=user).get() == blue
    again = as_admin.post("/people/new/", form)
    assert again.status_code == 422
    assert "Kei" in again.content.decode()


def test_roles_that_one_does_not_hold_are_not_offered(admin: User, viewer: User) -> None:
    roles.create(admin, "Helpdesk", permissions=["manage_people", "view_cases"])
    browser = client_of(make_user("hedda", "Helpdesk"))
    page = shown(browser, "/people/new/")
    assert 'value="Viewer"' in page and 'value="Helpdesk"' in page
    assert 'value="Admin"' not in page and 'value="Analyst"' not in page
    form = {"username": "new", "roles": ["Admin"]}
    assert browser.post("/people/new/", form).status_code == 422
    own = shown(browser, f"/people/{admin.pk}/")
    assert "holds more than you" in own and "Set a new password" not in own
    browser.post(f"/people/{admin.pk}/password/")
    browser.post(f"/people/{admin.pk}/active/", {"active": "0"})
    browser.post(f"/people/{admin.pk}/sessions/")
    admin.refresh_from_db()
    assert admin.is_active and admin.check_password("correct horse battery")


def test_deactivated_people_are_out_at_once_and_what_they_own_is_handed_over(
    as_admin: Client, as_analyst: Client, admin: User, analyst: User, responder: User
) -> None:
    alert = make_alert()
    alerts.assign(Actor.of(admin), alert.pk, owner=analyst)
    as_admin.post(f"/people/{analyst.pk}/active/", {"active": "0"})
    assert as_analyst.get("/settings/").status_code == 302
    page = shown(as_admin, f"/people/{analyst.pk}/")
    assert "Activate" in page and "/alerts/?owner=mara" in page
    as_admin.post(f"/people/{analyst.pk}/hand-over/", {"to": ""})
    as_admin.post(f"/people/{analyst.pk}/hand-over/", {"to": "priya"})
    alert.refresh_from_db()
    assert alert.owner == responder
    as_admin.post(f"/people/{analyst.pk}/active/", {"active": "1"})
    assert User.objects.get(pk=analyst.pk).is_active


def test_the_last_admin_reads_why_not(as_admin: Client, admin: User) -> None:
    answer = as_admin.post(f"/people/{admin.pk}/", {"first_name": "Ada", "roles": ["Viewer"]})
    assert answer.status_code == 422
    assert "last active admin" in answer.content.decode()
    as_admin.post(f"/people/{admin.pk}/active/", {"active": "0"})
    assert User.objects.get(pk=admin.pk).is_active


def test_a_program_has_tokens_and_no_password(as_admin: Client, client: Client) -> None:
    as_admin.post("/people/new/?service=1", {"username": "exporter", "first_name": "Export", "roles": ["Viewer"]})
    robot = User.objects.get(username="exporter")
    page = shown(as_admin, f"/people/{robot.pk}/")
    assert "New token" in page and "Set a new password" not in page
    answer = as_admin.post(f"/people/{robot.pk}/tokens/", {"name": "ci", "days": "30", "scopes": ["view_cases"]})
    found = re.search(r'id="new-token">([^<]+)<', shown(as_admin, answer["Location"]))
    assert found is not None
    headers = {"Authorization": f"Bearer {found[1]}"}
    assert client.get("/api/v1/me/", headers=headers).json()["username"] == "exporter"
    for wrong in ({"name": ""}, {"name": "x", "scopes": ["respond"]}):
        as_admin.post(f"/people/{robot.pk}/tokens/", wrong)
    assert robot.api_tokens.count() == 1
    token = robot.api_tokens.get()
    assert "ci" in shown(as_admin, "/people/tokens/?only=programs")
    assert "Revoke ci of exporter?" in shown(as_admin, f"/people/tokens/{token.pk}/revoke/")
    as_admin.post(f"/people/tokens/{token.pk}/revoke/")
    assert client.get("/api/v1/me/", headers=headers).status_code == 401
    assert "ci" not in re.findall(r'scope="row" class="tall">(\w+)<', shown(as_admin, "/people/tokens/?only=working"))
    sign_in = {"login": "exporter", "password": ""}
    assert client.post("/accounts/login/", sign_in).status_code == 200


def test_tokens_of_people_are_their_own(as_admin: Client, analyst: User) -> None:
    assert as_admin.post(f"/people/{analyst.pk}/tokens/", {"name": "x"}).status_code == 404


def test_teams(as_admin: Client, analyst: User, stranger: User, blue: Team, red: Team) -> None:
    assert as_admin.post("/people/teams/", {"name": "red"}).status_code == 422
    answer = as_admin.post("/people/teams/", {"name": "Green"})
    green = Team.objects.get(name="Green")
    assert answer["Location"] == f"/people/teams/{green.pk}/"
    as_admin.post(f"/people/teams/{green.pk}/", {"name": "Lime"})
    for name in ("mara", "sam"):
        as_admin.post(f"/people/teams/{green.pk}/people/", {"in": name})
    assert set(Team.objects.get(name="Lime").group.user_set.all()) == {analyst, stranger}
    alert = make_alert(team=green)
    as_admin.post(f"/people/teams/{green.pk}/delete/")
    assert Team.objects.filter(pk=green.pk).exists()
    as_admin.post(f"/people/teams/{green.pk}/delete/", {"move_to": "Red"})
    alert.refresh_from_db()
    assert alert.team == red
    assert not Team.objects.filter(pk=green.pk).exists()


def test_people_of_a_large_team_come_page_by_page(as_admin: Client, blue: Team, viewer: User) -> None:
    robots = [
        User(username=f"user-{number:03}", first_name=f"No. {number}", is_active=number != 7) for number in range(70)
    ]
    blue.group.user_set.set(User.objects.bulk_create(robots))
    page = f"/people/teams/{blue.pk}/"
    first = shown(as_admin, page)
    assert '<span class="n">70</span>' in first
    assert len(re.findall(r'name="out"', first)) == 50 and "Deactivated" in first
    onward = re.search(r'href="(\?cursor=[^"]+)" rel="next"', first)
    assert onward is not None
    assert len(re.findall(r'name="out"', shown(as_admin, page + onward[1]))) == 20
    assert re.findall(r'name="out" value="([^"]+)"', shown(as_admin, f"{page}?q=user-042")) == ["user-042"]
    assert "Nobody of this name is in the team" in shown(as_admin, f"{page}?q=jonas")
    assert re.findall(r'name="in" value="([^"]+)"', shown(as_admin, f"{page}?find=jonas")) == ["jonas"]
    assert "not in the team already" in shown(as_admin, f"{page}?find=user-042")
    assert shown(as_admin, f"{page}?cursor=wrong&q=%00")


def test_two_who_change_a_team_undo_nothing_of_each_other(
    as_admin: Client, admin: User, blue: Team, viewer: User, responder: User
) -> None:
    other = client_of(make_user("second", "Admin"))
    page = f"/people/teams/{blue.pk}/people/"
    blue.group.user_set.clear()
    shown(other, f"/people/teams/{blue.pk}/?find=priya")
    answer = as_admin.post(page, {"in": "jonas", "find": "jo & na"})
    assert answer["Location"] == f"/people/teams/{blue.pk}/?find=jo+%26+na#team-people"
    other.post(page, {"in": "priya"})
    assert set(blue.group.user_set.all()) == {viewer, responder}
    for _time in ("once", "twice"):
        other.post(page, {"out": "jonas"})
    assert set(blue.group.user_set.all()) == {responder}
    changed = AuditEntry.objects.filter(verb="team.changed", target="Blue")
    assert [one.actor_name for one in changed.order_by("pk")] == ["Ada Admin", "second", "second"]


def test_nobody_unknown_is_let_in_and_no_one_into_a_team_of_others(as_admin: Client, admin: User, blue: Team) -> None:
    page = f"/people/teams/{blue.pk}/people/"
    htmx = {"HX-Request": "true"}
    answer = as_admin.post(page, {"in": "nobody\x00"}, headers=htmx)
    assert answer.status_code == 422
    assert "There is nobody of the name nobody" in answer.content.decode()
    assert as_admin.post(page).status_code == 302
    roles.create(admin, "Helpdesk", permissions=["manage_people", "view_cases"])
    hedda = make_user("hedda", "Helpdesk")
    assert "You are not in Blue" in client_of(hedda).post(page, {"in": "hedda"}, headers=htmx).content.decode()
    assert not blue.group.user_set.filter(pk=hedda.pk).exists()
    assert as_admin.post("/people/teams/999999/people/", {"in": "hedda"}).status_code == 404


def test_roles(as_admin: Client, viewer: User) -> None:
    as_admin.post("/people/roles/", {"name": "Exports", "permissions": ["view_cases", "export"]})
    role = Role.objects.get(group__name="Exports")
    people.update(None, viewer.pk, {"roles": ["Exports"]})
    as_admin.post(f"/people/roles/{role.pk}/", {"name": "Exporters", "permissions": ["export"]})
    assert User.objects.get(pk=viewer.pk).has_perm("accounts.export")
    asked = shown(as_admin, f"/people/roles/{role.pk}/delete/")
    assert "Jonas Adeyemi" in asked and "Export cases and lists" in asked
    as_admin.post(f"/people/roles/{role.pk}/delete/")
    assert not Role.objects.filter(pk=role.pk).exists()
    fixed = Role.objects.get(group__name="Viewer")
    assert "built in" in shown(as_admin, f"/people/roles/{fixed.pk}/")
    as_admin.post(f"/people/roles/{fixed.pk}/", {"name": "Lookers", "permissions": []})
    as_admin.post(f"/people/roles/{fixed.pk}/delete/")
    assert Role.objects.get(pk=fixed.pk).group.permissions.count() == 1


def test_a_role_of_very_many_says_that_there_are_more(as_admin: Client, viewer: User) -> None:
    role = Role.objects.get(group__name="Viewer")
    page = f"/people/roles/{role.pk}/"
    assert "The first" not in shown(as_admin, page)
    crowd = User.objects.bulk_create([User(username=f"user-{number:03}") for number in range(200)])
    role.group.user_set.add(*crowd)
    assert "The first 200." in shown(as_admin, page)


def test_hostile_names_stay_text(as_admin: Client, admin: User) -> None:
    robot, _ = people.create(admin, "robot", first_name="<script>alert(1)</script>", service=True)
    tokens.create_for(admin, robot.pk, '"><img src=x onerror=alert(1)>')
    for page in ("/people/", f"/people/{robot.pk}/", "/people/tokens/"):
        text = shown(as_admin, page)
        assert "<script>alert" not in text and "<img src=x" not in text
