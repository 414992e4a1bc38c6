"""Cluster, cloud and directory accounts in the browser: added with a mistake, tested, looked at with axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.connectors import practice
from soar.connectors.models import ConnectorAccount
from soar.standins.google_iam import PROJECT, GoogleIam, key_file
from soar.standins.kubernetes import Kubernetes
from soar.standins.okta import Okta
from soar.standins.server import Server
from tests.browser.conftest import SignIn, check_accessibility

KINDS = ("kubernetes", "google_iam", "okta")


@pytest.fixture
def running(transactional_db: None) -> Iterator[Server]:
    with Server([Kubernetes(), GoogleIam(), Okta()]) as server:
        yield server


@pytest.fixture
def connected(running: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An account of each, tested; the cluster's service account lacks rights, Okta refuses the token."""
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    practice.connect(running)
    running.standins["kubernetes"].state["denied"] = ["delete pods", "create networkpolicies"]
    running.standins["okta"]._order({"kind": "401", "times": 9})
    for account in ConnectorAccount.objects.filter(kind__in=KINDS):
        accounts.test_account(None, account.pk)
    return running


def test_a_cluster_is_added_with_mistakes_then_tested(
    running: Server, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/connectors/new/")
    page.get_by_role("link", name="Kubernetes").click()
    page.get_by_label("Name", exact=True).fill("Shop cluster")
    page.get_by_label("Address", exact=True).fill(running.urls["kubernetes"]["url"])
    page.get_by_label("Cluster", exact=True).fill("prod")
    page.get_by_label("Certificate authority").fill("nonsense")
    page.get_by_label("Token", exact=True).fill("cluster-token-98765")
    page.get_by_label("Allow addresses inside the network").check()
    page.get_by_role("button", name="Add connector").click()
    expect(page.get_by_text("This is no certificate in PEM")).to_be_visible()
    assert "cluster-token-98765" not in page.content()
    page.get_by_label("Certificate authority").fill("")
    page.get_by_label("Token", exact=True).fill("cluster-token-98765")
    page.get_by_role("button", name="Add connector").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#toasts")).to_contain_text("Kubernetes v1.33.1 takes the token.")
    assert "cluster-token-98765" not in page.content()


def test_a_key_file_is_refused_beside_its_field_and_does_not_come_back(
    running: Server, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/connectors/new/google_iam/")
    page.get_by_label("Name", exact=True).fill("Cloud")
    page.get_by_label("Address", exact=True).fill(running.urls["google_iam"]["url"])
    page.get_by_label("Project", exact=True).fill(PROJECT)
    page.get_by_label("Key file").fill('{"type": "authorized_user", "refresh_token": "told-nobody"}')
    page.get_by_label("Allow addresses inside the network").check()
    page.get_by_role("button", name="Add connector").click()
    expect(page.get_by_text("This is no key file of a service account")).to_be_visible()
    assert "told-nobody" not in page.content()
    page.get_by_label("Key file").fill(key_file())
    page.get_by_role("button", name="Add connector").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#toasts")).to_contain_text("Google takes the key of soar@")
    page.get_by_text("oauth.token").first.click()
    assert "PRIVATE KEY" not in page.content() and "eyJ" not in page.content()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing(
    connected: Server, admin: User, sign_in: SignIn, live_server: LiveServer, theme: str, width: int
) -> None:
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    rows = ConnectorAccount.objects.filter(kind__in=KINDS).order_by("pk").values_list("pk", flat=True)
    paths = [f"/connectors/{pk}/" for pk in rows] + [f"/connectors/new/{kind}/" for kind in KINDS]
    for path in ("/connectors/", "/connectors/new/", *paths):
        page.goto(live_server.url + path)
        check_accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
