"""Seeing the portal as somebody else: what they see, read only, recorded, for a while (access.md 5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from django.test import Client
from guardian.shortcuts import assign_perm

from cases.actions import restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.models import Alert, ExportJob
from soar.accounts.access.actions import grant
from soar.accounts.actions import viewing as actions
from soar.accounts.actions.users import create_token
from soar.accounts.models import AuditEntry, Role, Team, User, Viewing
from soar.lib.errors import CaseError
from tests.api import Api, problem_of
from tests.factories import PASSWORD, make_alert, make_incident, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def begin(browser: Client, person: User) -> Any:
    answer = browser.post("/accounts/view-as/", {"person": person.username})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return answer


def audit(verb: str) -> AuditEntry:
    return AuditEntry.objects.get(verb=verb)


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


@pytest.fixture
def reds(red: Team) -> Alert:
    return make_alert("Red business", team=red)


def test_the_view_is_the_other_persons(as_admin: Client, analyst: User, reds: Alert) -> None:
    make_alert("Everybody's")
    assert "Red business" in text_of(as_admin.get("/alerts/"))
    begin(as_admin, analyst)
    page = text_of(as_admin.get("/alerts/"))
    assert "Everybody&#x27;s" in page
    assert "Red business" not in page
    assert as_admin.get(f"/alerts/{reds.number}/").status_code == 404
    # The API in the same browser shows the same.
    assert as_admin.get("/api/v1/me/").json()["username"] == analyst.username
    assert [row["title"] for row in as_admin.get("/api/v1/alerts/").json()["results"]] == ["Everybody's"]
    assert as_admin.get("/audit/").status_code in (403, 404)


def test_a_band_on_every_page_says_so(as_admin: Client, analyst: User, blue: Team) -> None:
    assert 'id="view-as"' not in text_of(as_admin.get("/alerts/"))
    begin(as_admin, analyst)
    incident = make_incident("Mine", team=blue)
    for path in ("/alerts/", "/incidents/", f"/incidents/{incident.number}/", "/playbooks/", "/settings/", "/more/"):
        page = text_of(as_admin.get(path))
        assert "You see Soar as Mara Lindqvist does" in page, path
        assert "(Analyst, Blue)" in page
        assert "Ends by itself in 15 min." in page
        assert 'action="/accounts/view-as/stop/"' in page


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed(as_admin: Client, analyst: User, method: str) -> None:
    alert = make_alert()
    begin(as_admin, analyst)
    before = Alert.objects.values().get(pk=alert.pk)
    paths = (f"/alerts/{alert.number}/claim/", f"/api/v1/alerts/{alert.pk}/claim/", f"/api/v1/alerts/{alert.pk}/")
    for path in (*paths, "/settings/profile/", "/theme/", "/alerts/bulk/", "/accounts/password/change/"):
        answer = getattr(as_admin, method)(path, data={}, content_type="application/json")
        assert answer.status_code in (403, 404), (path, answer.status_code)
        if answer.status_code == 403:
            assert "read only" in text_of(answer), path
    assert Alert.objects.values().get(pk=alert.pk) == before
    problem = problem_of(as_admin.post(f"/api/v1/alerts/{alert.pk}/claim/"), 403)
    assert "You see Soar as Mara Lindqvist does: read only." in problem["detail"]
    htmx = as_admin.post(f"/alerts/{alert.number}/claim/", headers={"HX-Request": "true"})
    assert "read only" in problem_of(htmx, 403)["detail"]


def test_what_is_about_their_account_is_nobody_elses_to_see(as_admin: Client, analyst: User) -> None:
    begin(as_admin, analyst)
    for path in ("/accounts/password/change/", "/settings/tokens/"):
        answer = as_admin.get(path)
        assert answer.status_code == 403
        assert "own account" in text_of(answer)


def test_beginning_and_end_are_in_the_audit_log(as_admin: Client, admin: User, analyst: User) -> None:
    begin(as_admin, analyst)
    started = audit("view_as.started")
    assert (started.actor_id, started.target, started.data["minutes"]) == (admin.pk, "mara", 15)
    assert as_admin.post("/accounts/view-as/stop/").status_code == 302
    ended = audit("view_as.ended")
    assert (ended.actor_id, ended.target, ended.data["reason"]) == (admin.pk, "mara", "stopped")
    assert ended.data["viewer"] == "admin"
    assert as_admin.get("/api/v1/me/").json()["username"] == "admin"
    as_admin.post("/accounts/view-as/stop/")
    assert AuditEntry.objects.filter(verb="view_as.ended").count() == 1


def test_it_ends_by_itself(as_admin: Client, analyst: User) -> None:
    alert = make_alert()
    begin(as_admin, analyst)
    Viewing.objects.update(until=Now() - timedelta(seconds=1))
    # What was clicked on a page that showed the other view is not done in one's own.
    refused = as_admin.post(f"/alerts/{alert.number}/claim/")
    assert refused.status_code == 403
    assert "has ended. Nothing was done." in text_of(refused)
    assert Alert.objects.get().owner is None
    assert audit("view_as.ended").data["reason"] == "time"
    page = text_of(as_admin.get("/alerts/"))
    assert 'id="view-as"' not in page
    assert "Ada Admin" in page


def test_the_page_is_told_when_it_ended(as_admin: Client, analyst: User) -> None:
    begin(as_admin, analyst)
    Viewing.objects.update(until=Now() - timedelta(seconds=1))
    polled = as_admin.get("/alerts/", headers={"HX-Request": "true"})
    assert (polled.status_code, polled["HX-Refresh"]) == (204, "true")
    assert "You see your own view again" in text_of(as_admin.get("/alerts/"))


def test_the_scheduler_ends_what_nobody_looks_at(as_admin: Client, analyst: User) -> None:
    begin(as_admin, analyst)
    assert actions.end_expired() == 0
    Viewing.objects.update(until=Now() - timedelta(seconds=1))
    assert actions.end_expired() == 1
    ended = audit("view_as.ended")
    assert (ended.actor_name, ended.data["viewer"], ended.target) == ("Soar", "admin", "mara")
    assert actions.end_expired() == 0


def test_it_ends_with_the_right_or_the_person(as_admin: Client, admin: User, analyst: User, viewer: User) -> None:
    begin(as_admin, analyst)
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert as_admin.get("/api/v1/me/").json()["username"] == "admin"
    assert audit("view_as.ended").data["reason"] == "right lost"
    begin(as_admin, viewer)
    User.objects.filter(pk=admin.pk).update(is_superuser=False)
    admin.groups.clear()
    assert as_admin.get("/api/v1/me/").json()["username"] == "admin"
    assert AuditEntry.objects.filter(verb="view_as.ended").count() == 2


def test_logging_out_ends_it_and_logs_out_oneself(as_admin: Client, analyst: User) -> None:
    begin(as_admin, analyst)
    assert as_admin.post("/accounts/logout/").status_code == 302
    assert audit("view_as.ended").data["reason"] == "stopped"
    assert audit("logout").target == "admin"
    assert as_admin.get("/alerts/").status_code == 302


def test_another_one_ends_the_first(as_admin: Client, analyst: User, viewer: User) -> None:
    begin(as_admin, analyst)
    begin(as_admin, viewer)
    assert as_admin.get("/api/v1/me/").json()["username"] == viewer.username
    assert audit("view_as.ended").target == "mara"


@pytest.mark.parametrize("who", ["analyst", "viewer", "author", "responder"])
def test_only_who_manages_people_may(request: pytest.FixtureRequest, stranger: User, who: str) -> None:
    browser = client_of(request.getfixturevalue(who))
    assert browser.get("/accounts/view-as/").status_code == 403
    assert browser.post("/accounts/view-as/", {"person": stranger.username}).status_code == 403
    assert not Viewing.objects.exists()


def helpdesk() -> User:
    """Somebody who manages people and reads cases, and no more."""
    group = Group.objects.create(name="Help desk")
    Role.objects.create(group=group)
    group.permissions.set(Permission.objects.filter(codename__in=("view_cases", "manage_people")))
    return make_user("desk", "Help desk")


def test_nobody_sees_as_who_holds_more(analyst: User, viewer: User, admin: User) -> None:
    browser = client_of(helpdesk())
    for person in (analyst, admin):
        answer = browser.post("/accounts/view-as/", {"person": person.username})
        assert answer.status_code == 422
        assert "more than you" in text_of(answer)
    begin(browser, viewer)
    # Who is given more while they are looked at is no longer looked at.
    viewer.groups.add(Group.objects.get(name="Responder"))
    assert browser.get("/api/v1/me/").json()["username"] == "desk"


def test_people_are_found_while_one_types(as_admin: Client, admin: User, analyst: User, stranger: User) -> None:
    def found(text: str) -> list[str]:
        answer = as_admin.get("/accounts/view-as/", {"person": text}, headers={"HX-Request": "true"})
        assert answer.status_code == 200 and "<form" not in text_of(answer)
        return re.findall(r'<option value="([^"]*)">', text_of(answer))

    User.objects.filter(pk=stranger.pk).update(is_active=False)
    for text in (analyst.username, analyst.last_name[1:].upper(), analyst.get_full_name(), f" {analyst.first_name} "):
        assert found(text) == [analyst.username], text
    assert found(admin.username) == found(stranger.username) == found("nobody-of-this-name") == []
    assert found("\x00" + "x" * 500) == []
    assert f'<option value="{analyst.username}">' in text_of(as_admin.get("/accounts/view-as/"))


def test_only_whom_one_may_look_as_is_offered(analyst: User, admin: User) -> None:
    desk = make_user("desk", "Viewer")
    desk.user_permissions.add(Permission.objects.get(codename="manage_people"))
    make_user("reader", "Viewer")
    page = client_of(desk).get("/accounts/view-as/", {"person": ""}, headers={"HX-Request": "true"})
    assert re.findall(r'<option value="([^"]*)">', text_of(page)) == ["reader"]
    assert client_of(analyst).get("/accounts/view-as/", headers={"HX-Request": "true"}).status_code == 403


@pytest.mark.parametrize("name", ["", "nobody-of-this-name", "admin", "\x00", "x" * 5000])
def test_refusals_stand_by_the_form(as_admin: Client, name: str) -> None:
    answer = as_admin.post("/accounts/view-as/", {"person": name})
    assert answer.status_code == 422
    assert 'role="alert"' in text_of(answer)
    assert not Viewing.objects.exists()


def test_not_as_a_person_who_is_deactivated(as_admin: Client, analyst: User) -> None:
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    answer = as_admin.post("/accounts/view-as/", {"person": analyst.username})
    assert (answer.status_code, "is deactivated" in text_of(answer)) == (422, True)


def test_a_token_is_nobody_elses(admin: User, as_admin: Client, analyst: User) -> None:
    begin(as_admin, analyst)
    api = Api(admin)
    assert api.get("/me/").json()["username"] == "admin"
    # Nor in a browser that looks at the portal as somebody else.
    alert = make_alert()
    headers = {"Authorization": api.headers["Authorization"]}
    assert as_admin.get("/api/v1/me/", headers=headers).json()["username"] == "admin"
    path = f"/api/v1/alerts/{alert.pk}/claim/"
    claimed = as_admin.post(path, {}, content_type="application/json", headers=headers)
    assert claimed.json()["owner"] == "admin"
    admin.token_scopes = frozenset({"manage_people"})
    with pytest.raises(CaseError):
        actions.start(admin, analyst.username)


def test_the_form_names_people_and_takes_a_link(as_admin: Client, analyst: User) -> None:
    page = text_of(as_admin.get("/accounts/view-as/?person=mara"))
    assert 'value="mara"' in page
    assert "Mara Lindqvist" in page


@pytest.mark.django_db(transaction=True)
def test_the_database_writes_nothing_for_a_page(as_admin: Client, analyst: User, monkeypatch: Any) -> None:
    """Whatever a page might do on the way: here a list that writes."""
    from cases.views import incidents

    alert = make_alert()
    begin(as_admin, analyst)

    def writes(*_args: object) -> Any:
        Alert.objects.filter(pk=alert.pk).update(title="Written")

    with monkeypatch.context() as patch:
        patch.setattr(incidents, "_context", writes)
        answer = as_admin.get("/incidents/")
    assert answer.status_code == 403
    assert "read only" in text_of(answer)
    assert Alert.objects.get().title == alert.title
    # The connection writes again for whoever comes next.
    as_admin.post("/accounts/view-as/stop/")
    assert client_of(analyst).post(f"/alerts/{alert.number}/claim/").status_code in (200, 302)
    assert Alert.objects.get().owner == analyst


def test_looking_as_somebody_else_opens_no_restricted_incident(as_admin: Client, admin: User, analyst: User) -> None:
    """That is what breaking the glass is for: with a reason, told to the owners."""
    alert = make_alert("Secret alert")
    secret = make_incident("Top secret", alert)
    type(secret).objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.update(restricted=True)
    assign_perm("cases.view_incident", analyst, secret)
    assert client_of(analyst).get(f"/incidents/{secret.number}/").status_code == 200
    begin(as_admin, analyst)
    assert as_admin.get(f"/incidents/{secret.number}/").status_code == 404
    assert as_admin.get(f"/alerts/{alert.number}/").status_code == 404
    assert "secret" not in text_of(as_admin.get("/incidents/")).lower()
    # Whoever may see it themselves sees it in the other's view too.
    assign_perm("cases.view_incident", admin, secret)
    assert as_admin.get(f"/incidents/{secret.number}/").status_code == 200


def test_signing_in_by_password_begins_with_ones_own_view(admin: User, analyst: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "admin", "password": PASSWORD})
    begin(browser, analyst)
    browser.post("/accounts/logout/")
    browser.post("/accounts/login/", {"login": "admin", "password": PASSWORD})
    assert browser.get("/api/v1/me/").json()["username"] == "admin"


def test_what_the_person_made_of_a_restricted_incident_is_not_told_to_who_looks_as_them(
    as_admin: Client, admin: User, blue: Team
) -> None:
    manager = make_user("manager", "Auditor", "Analyst", teams=("Blue",))
    secret, plain = make_incident("Payroll theft", team=blue), make_incident("Printer", team=blue)
    for incident in (secret, plain):
        ExportJob.objects.create(user=manager, incident=incident, format="pdf", message="no room")
    restriction.restrict(Actor.of(make_user("root", "Admin")), secret.pk)
    grant(None, INCIDENT, secret.number, manager, "view")
    create_token(manager, "scanner", actor=manager)
    assert secret.number in text_of(client_of(manager).get("/exports/"))
    begin(as_admin, manager)
    shown = text_of(as_admin.get("/exports/"))
    assert plain.number in shown and secret.number not in shown
    assert [row["incident"] for row in as_admin.get("/api/v1/exports/").json()["results"]] == [plain.number]
    job = ExportJob.objects.get(incident=secret)
    assert as_admin.get(f"/api/v1/exports/{job.pk}/").status_code == 404
    refused = as_admin.get("/api/v1/tokens/")
    assert refused.status_code == 403 and "scanner" not in text_of(refused)
