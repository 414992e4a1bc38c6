"""Whoever manages people grants on what they see, and no more than they hold (rulings 20)."""

from __future__ import annotations

import pytest

from playbooks.models import Playbook
from soar.accounts.actions import roles
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.models import ConnectorAccount
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def helpdesk(admin: User, blue: Team) -> User:
    """Manages people and reads cases, nothing more."""
    roles.create(admin, "Helpdesk", permissions=["manage_people", "view_cases"])
    return make_user("hedda", "Helpdesk", teams=("Blue",))


def to_myself(level: str) -> dict[str, str]:
    return {"user": "hedda", "level": level}


def test_what_one_does_not_see_is_not_there(helpdesk: User, admin: User, red: Team) -> None:
    source = make_source("Red's", team=red)
    alert = make_alert(source=source)
    account = ConnectorAccount.objects.create(kind="webhook", name="Lake")
    api = Api(helpdesk)
    for thing, level in ((f"/sources/{source.slug}", "manage"), (f"/connectors/{account.pk}", "use")):
        problem_of(api.get(f"{thing}/access/"), 404)
        problem_of(api.get(f"{thing}/grants/"), 404)
        problem_of(api.post(f"{thing}/grants/", to_myself(level)), 404)
    problem_of(api.get(f"/alerts/{alert.number}/"), 404)
    assert not AuditEntry.objects.filter(verb="access.granted").exists()
    assert Api(admin).post(f"/sources/{source.slug}/grants/", to_myself("view")).status_code == 201
    assert api.get(f"/alerts/{alert.number}/").status_code == 200


def test_no_more_than_one_holds(helpdesk: User, admin: User, blue: Team, viewer: User) -> None:
    source, incident = make_source("Blue's", team=blue), make_incident("Case", team=blue)
    playbook = Playbook.objects.create(name="Contain", kind="response", trigger="webhook")
    api = Api(helpdesk)
    things = {f"/sources/{source.slug}": ("manage",), f"/incidents/{incident.number}": ("edit", "manage"),
              f"/playbooks/{playbook.pk}": ("run", "edit", "manage")}  # fmt: skip
    for thing, levels in things.items():
        for level in levels:
            detail = problem_of(api.post(f"{thing}/grants/", to_myself(level)), 403)["detail"]
            assert "yourself" in detail
        assert api.post(f"{thing}/grants/", {"user": viewer.username, "level": "view"}).status_code == 201


def test_what_is_beyond_one_is_neither_lowered_nor_taken_away(
    helpdesk: User, admin: User, blue: Team, viewer: User
) -> None:
    source = make_source("Blue's", team=blue)
    path = f"/sources/{source.slug}/grants/"
    made = Api(admin).post(path, {"user": viewer.username, "level": "manage"}).json()
    api = Api(helpdesk)
    problem_of(api.patch(f"{path}{made['id']}/", {"level": "view"}), 403)
    problem_of(api.post(path, {"user": viewer.username, "level": "view"}), 403)
    problem_of(api.delete(f"{path}{made['id']}/"), 403)
    assert Api(admin).delete(f"{path}{made['id']}/").status_code == 204


def test_a_connector_is_let_to_by_who_manages_connectors(helpdesk: User, admin: User, viewer: User) -> None:
    account = ConnectorAccount.objects.create(kind="webhook", name="Lake")
    path = f"/connectors/{account.pk}/grants/"
    assert Api(admin).post(path, to_myself("use")).status_code == 201
    api = Api(helpdesk)
    assert api.post(path, {"user": viewer.username, "level": "use"}).status_code == 201
    problem_of(api.post(path, to_myself("manage")), 403)
