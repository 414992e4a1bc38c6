"""A checklist worked in the browser: by mouse, by keyboard, by two people, without scripts; axe in both themes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import tasks, template_use
from cases.actors import Actor
from cases.models import Incident, IncidentTask, IncidentTemplate
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_incident


@pytest.fixture
def incident(analyst: User) -> Incident:
    """An incident with three tasks, the last one required and late."""
    made = make_incident("Rented servers", owners=[analyst])
    late = timezone.now() - timedelta(hours=3)
    tasks.add(Actor.system(), made.pk, title="Call the user", description="Not by **mail**.")
    tasks.add(Actor.system(), made.pk, title="Read the logs", assignee=analyst)
    tasks.add(Actor.system(), made.pk, title="Isolate LT-0114", required=True, due_at=late)
    return made


def order(incident: Incident) -> list[str]:
    return [task.title for task in IncidentTask.objects.filter(incident=incident)]


def test_added_ticked_edited_moved_and_removed(page_of: Page, incident: Incident) -> None:
    box = page_of.locator("#incident-tasks")
    box.get_by_text("Add a task").click()
    box.get_by_label("Title").fill("Tell the bank")
    box.get_by_label("Required").check()
    box.get_by_role("button", name="Add").click()
    expect(box.locator("li")).to_have_count(4)
    expect(box.get_by_label("Title")).to_have_value("")
    box.get_by_label("Read the logs", exact=True).check()
    expect(box).to_contain_text("1 of 4")
    expect(page_of.locator("#timeline")).to_contain_text("completed Read the logs")
    box.get_by_label("More about Tell the bank").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Tell the bank and the insurer")
    dialog.get_by_label("Number in the list").fill("1")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(box.locator("li").first).to_contain_text("Tell the bank and the insurer")
    box.get_by_label("More about Call the user").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(box.locator("li")).to_have_count(3)
    assert order(incident) == ["Tell the bank and the insurer", "Read the logs", "Isolate LT-0114"]


def test_by_keyboard_alone(page_of: Page, incident: Incident) -> None:
    tick = page_of.locator("#incident-tasks").get_by_label("Call the user", exact=True)
    tick.focus()
    page_of.keyboard.press("Space")
    expect(page_of.locator("#incident-tasks")).to_contain_text("1 of 3")
    expect(page_of.locator("#incident-tasks").get_by_label("Call the user", exact=True)).to_be_focused()
    page_of.keyboard.press("Tab")
    page_of.keyboard.press("Enter")
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_role("button", name="Move down").focus()
    page_of.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page_of.locator("#incident-tasks li").nth(1)).to_contain_text("Call the user")
    assert order(incident) == ["Read the logs", "Call the user", "Isolate LT-0114"]


def test_what_somebody_else_ticks_appears_and_typing_stays(page_of: Page, incident: Incident, responder: User) -> None:
    box = page_of.locator("#incident-tasks")
    box.get_by_text("Add a task").click()
    box.get_by_label("Title").fill("Half a sen")
    task = IncidentTask.objects.get(title="Isolate LT-0114")
    tasks.complete(Actor.of(responder), task.pk)
    page_of.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    expect(box.get_by_label("Isolate LT-0114", exact=True)).to_be_checked()
    expect(box.get_by_label("Title")).to_have_value("Half a sen")
    expect(page_of.locator("#timeline")).to_contain_text("completed Isolate LT-0114")


def test_an_open_required_task_holds_the_incident_open(page_of: Page, incident: Incident) -> None:
    page_of.locator("#menu-status summary").click()
    page_of.locator("#open-resolved").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Malicious").check()
    dialog.get_by_role("button", name="Save").click()
    words = f"{incident.number} cannot be resolved or closed: 1 required task is still open: “Isolate LT-0114”."
    expect(page_of.get_by_text(words).first).to_be_visible()


def test_a_template_is_used_from_the_dialog(page_of: Page, incident: Incident) -> None:
    page_of.locator("#open-template").click()
    dialog = page_of.get_by_role("dialog")
    dialog.get_by_label("Template").select_option(label="Phishing (8 tasks)")
    dialog.get_by_role("button", name="Use").click()
    expect(dialog).to_be_hidden()
    expect(page_of.locator("#incident-tasks")).to_contain_text("0 of 11")
    expect(page_of.locator("#timeline")).to_contain_text("used the template Phishing: 8 tasks, 1 tag")


def test_everything_works_without_scripts(
    incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer, browser: Any
) -> None:
    cookies = sign_in(analyst).context.cookies()
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    page.get_by_role("button", name="Done Call the user").click()
    expect(page.locator("#incident-tasks")).to_contain_text("1 of 3")
    page.get_by_label("More about Isolate LT-0114").click()
    page.get_by_role("button", name="Move up").click()
    page.get_by_label("More about Isolate LT-0114").click()
    page.get_by_label("Title").fill("Isolate it")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Use a template").click()
    page.get_by_label("Template", exact=True).select_option(label="Phishing (8 tasks)")
    page.get_by_role("button", name="Use").click()
    expect(page.locator("#incident-tasks")).to_contain_text("1 of 11")
    context.close()
    assert order(incident)[:3] == ["Call the user", "Isolate it", "Read the logs"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(incident: Incident, admin: User, sign_in: SignIn, live_server: LiveServer, theme: str) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    template_use.apply(Actor.of(admin), incident.pk, "Ransomware")
    tasks.complete(Actor.of(admin), IncidentTask.objects.get(title="Call the user").pk)
    page, template = sign_in(admin), IncidentTemplate.objects.get(name="Ransomware")
    paths = (
        f"/incidents/{incident.number}/tasks/template/", "/tasks/?tab=all", "/tasks/", "/settings/templates/",
        f"/settings/templates/{template.pk}/", "/settings/templates/new/", f"/incidents/{incident.number}/",
    )  # fmt: skip
    for path in paths:
        page.goto(live_server.url + path)
        check_accessibility(page)
    page.locator("#task-new summary").click()
    page.locator("#incident-tasks").get_by_label("More about Call the crisis team").click()
    expect(page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    check_accessibility(page)
