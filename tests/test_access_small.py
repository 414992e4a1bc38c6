"""Small things of access: revoking by name, copying past people who left, names that are not told."""

from __future__ import annotations

import pytest
from guardian.shortcuts import assign_perm

from cases.actions import holds
from cases.actors import Actor
from cases.models import Incident, RetentionRule
from soar.accounts.models import GrantJob, Team, User
from soar.lib import clock
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_incident, make_source, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(red: Team, viewer: User) -> Incident:
    incident = make_incident("Case", team=red)
    assign_perm("cases.view_incident", viewer, incident)
    assign_perm("cases.edit_incident", red.group, incident)
    return incident


def keys(admin: User, incident: Incident) -> set[str]:
    return {
        one["id"].partition("-")[0] for one in Api(admin).get(f"/incidents/{incident.pk}/grants/").json()["results"]
    }


def test_a_grant_is_revoked_by_the_name_of_its_holder(admin: User, analyst: User, viewer: User, case: Incident) -> None:
    api, path = Api(admin), f"/incidents/{case.pk}/grants/"
    assert wrong_fields(api.delete(path)) == {"user"}
    assert wrong_fields(api.delete(f"{path}?user=jonas&group=Red")) == {"user"}
    assert wrong_fields(api.delete(f"{path}?person=jonas")) == {"person"}
    problem_of(api.delete(f"{path}?user=mara"), 404)
    problem_of(api.delete(f"{path}?user=jonas", {"If-Match": '"0-0"'}), 412)
    for asked in (path, f"{path}?user=jonas"):
        problem_of(Api(analyst).delete(asked), 404)
        problem_of(Api(viewer).delete(asked), 403)
    assert keys(admin, case) == {"user", "group"}
    User.objects.filter(username="jonas").update(is_active=False)  # also of somebody who has left
    assert api.delete(f"{path}?user=jonas").status_code == 204
    assert keys(admin, case) == {"group"}
    assert api.delete(f"{path}?group=red").status_code == 204
    assert keys(admin, case) == set()
    problem_of(api.delete(f"{path}?group=red"), 404)


def test_grants_are_copied_past_people_who_have_left(admin: User, viewer: User, case: Incident) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    other = make_incident("Other")
    answer = Api(admin).post(f"/incidents/{other.pk}/grants/copy/", {"source": case.number})
    assert answer.status_code == 200
    assert keys(admin, other) == {"group"}


def test_a_job_does_not_tell_a_hidden_source_from_none(analyst: User, red: Team) -> None:
    mine, hidden = make_source("Mine", team=red), make_source("Hidden", team=red)
    assign_perm("cases.manage_source", analyst, mine)
    api = Api(analyst)
    asked = {"user": "mara", "level": "view"}
    answers = [
        problem_of(api.post("/sources/grants/bulk/", {**asked, "ids": [slug]}), 400) for slug in (hidden.slug, "none")
    ]
    assert answers[0]["errors"] == answers[1]["errors"]
    assert api.post("/sources/grants/bulk/", {**asked, "ids": [mine.slug, hidden.slug]}).status_code == 202
    assert GrantJob.objects.get().things == [mine.pk]


def test_a_preview_counts_the_holds_that_the_reader_sees(admin: User) -> None:
    holds.place(Actor.of(admin), make_incident("Open to all").pk, "Court order")
    secret = make_incident("Secret")
    holds.place(Actor.of(admin), secret.pk, "Court order")
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    now = clock.now()
    rule = RetentionRule.objects.create(what="alerts", days=30, changed_by="Ada", created_at=now, updated_at=now)
    for person in (admin, make_user("olga", "Auditor")):
        assert Api(person).post(f"/retention-rules/{rule.pk}/preview/", {}).json()["held"] == 1
