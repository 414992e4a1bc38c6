"""What a grant on one playbook lets its holder do, and what it does not (access.md 3, rulings 20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from guardian.shortcuts import assign_perm

from cases.actors import Actor
from cases.errors import Forbidden
from playbooks import publishers
from playbooks.actions import definitions, graphs, runs
from playbooks.models import Playbook, Run
from playbooks.permissions import PLAYBOOK, holding, holds, holds_any
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.drawn import graph, published, tag
from tests.factories import make_alert, make_source, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
ORDER = ("view", "run", "edit", "manage")


def anew(user: User) -> User:
    return User.objects.get(pk=user.pk)


def grant(user: Any, playbook: Playbook, level: str, ends: Any = None) -> None:
    """As the pages do: a row for each level up to it."""
    for name in ORDER[: ORDER.index(level) + 1]:
        row: Any = assign_perm(f"playbooks.{name}_playbook", user, playbook)
        type(row).objects.filter(pk=row.pk).update(expires_at=ends)


@pytest.fixture
def one(author: User) -> Playbook:
    make_source()  # one that delivers, or nothing could be switched on
    return published(author, graph("The one", tag("n1", "seen")), on=True)


@pytest.fixture
def another(author: User) -> Playbook:
    return published(author, graph("Another", tag("n1", "seen")), on=True)


@pytest.mark.parametrize("level", ORDER)
def test_a_level_contains_the_former_and_no_more(viewer: User, one: Playbook, another: Playbook, level: str) -> None:
    grant(viewer, one, level)
    for name in ORDER:
        expected = name == "view" or ORDER.index(name) <= ORDER.index(level)
        assert holds(anew(viewer), one, name) is expected, name
        assert holds(anew(viewer), another, name) is (name == "view")
        assert (one in holding(anew(viewer), name)) is expected
        assert holds_any(anew(viewer), name) is expected


def test_what_roles_give(admin: User, author: User, analyst: User, viewer: User, nobody: User, one: Playbook) -> None:
    held = {person.username: [name for name in ORDER if holds(person, one, name)] for person in (
        admin, author, analyst, viewer, nobody
    )}  # fmt: skip
    assert held == {
        "admin": [*ORDER], "tomas": ["view", "run", "edit"], "mara": ["view", "run"], "jonas": ["view"], "nobody": [],
    }  # fmt: skip
    grant(nobody, one, "manage")  # without a role nothing (rulings 20)
    assert not holds(anew(nobody), one, "view")
    assert not holding(anew(nobody), "view").exists()


@pytest.mark.parametrize("how", ["expired", "scope", "inactive"])
def test_a_grant_that_does_not_count(viewer: User, one: Playbook, how: str) -> None:
    grant(viewer, one, "manage", ends=Now() - timedelta(seconds=1) if how == "expired" else None)
    if how == "inactive":
        User.objects.filter(pk=viewer.pk).update(is_active=False)
    person = anew(viewer)
    person.token_scopes = frozenset({"view_cases"}) if how == "scope" else None
    assert not holds(person, one, "run")
    assert not PLAYBOOK.any_granted(person, "run")
    assert not holding(person, "edit").exists()


def test_a_team_is_let_in(viewer: User, blue: Team, one: Playbook) -> None:
    grant(blue.group, one, "run")
    assert holds(viewer, one, "run")


def test_run_lets_run_just_that_one(viewer: User, one: Playbook, another: Playbook) -> None:
    alert = make_alert()
    grant(viewer, one, "run")
    api, browser = Api(viewer), client_of(viewer)
    assert api.post(f"/alerts/{alert.pk}/run/", {"playbook": one.name}).status_code in (200, 201)
    problem_of(api.post(f"/alerts/{alert.pk}/run/", {"playbook": another.name}), 403)
    assert Run.objects.get().playbook == one
    problem_of(api.post(f"/playbooks/{one.pk}/disable/"), 403)
    box = browser.get(f"/alerts/{alert.number}/runs/", headers={"HX-Request": "true"}).content.decode()
    assert f'name="playbook" value="{one.pk}"' in box
    assert f'name="playbook" value="{another.pk}"' not in box
    assert "may run playbooks" not in browser.get(f"/playbooks/{one.pk}/").content.decode()
    assert "may run playbooks" in browser.get(f"/playbooks/{another.pk}/").content.decode()
    # Its runs can be cancelled, those of others not.
    run = Run.objects.get()
    assert api.post(f"/runs/{run.pk}/cancel/").status_code == 200
    foreign = runs.run_by_hand(Actor.system(), another, alert=alert, ring=False)
    problem_of(api.post(f"/runs/{foreign.pk}/cancel/"), 403)


def test_edit_lets_change_and_switch_just_that_one(viewer: User, one: Playbook, another: Playbook) -> None:
    grant(viewer, one, "edit")
    api, browser = Api(viewer), client_of(viewer)
    assert api.patch(f"/playbooks/{one.pk}/", {"description": "Better"}).status_code == 200
    problem_of(api.patch(f"/playbooks/{another.pk}/", {"description": "Better"}), 403)
    assert api.post(f"/playbooks/{one.pk}/disable/").status_code == 200
    problem_of(api.post(f"/playbooks/{another.pk}/disable/"), 403)
    assert browser.get(f"/playbooks/{one.pk}/edit/").status_code == 200
    assert browser.get(f"/playbooks/{another.pk}/edit/").status_code == 403
    page = browser.get("/playbooks/").content.decode()
    assert f'action="/playbooks/{one.pk}/' in page
    assert "/playbooks/new/" not in page
    # Neither a new one, nor a copy, nor deleting it for others, nor the files.
    problem_of(api.post("/playbooks/", graph("New", tag("n1", "seen"))), 403)
    problem_of(api.post(f"/playbooks/{one.pk}/duplicate/"), 403)
    problem_of(api.delete(f"/playbooks/{one.pk}/"), 403)
    problem_of(api.post("/playbooks/reload/"), 403)
    grant(viewer, one, "manage")
    assert Api(anew(viewer)).delete(f"/playbooks/{one.pk}/").status_code == 204


def test_its_automatic_runs_end_with_the_grant_of_who_published_it(viewer: User, one: Playbook) -> None:
    grant(viewer, one, "edit")
    graphs.change_draft(Actor.of(anew(viewer)), one, lambda draft: draft, number=None)
    Playbook.objects.filter(pk=one.pk).update(published_by=viewer)
    one.refresh_from_db()
    assert publishers.still_entitled(one)
    grant(viewer, one, "edit", ends=Now() - timedelta(seconds=1))
    one.refresh_from_db()
    assert not publishers.still_entitled(one)
    one.refresh_from_db()
    assert "lost the right" in one.deactivated_reason


def test_to_change_nothing_is_also_refused(one: Playbook) -> None:
    reader = make_user("reader", "Viewer")
    for act in (definitions.enable, definitions.disable, graphs.archive, graphs.delete):
        with pytest.raises(Forbidden):
            act(Actor.of(reader), one)
