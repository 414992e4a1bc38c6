"""Falcon's Real Time Response in a browser: switched on, tested with missing scopes, a collected file downloaded.

Both themes pass axe on the way, on a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actors import Actor
from playbooks.actions import responses
from playbooks.actions.response_choice import chosen
from playbooks.models import ResponseTask
from soar.accounts.models import Team, User
from soar.connectors.models import ConnectorAccount
from soar.standins.crowdstrike import CrowdStrike
from tests.acting import practice
from tests.approving import blue_alert
from tests.browser.conftest import SignIn, check_accessibility
from tests.playbook_files import work
from tests.response_tools import make_due

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = {"client_id": "falcon-client-12345", "client_secret": "falcon-secret-98765"}
PHONE: Any = {"width": 390, "height": 844}
DESK: Any = {"width": 1440, "height": 900}
PATH = "C:\\Users\\Public\\evil.exe"


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, responder: User, admin: User) -> str:
    for user in (responder, admin):
        user.theme = request.param
        user.save(update_fields=["theme"])
    return str(request.param)


def look(page: Page, name: str) -> None:
    """axe at both widths, and no sideways scrolling of the page."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        check_accessibility(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} at {size['width']}"


def test_switched_on_and_tested(theme: str, admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    with practice(CrowdStrike(), SECRETS, name="Falcon") as falcon:
        page = sign_in(admin)
        page.goto(f"{live_server.url}/connectors/{falcon.account.pk}/")
        expect(page.get_by_text("Run remote custom script")).to_have_count(0)
        page.goto(f"{live_server.url}/connectors/{falcon.account.pk}/edit/")
        page.get_by_label("Fetch files, end processes and run scripts").check()
        page.get_by_label("Have addresses and files analysed").check()
        look(page, f"falcon-edit-{theme}")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Run remote custom script")).to_be_visible()
        falcon.state["denied"] = ["queries/scripts", "samples/"]
        page.get_by_role("button", name="Test connection").click()
        told = "lacks the scopes Real time response (admin), Sample uploads."
        expect(page.get_by_text(told).first).to_be_visible()
        look(page, f"falcon-{theme}")
        assert ConnectorAccount.objects.get().settings["real_time_response"] is True


def test_a_collected_file_is_downloaded(
    theme: str, blue: Team, responder: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    with practice(CrowdStrike(), SECRETS, name="Falcon", real_time_response=True):
        task = _collected(blue, responder)
        page = sign_in(responder)
        page.goto(f"{live_server.url}/responses/{task.pk}/")
        look(page, f"collected-{theme}")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the file").click()
        assert download.value.suggested_filename == "evil.exe.7z"
        page.get_by_role("button", name="Show address and password").click()
        expect(page.get_by_text("infected")).to_be_visible()
        look(page, f"collected-shown-{theme}")


def _collected(blue: Team, responder: User) -> ResponseTask:
    alert = blue_alert(blue, ("file_path", PATH))
    given = {"alert": alert.pk, "targets": [{"kind": "file", "value": PATH}]}
    case, targets = chosen(Actor.of(responder), given)
    (task,) = responses.start(Actor.of(responder), case, action="collect_file", targets=targets, params={})
    work()
    for _ in range(6):
        make_due()
    task.refresh_from_db()
    assert task.status == "successful", task.reason
    return task
