"""A timeline in the browser, by keyboard: a mention, a preview, an event at another time, pins, filters, one entry."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import incidents, pins
from cases.actors import Actor
from cases.models import Incident, Mention
from soar.accounts.models import Team, User
from tests.browser.keyboard import press, unfold, walk, write
from tests.factories import make_alert, make_incident, make_source, make_team


@pytest.fixture
def incident(blue: Team, analyst: User, responder: User) -> Incident:
    return make_incident("Overdue invoice", make_alert("Beacon", source=make_source(team=blue)), team=blue)


def test_a_mention_is_chosen_from_the_list_and_told(
    page_of: Page, incident: Incident, responder: User, stranger: User
) -> None:
    make_team("Tier 2")
    note = page_of.get_by_label("Add to the timeline")
    walk(page_of, note, "the note")
    page_of.keyboard.type("Ask @pri")
    options = page_of.locator(".mentions [role=option]")
    expect(options).to_have_count(1)
    expect(options.first).to_contain_text("Priya Raman")
    assert note.get_attribute("aria-activedescendant") == "mention-1"
    page_of.keyboard.press("Enter")
    expect(note).to_have_value("Ask @priya ")
    expect(options).to_have_count(0)
    page_of.keyboard.type("or @tie")
    expect(options.first).to_contain_text("Tier 2")
    page_of.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page_of.keyboard.type("r-2 and @sam")
    expect(options.first).to_contain_text(f"cannot see {incident.number}")
    page_of.keyboard.press("Tab")
    expect(note).to_have_value("Ask @priya or @tier-2 and @sam ")
    press(page_of, "button", "Preview")
    expect(page_of.locator("#note-preview .at").first).to_have_text("@Priya Raman")
    expect(page_of.locator("#note-preview")).to_contain_text("Sam Stranger cannot see this")
    press(page_of, "button", "Add")
    expect(page_of.locator("#timeline .at").first).to_have_text("@Priya Raman")
    expect(page_of.locator("#incident-blind")).to_contain_text("Sam Stranger cannot see")
    expect(note).to_have_value("")
    assert list(Mention.objects.values_list("user", flat=True)) == [responder.pk]


def test_an_event_at_another_time_by_keyboard(page_of: Page, incident: Incident) -> None:
    press(page_of, "link", "Event at another time")
    dialog = page_of.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Add an event")).to_be_visible()
    dialog.get_by_label("When it happened").fill("2199-01-01T10:00:00")
    write(page_of, "What happened, Markdown", "First sign-in", "#dialog")
    press(page_of, "button", "Add the event")
    expect(dialog.get_by_role("alert")).to_contain_text("in the future")
    dialog.get_by_label("When it happened").fill("2026-03-01T10:00:00")
    press(page_of, "button", "Add the event")
    expect(dialog).to_be_hidden()
    entry = page_of.locator("#timeline .entry").first
    expect(entry).to_contain_text("First sign-in")
    expect(entry).to_contain_text("2026-03-01 10:00")
    expect(entry).to_contain_text("entered")


def test_pins_filters_and_order_by_keyboard(
    page_of: Page, incident: Incident, analyst: User, live_server: LiveServer
) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "Do not touch SRV-FIN-01")
    page_of.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    walk(page_of, page_of.locator(f"#entry-{note.pk} .pin"), "the pin")
    page_of.keyboard.press("Enter")
    expect(page_of.locator("#timeline-pins")).to_contain_text("Do not touch SRV-FIN-01")
    expect(page_of.locator(f"#entry-{note.pk} .pinned")).to_be_visible()
    unfold(page_of, "#timeline-search")
    write(page_of, "Words", "srv-fin")
    press(page_of, "button", "Apply")
    expect(page_of.locator("#timeline > li")).to_have_count(1)
    expect(page_of).to_have_url(f"{live_server.url}/incidents/{incident.number}/?q=srv-fin")
    page_of.reload()
    expect(page_of.locator("#timeline > li")).to_have_count(1)
    press(page_of, "link", "Clear")
    expect(page_of.locator("#timeline > li").nth(2)).to_be_visible()
    press(page_of, "button", "Unpin the entry of Mara Lindqvist")
    expect(page_of.locator("#timeline-pins")).not_to_contain_text("Do not touch")


def test_the_address_of_an_entry_far_back_brings_it(
    page_of: Page, incident: Incident, analyst: User, live_server: LiveServer
) -> None:
    first = incidents.comment(Actor.of(analyst), incident.pk, "Far back")
    for number in range(55):
        incidents.comment(Actor.of(analyst), incident.pk, f"Note {number}")
    page_of.goto("about:blank")
    page_of.goto(f"{live_server.url}/incidents/{incident.number}/#entry-{first.pk}")
    expect(page_of.locator(f"#entry-{first.pk}.aim")).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    page_of: Page, incident: Incident, analyst: User, live_server: LiveServer, theme: str
) -> None:
    actor = Actor.of(analyst)
    pins.pin(actor, incidents.comment(actor, incident.pk, "Ask @priya first", kind="handoff").pk)
    User.objects.filter(pk=analyst.pk).update(theme=theme)
    for width in (1440, 390, 360):
        page_of.set_viewport_size({"width": width, "height": 900})
        page_of.goto(f"{live_server.url}/incidents/{incident.number}/?order=event&since=x")
        page_of.get_by_label("Add to the timeline").press_sequentially("@pri")
        expect(page_of.locator(".mentions [role=option]")).to_have_count(1)
        if shots := os.environ.get("TIMELINE_SHOTS"):
            page_of.screenshot(path=Path(shots) / f"timeline-{theme}-{width}.png", full_page=True)
        found = Axe().run(page_of).response["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
        assert page_of.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page_of.goto(f"{live_server.url}/incidents/{incident.number}/event/")
    assert Axe().run(page_of).response["violations"] == []
    assert datetime.now(tz=UTC).strftime("%Y-%m") in page_of.get_by_label("When it happened").input_value()
