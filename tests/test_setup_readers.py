"""An auditor reads how sources and connectors are set up, without their secrets, and changes nothing (rulings 20)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.models import AlertSource
from soar.accounts.models import Team, User
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
    for path in ("new/", f"{source.slug}/edit/", f"{source.slug}/mapping/", "dead-letters/"):
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
