"""Approvals and responses in a browser: decide with the keyboard, respond from an alert in the dialog, undo it.

Both themes pass axe on the way, on a desk and on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import AlertAsset
from playbooks.models import DetectionModel, NeverTouch, ResponseTask
from soar.accounts.models import Team, User
from tests.approving import asked, blue_alert
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_asset, make_incident
from tests.playbook_files import work
from tests.response_tools import Range, action, graph, publish, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
PHONE: Any = {"width": 390, "height": 844}
DESK: Any = {"width": 1440, "height": 900}


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, responder: User, admin: User) -> str:
    for user in (responder, admin):
        user.theme = request.param
        user.save(update_fields=["theme"])
    return str(request.param)


def look(page: Page, name: str) -> None:
    """axe at both widths, and no sideways scrolling of the page."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        check_accessibility(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} at {size['width']}"
    page.set_viewport_size(DESK)


def test_decide_with_the_keyboard(
    theme: str, tiny: Range, blue: Team, responder: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    asset = make_asset("LT-0042", criticality=4, tags=["board"], groups=["Finance"], type="laptop", system="Windows 11")
    alert = blue_alert(blue)
    AlertAsset.objects.create(alert=alert, asset=asset)
    NeverTouch.objects.create(by="tag", value="board", reason="Laptops of the board", added_by="Ada Admin")
    approval = asked(blue, "isolate_endpoint", "disable_account", "sandbox_url", alert=alert)
    held = ResponseTask.objects.get(action="isolate_endpoint").approval
    assert held is not None
    page = sign_in(responder)
    page.goto(f"{live_server.url}/approvals/")
    expect(page.get_by_role("link", name="Approvals 2")).to_be_visible()
    look(page, f"approvals-{theme}")
    page.goto(f"{live_server.url}/approvals/{held.pk}/")
    look(page, f"approval-held-{theme}")
    page.get_by_label("Include Isolate endpoint LT-0042").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Approve selected (1)")).to_be_visible()
    page.get_by_role("button", name="Approve selected (1)").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("say why it may be touched")
    page.get_by_label("Reason for LT-0042").fill("The chair agreed by phone")
    page.get_by_role("button", name="Approve selected (1)").press("Enter")
    expect(page.get_by_text("It is decided.")).to_be_visible()
    expect(page.get_by_text("The chair agreed by phone")).to_be_visible()
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]
    other = next(one.pk for one in type(approval).objects.filter(status="pending"))
    page.goto(f"{live_server.url}/approvals/{other}/")
    look(page, f"approval-{theme}")
    page.get_by_role("button", name="Reject all 2").press("Enter")
    expect(page.get_by_text("It is decided.")).to_be_visible()
    expect(page.locator("#approval-state")).to_contain_text("Rejected")


def test_respond_from_an_alert_and_undo_it(
    theme: str, tiny: Range, blue: Team, responder: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    alert = blue_alert(blue)
    page = sign_in(responder)
    page.goto(f"{live_server.url}/alerts/{alert.number}/")
    page.get_by_role("link", name="Respond", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Respond on {alert.number}")).to_be_visible()
    look(page, f"respond-choose-{theme}")
    dialog.get_by_role("link", name="Isolate endpoint").click()
    expect(dialog.get_by_role("heading", name="Isolate endpoint")).to_be_visible()
    dialog.get_by_label("Why").fill("Beacon seen")
    # As a browser does when somebody pulls at a field: the next step's field does not get it as an attribute.
    dialog.get_by_label("Why").evaluate("field => { field.style.width = '90%'; field.style.width = ''; }")
    dialog.get_by_role("button", name="What would be sent").click()
    expect(dialog.get_by_role("heading", name="What would happen. Nothing was sent.")).to_be_visible()
    look(page, f"respond-look-{theme}")
    assert tiny.done == []
    dialog.get_by_role("button", name="Isolate endpoint").click()
    expect(page).to_have_url(re.compile(r"/responses/\d+/$"))
    work()
    expect(page.locator(".head .state")).to_contain_text("Successful")
    look(page, f"response-{theme}")
    page.get_by_role("button", name="Restore connection").click()
    expect(page.get_by_role("heading", name=re.compile("^Restore connection"))).to_be_visible()
    work()
    assert tiny.targets("restore_endpoint") == ["LT-0042"]
    page.goto(f"{live_server.url}/responses/")
    expect(page.locator("#response-rows tbody tr")).to_have_count(2)
    look(page, f"responses-{theme}")
    page.get_by_label("Action", exact=True).select_option("isolate_endpoint")
    expect(page.locator("#response-rows tbody tr")).to_have_count(1)
    page.goto(f"{live_server.url}/alerts/{alert.number}/")
    expect(page.locator("#subject-runs")).to_contain_text("By hand")
    look(page, f"alert-{theme}")


def test_scripts_never_touch_and_models(
    theme: str, admin: User, tiny: Range, sign_in: SignIn, live_server: LiveServer
) -> None:
    DetectionModel.objects.create(name="Credential dump", key="credential dump", severity=3, source_name="EDR")
    page = sign_in(admin)
    page.goto(f"{live_server.url}/settings/scripts/")
    file: Any = {"name": "collect.sh", "mimeType": "text/plain", "buffer": b"#!/bin/sh\nps aux\n"}
    page.locator("input[type=file]").set_input_files(files=[file])
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Say on which operating system")).to_be_visible()
    look(page, f"scripts-{theme}")
    page.locator("input[type=file]").set_input_files(files=[file])
    page.get_by_label("Linux").check()
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("link", name="collect.sh").click()
    expect(page.get_by_label("Text of the script")).to_contain_text("ps aux")
    look(page, f"script-{theme}")
    page.goto(f"{live_server.url}/settings/never-touch/")
    page.get_by_label("Value").fill("SRV-DC-*")
    page.get_by_label("Reason").fill("Domain controllers")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("rowheader", name="SRV-DC-*")).to_be_visible()
    look(page, f"never-touch-{theme}")
    page.goto(f"{live_server.url}/settings/models/")
    page.get_by_label("Severity of Credential dump").select_option("critical")
    page.get_by_role("button", name="Set Credential dump").click()
    expect(page.get_by_text("set by hand")).to_be_visible()
    look(page, f"models-{theme}")


def test_2_a_playbook_on_an_alert_of_an_incident(
    theme: str, tiny: Range, blue: Team, admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    alert = blue_alert(blue)
    incident = make_incident("Odd logons", alert, blue_alert(blue), team=blue)
    publish(graph(action("a", "scan_endpoint")), "Look for malware")
    page = sign_in(admin)
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_role("button", name=f"Run a playbook on {alert.number}").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Run a playbook on {alert.number}")).to_be_visible()
    look(page, f"run-on-alert-{theme}")
    dialog.get_by_role("button", name="Run", exact=True).press("Enter")  # nothing is chosen yet
    dialog.get_by_label("Playbook").select_option(label="Look for malware")
    dialog.get_by_role("button", name="Run", exact=True).press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#subject-runs")).to_contain_text("Look for malware")
    expect(page.locator("#subject-runs")).to_contain_text(alert.number)
    work()
    assert tiny.targets("scan_endpoint") == ["LT-0042"]
