"""What a grant on one alert source lets its holder do, and what it does not (access.md 3, rulings 20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from guardian.shortcuts import assign_perm

from cases.models import AlertSource, DeadLetter, SuppressionRule
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def anew(user: User) -> User:
    return User.objects.get(pk=user.pk)


def letter_of(source: AlertSource, body: bytes = b"not json") -> DeadLetter:
    return DeadLetter.objects.create(
        source=source, body=body, size=len(body), kept=len(body), status=400, error="Unreadable"
    )


@pytest.fixture
def theirs(red: Team) -> AlertSource:
    return make_source("Red's own", team=red)


@pytest.fixture
def other(red: Team) -> AlertSource:
    return make_source("Red's other", team=red)


def grant(user: User, source: AlertSource, *levels: str, ends: Any = None) -> None:
    for level in levels:
        row: Any = assign_perm(f"cases.{level}_source", user, source)
        type(row).objects.filter(pk=row.pk).update(expires_at=ends)


PAGES = ("", "edit/", "mapping/", "dead-letters/")


def test_who_manages_one_source_sets_up_just_that(viewer: User, theirs: AlertSource, other: AlertSource) -> None:
    grant(viewer, theirs, "view", "manage")
    browser = client_of(viewer)
    page = browser.get("/sources/").content.decode()
    assert theirs.name in page.replace("&#x27;", "'")
    assert "other" not in page
    assert "/sources/new/" not in page
    assert 'href="/sources/"' in browser.get("/alerts/").content.decode()  # in the navigation
    for path in PAGES:
        assert browser.get(f"/sources/{theirs.slug}/{path}").status_code == 200, path
        assert browser.get(f"/sources/{other.slug}/{path}").status_code == 403, path
    assert browser.get("/sources/new/").status_code == 403
    rotated = browser.post(f"/sources/{theirs.slug}/rotate/", {"overlap_hours": "0"})
    assert rotated.status_code == 201
    assert theirs.tokens.count() == 1
    assert browser.post(f"/sources/{other.slug}/rotate/", {"overlap_hours": "0"}).status_code == 403
    assert other.tokens.count() == 0


def test_the_same_by_the_api(viewer: User, theirs: AlertSource, other: AlertSource) -> None:
    problem_of(Api(viewer).get("/sources/"), 403)
    grant(viewer, theirs, "view", "manage")
    api = Api(anew(viewer))
    assert [row["slug"] for row in api.get("/sources/").json()["results"]] == [theirs.slug]
    assert api.get(f"/sources/{theirs.slug}/").status_code == 200
    refused = problem_of(api.get(f"/sources/{other.slug}/"), 403)
    nothing = problem_of(api.get("/sources/no-such-source/"), 403)
    assert refused["detail"] == nothing["detail"]  # what is there is not told from what is not
    mapping = api.get(f"/sources/{theirs.slug}/mapping/")
    assert mapping.status_code == 200
    problem_of(api.get(f"/sources/{other.slug}/mapping/"), 403)


def test_dead_letters_of_that_source_alone(viewer: User, theirs: AlertSource, other: AlertSource) -> None:
    own, foreign = letter_of(theirs), letter_of(other, b"secret of another")
    grant(viewer, theirs, "view", "manage")
    api, browser = Api(viewer), client_of(viewer)
    assert [row["id"] for row in api.get("/dead-letters/").json()["results"]] == [own.pk]
    assert api.get(f"/dead-letters/{own.pk}/").status_code == 200
    problem_of(api.get(f"/dead-letters/{foreign.pk}/"), 403)
    assert browser.get(f"/sources/dead-letters/{own.pk}/").status_code == 200
    assert browser.get(f"/sources/dead-letters/{foreign.pk}/").status_code == 403
    page = browser.get("/sources/dead-letters/").content.decode()
    assert f"/sources/dead-letters/{own.pk}/" in page
    assert f"/sources/dead-letters/{foreign.pk}/" not in page


@pytest.mark.parametrize("how", ["view only", "expired", "taken away", "scope"])
def test_less_is_not_enough(viewer: User, theirs: AlertSource, how: str) -> None:
    levels = ("view",) if how == "view only" else ("view", "manage")
    grant(viewer, theirs, *levels, ends=Now() - timedelta(seconds=1) if how == "expired" else None)
    if how == "taken away":
        viewer.groups.clear()  # without a role nothing, whatever was granted (rulings 20)
    api = Api(anew(viewer), scopes=("view_cases",) if how == "scope" else ())
    for path in ("/sources/", f"/sources/{theirs.slug}/", "/dead-letters/"):
        problem_of(api.get(path), 403)
    if how != "scope":
        browser = client_of(anew(viewer))
        for path in ("/sources/", f"/sources/{theirs.slug}/", f"/sources/{theirs.slug}/mapping/"):
            assert browser.get(path).status_code == 403


def test_a_team_that_manages_a_source(viewer: User, blue: Team, theirs: AlertSource) -> None:
    for level in ("view", "manage"):
        assign_perm(f"cases.{level}_source", blue.group, theirs)
    assert client_of(viewer).get(f"/sources/{theirs.slug}/").status_code == 200


def rule(**more: Any) -> dict[str, Any]:
    until = (clock.now() + timedelta(hours=5)).isoformat()
    return {"name": "Quiet", "reason": "Tests", "expires_at": until, **more}


def test_who_manages_a_source_may_hold_back_what_comes_from_it(
    viewer: User, red: Team, theirs: AlertSource, other: AlertSource
) -> None:
    body = rule(conditions={"source": [theirs.slug]}, team="Red")
    problem_of(Api(viewer).post("/suppression-rules/", body), 403)
    grant(viewer, theirs, "view", "manage")
    api = Api(anew(viewer))
    made = api.post("/suppression-rules/", body)
    assert made.status_code == 201, made.content
    assert [row["id"] for row in api.get("/suppression-rules/").json()["results"]] == [made.json()["id"]]
    # Not of another source, nor of all there are.
    for conditions in ({"source": [theirs.slug, other.slug]}, {"host": ["WEB-1"]}):
        problem_of(api.post("/suppression-rules/", rule(conditions=conditions, all_teams=True)), 403)
    assert SuppressionRule.objects.count() == 1


def test_a_source_that_one_does_not_see_is_none_to_a_rule(analyst: User, theirs: AlertSource) -> None:
    api = Api(analyst)
    answers = [
        problem_of(api.post("/suppression-rules/", rule(conditions={"source": [slug]}, team="Blue")), 400)
        for slug in (theirs.slug, "no-such-source")
    ]
    assert {answer["detail"].replace(theirs.slug, "X").replace("no-such-source", "X") for answer in answers} == {
        answers[0]["detail"].replace(theirs.slug, "X")
    }
    assert not SuppressionRule.objects.exists()


def test_the_filter_offers_and_knows_sources_that_one_sees(
    analyst: User, theirs: AlertSource, other: AlertSource
) -> None:
    make_alert("Theirs", source=theirs)
    grant(analyst, theirs, "view")
    browser: Client = client_of(analyst)
    page = browser.get("/alerts/").content.decode()
    assert f'value="{theirs.slug}"' in page
    assert f'value="{other.slug}"' not in page
    told = browser.get("/alerts/", {"source": other.slug}).content.decode()
    assert f"There is no source {other.slug} any more." in told
    assert "There is no source" not in browser.get("/alerts/", {"source": theirs.slug}).content.decode()
