"""The pages of who sees a thing and why; granting, restricting and breaking the glass in a browser (access.md 5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import restriction
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.models import Incident, IncidentUserPermission
from playbooks.models import Playbook
from soar.accounts.access import actions
from soar.accounts.access.kinds import Grantable, kinds
from soar.accounts.access.rows import grants_on
from soar.accounts.actions import roles
from soar.accounts.models import Team, User
from soar.connectors import actions as connectors
from soar.connectors.models import ConnectorAccount
from tests.factories import make_alert, make_incident, make_source, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case(red: Team) -> Incident:
    """An incident of team Red."""
    return make_incident("Red business", make_alert("Red one", team=red), team=red)


@pytest.fixture(params=["incident", "source", "playbook", "connector"])
def page(request: pytest.FixtureRequest, case: Incident, red: Team) -> str:
    """The address of the page of a thing of each kind."""
    if request.param == "incident":
        return f"/incidents/{case.number}/access/"
    if request.param == "source":
        return f"/sources/{make_source('Of Red', team=red).slug}/access/"
    if request.param == "playbook":
        return f"/playbooks/{Playbook.objects.create(name='Contain', trigger='manual').pk}/access/"
    made = connectors.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    return f"/connectors/{made.pk}/access/"


def thing_of(page: str) -> tuple[Any, Grantable]:
    """The thing whose page this is, and its kind."""
    _, plural, ref, _, _ = page.split("/")
    kind = kinds()[plural.removesuffix("s")]
    return kind.found(ref).get(), kind


def levels(incident: Incident) -> dict[str, str]:
    return {one.key: one.level for one in grants_on(INCIDENT, incident)}


def test_who_does_not_see_the_thing_finds_no_page(nobody: User, page: str) -> None:
    browser = client_of(nobody)
    for tail in ("", "search/", "close/"):
        assert browser.get(page + tail).status_code == 404
    for tail in ("grant/", "copy/", f"user-{nobody.pk}/change/", f"user-{nobody.pk}/revoke/"):
        assert browser.post(page + tail, {"who": "nobody", "level": "manage"}).status_code == 404
    assert Client().get(page).status_code == 302


def test_who_only_sees_it_reads_the_page_and_changes_nothing(as_stranger: Client, viewer: User, case: Incident) -> None:
    page = f"/incidents/{case.number}/access/"
    answer = as_stranger.get(page)
    assert answer.status_code == 200
    assert not answer.context["may_manage"]
    assert [one.user.username for one in answer.context["people"]] == ["sam"]
    assert as_stranger.post(f"{page}grant/", {"who": "jonas", "level": "view"}).status_code == 403
    assert as_stranger.get(f"{page}search/?who=jo").status_code == 403
    assert as_stranger.get(f"{page}?ask=jonas").context["answer"] == ""
    assert levels(case) == {}


def test_a_grant_is_made_changed_and_revoked_without_scripts(as_admin: Client, viewer: User, page: str) -> None:
    made = as_admin.post(f"{page}grant/", {"who": "jonas", "level": "manage", "days": "7", "reason": "Counsel"})
    assert made.status_code == 302
    answer = as_admin.get(page)
    person = next(one for one in answer.context["people"] if one.user == viewer)
    assert person.grant.level == "manage"
    assert timedelta(days=6) < person.grant.expires_at - timezone.now() < timedelta(days=8)
    assert "“Counsel”" in answer.content.decode()
    row = f"{page}user-{viewer.pk}/"
    assert as_admin.post(f"{row}change/", {"level": "manage", "days": ""}).status_code == 302
    assert next(one for one in as_admin.get(page).context["people"] if one.grant).grant.expires_at is None
    assert as_admin.post(f"{row}revoke/").status_code == 302
    assert not any(one.grant for one in as_admin.get(page).context["people"])
    assert as_admin.post(f"{row}revoke/").status_code == 404
    for tail in ("grant/", "copy/", f"user-{viewer.pk}/revoke/", f"user-{viewer.pk}/change/"):
        assert as_admin.get(page + tail).status_code == 405


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"who": "", "level": "view"}, "who"),
        ({"who": "nobody here", "level": "view"}, "who"),
        ({"who": "group:None such", "level": "view"}, "who"),
        ({"who": "jo\x00", "level": "view"}, "who"),
        ({"who": "jonas", "level": "own"}, "level"),
        ({"who": "jonas", "level": "view", "days": "4000000"}, "days"),
        ({"who": "jonas", "level": "view", "reason": "x" * 301}, "reason"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    as_admin: Client, viewer: User, case: Incident, given: dict[str, str], field: str
) -> None:
    for headers in ({}, HTMX):
        answer = as_admin.post(f"/incidents/{case.number}/access/grant/", given, headers=headers)
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
    assert levels(case) == {}


def test_only_what_one_may_give_is_offered(viewer: User, page: str, red: Team) -> None:
    """Whoever manages people gives no more than they hold; the one who is let in to manage gives all."""
    roles.create(None, "Helpdesk", permissions=["manage_people", "view_cases", "run_playbooks"])
    helper, keeper = make_user("hella", "Helpdesk", teams=("Red",)), make_user("kim", "Viewer", teams=("Red",))
    thing, kind = thing_of(page)
    top = kind.levels[-1]
    actions.grant(None, kind, kind.ref(thing), keeper, top)
    for one in (viewer, helper):
        actions.grant(None, kind, kind.ref(thing), one, kind.levels[0])
    browser = client_of(helper)
    answer = browser.get(page)
    shown = answer.content.decode()
    offered = [kind.levels[0], *(["run"] if kind.name == "playbook" else [])]
    assert [value for value, _label in answer.context["form"].fields["level"].widget.choices] == offered
    assert f'aria-label="Level of {viewer.display_name()}"' in shown  # whose grant they change
    assert "Level of kim" not in shown and f"user-{keeper.pk}/revoke" not in shown  # and whose they cannot
    assert "Restrict…" not in shown
    make_user("mia", "Viewer", teams=("Red",))
    refused = browser.post(f"{page}grant/", {"who": "mia", "level": top})
    assert refused.status_code == 422
    assert refused.context["form"].errors["level"] == [f"You do not hold “{top}” on {kind.title(thing)} yourself."]
    assert browser.post(f"{page}user-{keeper.pk}/revoke/").status_code == 422
    assert client_of(keeper).get(page).context["form"].fields["level"].widget.choices[-1] == (top, top)


def test_a_group_is_granted_to_and_its_people_see_why(
    as_admin: Client, analyst: User, viewer: User, blue: Team, case: Incident
) -> None:
    page = f"/incidents/{case.number}/access/"
    answer = as_admin.post(f"{page}grant/", {"who": "group:Blue", "level": "comment"}, headers=HTMX)
    assert answer.status_code == 200
    assert [(one.name, one.level, size) for one, size in answer.context["groups"]] == [("Blue", "comment", 2)]
    why = {one.user.username: [reason.text for reason in one.reasons] for one in answer.context["people"]}
    assert why["mara"] == why["jonas"] == ["Blue"]
    assert client_of(viewer).get(page).status_code == 200


def test_names_are_found_while_typing(as_admin: Client, analyst: User, blue: Team, case: Incident) -> None:
    page = f"/incidents/{case.number}/access/search/"
    assert as_admin.get(page, {"who": "bl"}).content.decode().strip() == '<option value="group:Blue">Team</option>'
    assert '<option value="mara">Mara Lindqvist</option>' in as_admin.get(page, {"who": "lindq"}).content.decode()
    make_user("sly", first_name='"><b>', last_name="x")
    assert "<b>" not in as_admin.get(page, {"who": "sly"}).content.decode()
    assert as_admin.get(f"/incidents/{case.number}/access/search/?who=%00x").status_code in (200, 400)


def test_can_somebody_see_it(as_admin: Client, analyst: User, stranger: User, case: Incident) -> None:
    page = f"/incidents/{case.number}/access/"
    answer = as_admin.get(page, {"ask": "mara"}).context["answer"]
    assert (answer.level, answer.reasons) == ("", [])
    answer = as_admin.get(page, {"ask": "Sam Stranger"}).context["answer"]
    assert (answer.level, [one.text for one in answer.reasons]) == ("close", ["Team Red"])
    assert "There is no active person" in as_admin.get(page, {"ask": "who"}).context["answer"]


def test_a_grant_that_gives_nothing_says_so(as_admin: Client, admin: User, nobody: User, case: Incident) -> None:
    actions.grant(admin, INCIDENT, case.number, nobody, "edit")
    person = next(one for one in as_admin.get(f"/incidents/{case.number}/access/").context["people"] if one.grant)
    assert (person.level, person.hindrance) == ("", "role")


def test_restricting_says_who_loses_sight(as_admin: Client, stranger: User, case: Incident) -> None:
    page = f"/incidents/{case.number}/access/close/"
    asked = as_admin.get(page, headers=HTMX)
    assert (asked.context["lost"], asked.context["closed"]) == (1, False)  # not who asks: they will manage it
    held = {one.text: one.people for one in asked.context["held"]}
    assert held["Team Red"] == 1 and 0 not in held.values()
    assert as_admin.post(page, {"reason": "x" * 301}).status_code == 422
    done = as_admin.post(page, {"reason": "Legal asked"}, headers=HTMX)
    assert done["HX-Redirect"] == f"/incidents/{case.number}/access/"
    case.refresh_from_db()
    assert case.restricted
    answer = as_admin.get(f"/incidents/{case.number}/access/")
    assert [one.user.username for one in answer.context["people"]] == ["admin"]
    assert answer.context["lost"] == 1
    assert as_admin.post(page, {"reason": ""}).status_code == 302
    case.refresh_from_db()
    assert not case.restricted


def test_the_last_manager_of_a_restricted_incident_is_told_to_stay(
    as_admin: Client, admin: User, case: Incident
) -> None:
    restriction.restrict(Actor.of(admin), case.pk)
    answer = as_admin.post(f"/incidents/{case.number}/access/user-{admin.pk}/revoke/", headers=HTMX)
    assert answer.status_code == 422
    assert "would be left without anybody" in answer.context["problem"]["text"]
    assert levels(case) == {"admin": "manage"}


def test_who_gives_their_own_sight_away_is_led_to_the_list(
    as_admin: Client, admin: User, stranger: User, case: Incident
) -> None:
    restriction.restrict(Actor.of(admin), case.pk)
    actions.grant(admin, INCIDENT, case.number, stranger, "manage")
    answer = as_admin.post(f"/incidents/{case.number}/access/user-{admin.pk}/revoke/")
    assert (answer.status_code, answer["Location"]) == (302, "/incidents/")


def test_a_connector_is_restricted_too(as_admin: Client, admin: User, responder: User) -> None:
    made = connectors.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": "t" * 20})
    page = f"/connectors/{made.pk}/access/"
    assert {"priya", "admin"} <= {one.user.username for one in as_admin.get(page).context["people"]}
    assert as_admin.post(f"{page}close/", {"reason": "Test"}).status_code == 302
    assert ConnectorAccount.objects.get(pk=made.pk).restricted
    assert {one.user.username for one in as_admin.get(page).context["people"]} == {"admin"}


def test_a_source_cannot_be_restricted(as_admin: Client, red: Team) -> None:
    source = make_source("Of Red", team=red)
    assert as_admin.get(f"/sources/{source.slug}/access/close/").status_code == 404


def test_the_glass_is_broken_on_a_page_of_its_own(
    as_admin: Client, admin: User, as_analyst: Client, case: Incident
) -> None:
    other = make_user("otto", "Admin")
    restriction.restrict(Actor.of(admin), case.pk)
    browser = client_of(other)
    assert browser.get(f"/incidents/{case.number}/access/").status_code == 404
    assert as_analyst.get("/incidents/break-glass/").status_code == 403
    assert browser.get("/incidents/break-glass/").status_code == 200
    for given in (
        {"incident": case.number, "reason": ""},
        {"incident": "INC-999999", "reason": "Needed"},
        {"incident": "what", "reason": "Needed"},
    ):
        assert browser.post("/incidents/break-glass/", given).status_code == 422
    done = browser.post("/incidents/break-glass/", {"incident": case.number, "reason": "Owner is ill"})
    assert (done.status_code, done["Location"]) == (302, f"/incidents/{case.number}/")
    answer = browser.get(f"/incidents/{case.number}/access/")
    assert answer.status_code == 200
    assert "Broke the glass" in answer.content.decode()


def test_five_hundred_grants_are_paged_with_few_queries(as_admin: Client, case: Incident) -> None:
    people = User.objects.bulk_create([User(username=f"guest{n:03}", first_name=f"Guest {n:03}") for n in range(500)])
    ids = {name: pk for name, pk in _permissions().items() if name in ("view_incident", "comment_incident")}
    IncidentUserPermission.objects.bulk_create(
        IncidentUserPermission(user=user, permission_id=pk, content_object=case)
        for user in people
        for pk in ids.values()
    )
    page = f"/incidents/{case.number}/access/"
    as_admin.get(page)
    with counted("incident access"):
        answer = as_admin.get(page)
    assert (answer.context["total"], len(answer.context["people"])) == (501, 25)
    last = as_admin.get(page, {"page": "21"})
    assert len(last.context["people"]) == 1
    assert not last.context["older"]
    for odd in ("0", "-3", "x", "99999999999"):
        assert as_admin.get(page, {"page": odd}).status_code == 200
    assert re.search(r"501", answer.content.decode())


def _permissions() -> dict[str, int]:
    from django.contrib.auth.models import Permission

    return dict(Permission.objects.filter(content_type__app_label="cases").values_list("codename", "pk"))
