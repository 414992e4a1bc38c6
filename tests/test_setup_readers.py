"""An auditor reads how the portal is set up and who may what, without secrets, and changes nothing (rulings 20)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cases.actions import custom_fields, retention, webhooks
from cases.actors import Actor
from cases.models import AlertSource
from soar.accounts.actions.users import create_token
from soar.accounts.models import Role, Team, User
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import clock
from tests.api import Api, problem_of
from tests.factories import make_source, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
SECRET = "xoxb-never-shown"


@pytest.fixture
def auditor(db: None) -> User:
    """Of no team."""
    return make_user("olga", "Auditor")


@pytest.fixture
def source(blue: Team) -> AlertSource:
    """Team Blue's, with a key for signatures."""
    return make_source("Mail gateway", team=blue, hmac_secret=SECRET)


@pytest.fixture
def account(db: None) -> ConnectorAccount:
    """With a secret, and a call whose request names a case."""
    made = ConnectorAccount.objects.create(
        kind="slack",
        name="Chat",
        settings={"channel": "#soc"},
        secrets={"token": SECRET},  # type: ignore[misc]
    )
    Attempt.objects.create(account=made, operation="post", request={"text": "INC-7 taken over"}, started_at=clock.now())
    return made


def test_pages_show_them_without_verbs(auditor: User, source: AlertSource, account: ConnectorAccount) -> None:
    browser = client_of(auditor)
    assert "Mail gateway" in _read(browser, "/sources/")
    page = _read(browser, f"/sources/{source.slug}/")
    assert "Mail gateway" in page
    assert "Blue" in page
    assert "Chat" in _read(browser, "/connectors/")
    detail = _read(browser, f"/connectors/{account.pk}/")
    assert "Its calls are shown to those who manage it" in detail
    for text in (page, detail):
        assert 'method="post" action="/sources' not in text
        assert 'method="post" action="/connectors' not in text
        assert SECRET not in text
    assert "INC-7 taken over" not in detail  # a call may tell of any case
    assert "INC-7 taken over" in _read(client_of(make_user("root", "Admin")), f"/connectors/{account.pk}/")
    home = _read(browser, "/alerts/")
    assert 'href="/sources/"' in home
    assert 'href="/connectors/"' in home


def test_nothing_is_changed(auditor: User, source: AlertSource, account: ConnectorAccount) -> None:
    browser, api = client_of(auditor), Api(auditor)
    for path in ("new/", f"{source.slug}/edit/"):
        assert browser.get(f"/sources/{path}").status_code == 403, path
    for path in (f"/sources/{source.slug}/disable/", f"/connectors/{account.pk}/disable/"):
        assert browser.post(path).status_code == 403
    assert browser.get(f"/connectors/{account.pk}/edit/").status_code == 403
    problem_of(api.patch(f"/sources/{source.slug}/", {"name": "Mine"}), 403)
    problem_of(api.patch(f"/connectors/{account.pk}/", {"name": "Mine"}), 403)
    problem_of(api.post("/connector-routes/", {"connector": "Chat"}), 403)
    source.refresh_from_db()
    account.refresh_from_db()
    assert (source.name, source.enabled, account.name, account.enabled) == ("Mail gateway", True, "Chat", True)


def test_the_api_reads_them(auditor: User, analyst: User, source: AlertSource, account: ConnectorAccount) -> None:
    api = Api(auditor)
    assert [row["slug"] for row in api.get("/sources/").json()["results"]] == [source.slug]
    assert api.get(f"/sources/{source.slug}/").json()["signed"] is True
    assert [row["name"] for row in api.get("/connectors/").json()["results"]] == ["Chat"]
    answer = api.get(f"/connectors/{account.pk}/")
    assert answer.json()["secrets"] == ["token"]
    assert SECRET not in answer.content.decode()
    assert api.get("/connector-routes/").json()["results"] == []
    assert api.get("/sources/nothing/").status_code == api.get("/connectors/987654321/").status_code == 404
    for other in (Api(analyst), Api(auditor, scopes=("view_cases",))):
        for path in ("/sources/", f"/sources/{source.slug}/", "/connectors/", f"/connectors/{account.pk}/"):
            problem_of(other.get(path), 403)


def test_others_do_not_read_them(analyst: User, source: AlertSource, account: ConnectorAccount) -> None:
    browser = client_of(analyst)
    for path in ("/sources/", f"/sources/{source.slug}/", "/connectors/", f"/connectors/{account.pk}/"):
        assert browser.get(path).status_code == 403


def _read(browser: Client, path: str) -> Any:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


LISTS = {
    "/people/": "rita",
    "/people/teams/": "Blue",
    "/people/roles/": "Playbook author",
    "/people/tokens/": "For the SIEM",
    "/settings/retention/": "alerts that are in no incident",
    "/webhooks/": "Chat room",
    "/settings/fields/": "Business unit",
    "/settings/sla/": "Targets in minutes",
}


@pytest.fixture
def portal(admin: User, blue: Team) -> User:
    """Something of everything that a portal is set up with; a person of team Blue."""
    person = make_user("rita", "Analyst")
    person.groups.add(blue.group)
    create_token(person, "For the SIEM", actor=person)
    retention.create(Actor.of(admin), {"what": "alerts", "days": 400})
    fields = {"name": "Chat room", "url": "https://chat.example.com/hook/never-shown", "kinds": ["all"]}
    webhooks.create(Actor.of(admin), fields=fields)
    custom_fields.create(Actor.of(admin), fields={"name": "Business unit", "kind": "text"})
    return person


def test_who_may_what_and_what_is_kept_can_be_read_without_verbs(auditor: User, portal: User, blue: Team) -> None:
    browser = client_of(auditor)
    role = Role.objects.get(group__name="Analyst")
    more = {f"/people/{portal.pk}/": "rita", f"/people/teams/{blue.pk}/": "rita", f"/people/roles/{role.pk}/": "rita"}
    home = _read(browser, "/settings/")
    for path, text in (LISTS | more).items():
        page = _read(browser, path)
        assert text in page, path
        assert "never-shown" not in page
        main = page.partition("<main")[2].partition("</main>")[0]
        buttons = re.findall(r"<button[^>]*>[^<]*(?:<svg.*?</svg>)?\s*(Save|Remove|Deactivate|Make|Revoke|Hand)", main)
        assert buttons == [], path
        assert f'href="{path}"' in home or path in more, path


def test_nobody_is_offered_a_change_of_people_whoever_they_are(auditor: User, portal: User) -> None:
    for one in (auditor, make_user("ines", "Auditor"), make_user("nobody"), make_user("vera", "Viewer")):
        page = _read(client_of(auditor), f"/people/{one.pk}/")
        assert "You may read this, not change it." in page
        main = page.partition("<main")[2].partition("</main>")[0]
        assert "<fieldset" in main and "disabled" in main
        assert "/password/" not in main and "/sessions/" not in main and "/active/" not in main


def test_an_auditor_changes_none_of_it(auditor: User, portal: User, blue: Team) -> None:
    browser, api = client_of(auditor), Api(auditor)
    role = Role.objects.get(group__name="Analyst")
    for path in (
        f"/people/{portal.pk}/", "/people/teams/", f"/people/teams/{blue.pk}/", "/people/roles/",
        f"/people/roles/{role.pk}/", "/settings/sla/", f"/people/{portal.pk}/active/",
    ):  # fmt: skip
        assert browser.post(path, {"name": "Mine", "first_name": "Mine"}).status_code == 403, path
    for path in ("/people/new/", "/settings/retention/new/", "/webhooks/new/", "/settings/fields/new/"):
        assert browser.get(path).status_code == 403, path
    problem_of(api.patch(f"/users/{portal.pk}/", {"first_name": "Mine"}), 403)
    problem_of(api.patch(f"/teams/{blue.pk}/", {"name": "Mine"}), 403)
    problem_of(api.post("/retention-rules/", {"what": "audit", "days": 90}), 403)
    blue.refresh_from_db()
    portal.refresh_from_db()
    assert (blue.name, portal.first_name) == ("Blue", "")


def test_programs_of_auditors_read_it_too(auditor: User, analyst: User, portal: User, blue: Team) -> None:
    paths = {
        f"/users/{portal.pk}/": "rita", f"/users/{portal.pk}/tokens/": "For the SIEM", f"/teams/{blue.pk}/": "Blue",
        "/roles/": "Playbook author", "/retention-rules/": "alerts", "/webhook-endpoints/": "Chat room",
    }  # fmt: skip
    for path, text in paths.items():
        answer = Api(auditor).get(path)
        assert answer.status_code == 200, path
        assert text in answer.content.decode()
        assert "never-shown" not in answer.content.decode()
        problem_of(Api(analyst).get(path), 403)
