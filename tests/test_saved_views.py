"""Saved views: who finds and changes them, what they open, and that they never show more than a reader may see."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cases.actions import saved_views
from cases.models import DefaultView, SavedView
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source
from tests.fixtures import client_of


def save(user: User, name: str = "High", query: str = "severity=high", **more: Any) -> int:
    answer = Api(user).post("/views/", {"name": name, "query": query, **more})
    assert answer.status_code == 201, answer.content
    made: int = answer.json()["id"]
    return made


def names(user: User) -> list[str]:
    return [one["name"] for one in Api(user).get("/views/").json()["results"]]


def page(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_one_s_own_is_nobody_else_s(analyst: User, responder: User, admin: User) -> None:
    pk = save(analyst)
    assert names(analyst) == ["High"]
    for other in (responder, admin):
        assert names(other) == []
        problem_of(Api(other).get(f"/views/{pk}/"), 404)
        problem_of(Api(other).patch(f"/views/{pk}/", {"name": "Mine"}), 404)
        problem_of(Api(other).delete(f"/views/{pk}/"), 404)
        assert client_of(other).post(f"/alerts/views/{pk}/", {"do": "delete"}).status_code == 404
    problem_of(Api(None).get("/views/"), 401)


def test_a_team_s_view_is_found_by_its_people_only(analyst: User, responder: User, stranger: User, admin: User) -> None:
    pk = save(analyst, audience="team", team="Blue")
    assert (names(responder), names(stranger)) == (["High"], [])
    problem_of(Api(responder).patch(f"/views/{pk}/", {"name": "Taken"}), 403)
    problem_of(Api(responder).delete(f"/views/{pk}/"), 403)
    assert Api(responder).patch(f"/views/{pk}/", {"default": True}).json()["default"] is True
    Api(analyst).patch(f"/views/{pk}/", {"audience": "me"})
    assert names(responder) == []
    assert "severity=high" not in client_of(responder).get("/alerts/").headers.get("Location", "")


def test_sharing_needs_the_right_to_address_them(analyst: User, viewer: User, admin: User, red: Team) -> None:
    body = {"name": "X", "query": ""}
    problem_of(Api(analyst).post("/views/", {**body, "audience": "all"}), 403)
    problem_of(Api(analyst).post("/views/", {**body, "audience": "team", "team": "Red"}), 403)
    problem_of(Api(viewer).post("/views/", {**body, "audience": "team", "team": "Blue"}), 403)
    problem_of(Api(analyst).post("/views/", {**body, "audience": "team"}), 400)
    assert not SavedView.objects.exists()
    pk = save(admin, audience="all")
    assert names(viewer) == ["High"]
    problem_of(Api(viewer).patch(f"/views/{pk}/", {"query": ""}), 403)


def test_a_shared_view_shows_each_what_they_may_see(analyst: User, stranger: User, admin: User, blue: Team) -> None:
    make_alert("Blue only", source=make_source(team=blue), severity=3)
    pk = save(admin, audience="all")
    found = page(client_of(analyst), f"/alerts/?severity=high&view={pk}")
    assert "Blue only" in found
    assert "Blue only" not in page(client_of(stranger), f"/alerts/?severity=high&view={pk}")


def test_nobody_without_a_role_has_views(nobody: User) -> None:
    problem_of(Api(nobody).get("/views/"), 403)
    problem_of(Api(nobody).post("/views/", {"name": "X"}), 403)
    assert client_of(nobody).get("/alerts/views/").status_code == 403


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"query": ""}, 400, "name"),
        ({"name": "  ", "query": ""}, 400, "name"),
        ({"name": "x" * 61}, 400, "name"),
        ({"name": "X", "query": "severity=huge"}, 400, "query"),
        ({"name": "X", "query": "q=received:never"}, 400, "query"),
        ({"name": "X", "audience": "world"}, 400, "audience"),
        ({"name": "X", "audience": "team", "team": "Nowhere"}, 400, "team"),
        ({"name": "X", "colour": "red"}, 400, "colour"),
    ],
)
def test_what_cannot_be_a_view(analyst: User, body: dict[str, Any], code: int, field: str) -> None:
    assert problem_of(Api(analyst).post("/views/", body), code)["errors"][0]["field"] == field


def test_names_are_one_s_own_and_once(analyst: User, responder: User) -> None:
    save(analyst)
    problem_of(Api(analyst).post("/views/", {"name": "HIGH", "query": ""}), 409)
    save(responder)
    second = save(analyst, "Low", "severity=low")
    problem_of(Api(analyst).patch(f"/views/{second}/", {"name": "high"}), 409)


def test_order(analyst: User, responder: User) -> None:
    one, two, three = (save(analyst, name) for name in ("One", "Two", "Three"))
    theirs = save(responder, "Theirs")
    assert Api(analyst).post("/views/order/", {"views": [three, one]}).status_code == 200
    assert names(analyst) == ["Three", "One", "Two"]
    problem_of(Api(analyst).post("/views/order/", {"views": [theirs]}), 400)
    client_of(analyst).post(f"/alerts/views/{two}/", {"do": "up"})
    assert names(analyst) == ["Three", "Two", "One"]


def test_the_queue_without_a_query_opens_the_default(analyst: User, as_analyst: Client) -> None:
    assert as_analyst.get("/alerts/").status_code == 200
    pk = save(analyst, query="severity=high&sort=newest", default=True)
    for url in ("/alerts/", f"/alerts/?view={pk}"):
        assert as_analyst.get(url)["Location"] == f"/alerts/?severity=high&sort=newest&view={pk}"
    shown = as_analyst.get("/alerts/?q=")
    assert shown.status_code == 200
    assert 'href="/alerts/?q="' in page(as_analyst, f"/alerts/?severity=low&view={pk}")
    assert as_analyst.get("/alerts/?severity=low").status_code == 200
    Api(analyst).patch(f"/views/{pk}/", {"default": False})
    assert as_analyst.get("/alerts/").status_code == 200
    save(analyst, "All", "", default=True)
    assert as_analyst.get(as_analyst.get("/alerts/")["Location"]).status_code == 200


def test_a_default_that_is_gone_or_hidden_opens_the_plain_queue(
    analyst: User, responder: User, as_analyst: Client
) -> None:
    pk = save(responder, audience="team", team="Blue")
    Api(analyst).patch(f"/views/{pk}/", {"default": True})
    assert as_analyst.get("/alerts/").status_code == 302
    analyst.groups.remove(Team.objects.get(name="Blue").group)
    assert client_of(User.objects.get(pk=analyst.pk)).get("/alerts/").status_code == 200
    Api(responder).delete(f"/views/{pk}/")
    assert not DefaultView.objects.exists()
    assert "That view is gone" in page(as_analyst, f"/alerts/?view={pk}")


def test_a_view_that_names_something_gone_says_so(analyst: User, responder: User, as_analyst: Client) -> None:
    source = make_source()
    pk = save(analyst, query=f"source={source.slug}&owner=priya&q=-team:Nowhere")
    url = as_analyst.get(f"/alerts/?view={pk}")["Location"]
    first = page(as_analyst, url)
    assert "There is no team Nowhere" in first
    assert "There is no source" not in first
    source.delete()
    User.objects.filter(pk=responder.pk).update(is_active=False)
    second = page(as_analyst, url)
    assert f"There is no source {source.slug} any more." in second
    assert "No active person has the user name priya." in second


def test_a_changed_filter_offers_to_update_the_view(analyst: User, as_analyst: Client) -> None:
    pk = save(analyst)
    assert 'id="view-update"' not in page(as_analyst, f"/alerts/?severity=high&view={pk}")
    changed = f"/alerts/?severity=low&view={pk}"
    assert 'id="view-update"' in page(as_analyst, changed)
    as_analyst.post(f"/alerts/views/{pk}/", {"do": "query", "query": "severity=low"})
    assert SavedView.objects.get().query == "severity=low"
    as_analyst.post(f"/alerts/views/{pk}/", {"do": "query", "query": "severity=huge"})
    assert SavedView.objects.get().query == "severity=low"


def test_saving_from_the_queue(as_analyst: Client, analyst: User) -> None:
    form = page(as_analyst, "/alerts/views/new/?query=severity%3Dhigh")
    assert "Severity" in form
    bad = as_analyst.post("/alerts/views/new/", {"name": "", "query": "severity=high"})
    assert (bad.status_code, 'id="view-error"' in bad.content.decode()) == (422, True)
    good = as_analyst.post("/alerts/views/new/", {"name": "Hot", "query": "severity=high"})
    pk = SavedView.objects.get().pk
    assert good["Location"] == f"/alerts/?severity=high&view={pk}"
    assert "Hot" in page(as_analyst, good["Location"])
    as_analyst.post(f"/alerts/views/{pk}/", {"do": "save", "name": "Hotter", "share": "me"})
    assert names(analyst) == ["Hotter"]
    as_analyst.post(f"/alerts/views/{pk}/", {"do": "delete"})
    assert names(analyst) == []


def test_no_more_than_a_hundred(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "AT_MOST", 2)
    save(analyst, "One")
    save(analyst, "Two")
    problem_of(Api(analyst).post("/views/", {"name": "Three"}), 400)


def test_the_page_names_and_shares_a_view_in_a_form_of_its_own(
    as_analyst: Client, analyst: User, responder: User, blue: Team
) -> None:
    pk, other = save(analyst), save(analyst, "Low", "severity=low")
    theirs = save(responder, "Theirs", audience="team", team="Blue")
    listed = page(as_analyst, "/alerts/views/")
    assert f'href="/alerts/views/{pk}/"' in listed and f'href="/alerts/views/{theirs}/"' not in listed
    assert "from " + responder.display_name() in listed
    form = page(as_analyst, f"/alerts/views/{pk}/")
    assert 'value="High"' in form and f'<option value="{blue.pk}">' in form
    refused = as_analyst.post(f"/alerts/views/{pk}/", {"do": "save", "name": "Low", "share": str(blue.pk)})
    assert refused.status_code == 422
    assert 'id="view-error"' in refused.content.decode()
    assert f'<option value="{blue.pk}" selected>' in refused.content.decode()
    saved = as_analyst.post(f"/alerts/views/{pk}/", {"do": "save", "name": "Hot", "share": str(blue.pk)})
    assert (saved.status_code, saved["Location"]) == (302, "/alerts/views/")
    assert SavedView.objects.get(pk=pk).team == blue
    assert f'<option value="{blue.pk}" selected>' in page(as_analyst, f"/alerts/views/{pk}/")
    assert as_analyst.get(f"/alerts/views/{theirs}/").status_code == 403
    assert as_analyst.get(f"/alerts/views/{other + 1000}/").status_code == 404


def test_a_team_that_one_has_left_stays_who_finds_the_view(analyst: User, admin: User, red: Team) -> None:
    pk = save(admin, audience="team", team="Red")
    SavedView.objects.filter(pk=pk).update(owner=analyst)
    assert f'<option value="{red.pk}" selected>Team Red</option>' in page(client_of(analyst), f"/alerts/views/{pk}/")


def test_many_views_have_pages(as_analyst: Client, analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.views.alerts_saved.SHOWN", 2)
    for name in ("One", "Two", "Three"):
        save(analyst, name)
    first = page(as_analyst, "/alerts/views/")
    assert "Two" in first and "Three" not in first
    following = re.search(r'href="(\?own=[^"#]+)#own" rel="next"', first)
    assert following
    second = page(as_analyst, f"/alerts/views/{following[1]}")
    assert "Three" in second and "Two" not in second
