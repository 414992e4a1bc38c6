"""Owners of an incident, at most 50, and who leads (casework.md 6)."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from cases.actions import incidents
from cases.actors import Actor
from cases.errors import Refused
from cases.models import Incident, IncidentUserPermission
from cases.models.incident import IncidentOwner
from cases.permissions import owners_for
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    """Without owners."""
    return make_incident("Case", team=blue)


def owners(incident: Incident) -> list[tuple[str, bool]]:
    """User names and who leads, the lead first."""
    return list(incident.owner_rows.values_list("user__username", "lead"))


def post(client: Client, incident: Incident, **fields: str) -> int:
    """The status of the plain form."""
    return client.post(f"/incidents/{incident.number}/owners/", fields).status_code


def test_add_lead_remove_by_plain_forms(as_analyst: Client, incident: Incident, analyst: User, responder: User) -> None:
    assert post(as_analyst, incident, add="mara") == 302
    assert post(as_analyst, incident, add="priya") == 302
    assert post(as_analyst, incident, lead="priya") == 302
    assert owners(incident) == [("priya", True), ("mara", False)]
    assert post(as_analyst, incident, lead="mara") == 302
    assert owners(incident) == [("mara", True), ("priya", False)]
    assert post(as_analyst, incident, lead="") == 302
    assert post(as_analyst, incident, remove="mara") == 302
    assert owners(incident) == [("priya", False)]
    assert incident.timeline.filter(kind="incident.owners").count() == 6


def test_htmx_answers_the_box(as_analyst: Client, incident: Incident, responder: User) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/owners/", {"add": "priya"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="incident-owners"' in text
    assert "Priya Raman" in text
    assert 'id="live"' in text


def test_twice_is_one_owner(as_analyst: Client, incident: Incident, responder: User) -> None:
    for _ in range(2):
        assert post(as_analyst, incident, add="priya") == 302
    assert owners(incident) == [("priya", False)]
    assert incident.timeline.filter(kind="incident.owners").count() == 1


@pytest.mark.parametrize("name", ["nobody-here", "\x00", "x" * 400])
def test_unknown_people_are_named_beside_the_form(as_analyst: Client, incident: Incident, name: str) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/owners/", {"add": name}, headers=HTMX)
    assert answer.status_code == 422
    assert "There is no active user" in answer.content.decode()
    assert owners(incident) == []


def test_a_disabled_person_cannot_be_added_but_removed(as_analyst: Client, incident: Incident, responder: User) -> None:
    post(as_analyst, incident, add="priya")
    responder.is_active = False
    responder.save()
    assert post(as_analyst, incident, lead="priya") == 400
    assert post(as_analyst, incident, remove="priya") == 302
    assert owners(incident) == []


def test_fifty_and_no_more(as_analyst: Client, incident: Incident) -> None:
    people = [make_user() for _ in range(51)]
    IncidentOwner.objects.bulk_create([IncidentOwner(incident=incident, user=user) for user in people[:50]])
    answer = as_analyst.post(f"/incidents/{incident.number}/owners/", {"add": people[50].username}, headers=HTMX)
    assert answer.status_code == 422
    assert "at most 50 owners" in answer.content.decode()
    assert len(owners(incident)) == 50


def test_an_owner_of_another_team_sees_it(as_stranger: Client, incident: Incident, stranger: User) -> None:
    from cases.actions import incidents

    assert as_stranger.get(f"/incidents/{incident.number}/").status_code == 404
    incidents.owners(Actor.system(), incident.pk, add=[stranger])
    assert as_stranger.get(f"/incidents/{incident.number}/").status_code == 200


def test_people_who_may_not_work_on_cases_are_neither_offered_nor_taken(
    as_analyst: Client, incident: Incident, viewer: User, nobody: User, responder: User, stranger: User
) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/?opened=owners").content.decode()
    offered = page.partition('id="owner-name"')[2].partition("</select>")[0]
    assert "Priya Raman" in offered
    assert f'value="{stranger.username}"' in offered, "owning gives sight"
    for user in (viewer, nobody):
        assert f'value="{user.username}"' not in offered
        for fields in ({"add": user.username}, {"lead": user.username}):
            answer = as_analyst.post(f"/incidents/{incident.number}/owners/", fields, headers=HTMX)
            assert answer.status_code == 422
            assert "may not work on cases" in answer.content.decode()
            answer = Api(User.objects.get(username="mara")).post(
                f"/incidents/{incident.pk}/owners/", {"add": [user.username]}
            )
            assert answer.status_code == 400
            assert "may not work on cases" in answer.json()["detail"]
    assert owners(incident) == []


def test_a_restricted_incident_is_owned_by_those_who_were_let_in(incident: Incident, admin: User) -> None:
    let_in, other = make_user("lena"), make_user("otto")
    levels = Permission.objects.filter(codename__in=("view_incident", "comment_incident"))
    for user in (let_in, admin):
        for level in levels:
            IncidentUserPermission.objects.create(user=user, permission=level, content_object=incident)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    incident.refresh_from_db()
    assert set(owners_for(incident)) == {let_in, admin}
    with pytest.raises(Refused, match="is restricted and otto may not work on it"):
        incidents.owners(Actor.system(), incident.pk, add=[other])
    incidents.owners(Actor.system(), incident.pk, add=[let_in])
    assert owners(incident) == [("lena", False)]
