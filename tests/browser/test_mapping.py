"""The mapping editor by mouse and by keyboard, in both themes, free of what axe finds; dead letters too."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import mappings
from cases.actors import Actor
from cases.models import AlertSource, DeadLetter, SourceMapping
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_source

DOOR = {
    "uid": "BR-2026-881204",
    "type": "door.forced",
    "priority": 2,
    "ts": "2026-03-12T09:41:07+01:00",
    "door": {"id": "OSL-B2-017", "name": "Server room B2", "controller_ip": "10.44.2.17"},
    "camera": [{"url": "https://nvr.example.com/c/17"}],
}


@pytest.fixture
def source(db: None) -> AlertSource:
    made = make_source("Badge readers")
    mappings.add_sample(Actor.system(), made.slug, "door.forced", json.dumps(DOOR))
    return made


@pytest.fixture
def editor(live_server: LiveServer, sign_in: SignIn, source: AlertSource, admin: User) -> Page:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/sources/{source.slug}/mapping/")
    return page


def test_by_mouse(editor: Page, source: AlertSource) -> None:
    editor.get_by_label("Host", exact=True).click()
    expect(editor.locator("#target")).to_have_value("hostname")
    editor.get_by_role("button", name='"id": "OSL-B2-017"').click()
    expect(editor.get_by_label("Host", exact=True)).to_have_value("$.door.id")
    expect(editor.locator("#got-hostname")).to_have_text("OSL-B2-017")
    expect(editor.locator("#result")).to_contain_text("OSL-B2-017")
    expect(editor.get_by_role("button", name='"id": "OSL-B2-017"')).to_have_class("used")
    editor.get_by_label("Title", exact=True).fill("${type} at ${door.name}")
    expect(editor.locator("#result h3")).to_have_text("door.forced at Server room B2")
    editor.get_by_label("A chosen value goes to").select_option("observable")
    editor.get_by_role("button", name='"controller_ip"').click()
    expect(editor.get_by_label("Path of observable 1")).to_have_value("$.door.controller_ip")
    editor.get_by_label("Source id", exact=True).fill("a..b")
    expect(editor.locator("#got-dedup_key")).to_contain_text("cannot be read")
    editor.get_by_role("button", name="Clear Source id").click()
    expect(editor.locator("#got-dedup_key")).to_be_empty()
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.get_by_text("mapping 1, in use since")).to_be_visible()
    assert SourceMapping.objects.get().mapping["fields"]["hostname"] == "$.door.id"


def test_by_keyboard(editor: Page, source: AlertSource) -> None:
    editor.get_by_label("Title", exact=True).focus()
    first = editor.locator("#json button").first
    first.focus()
    for _ in range(2):
        editor.keyboard.press("ArrowDown")
    editor.keyboard.press("Enter")
    expect(editor.get_by_label("Title", exact=True)).to_have_value("$.type")
    expect(editor.locator("#result h3")).to_have_text("door.forced")
    expect(editor.locator("#json button:focus")).to_have_attribute("value", "$.type")
    editor.keyboard.press("End")
    expect(editor.locator("#json button:focus")).to_have_attribute("value", "$.camera[0].url")
    assert editor.locator('#json button[tabindex="0"]').count() == 1
    editor.get_by_label("Title", exact=True).focus()
    editor.keyboard.press("Enter")  # shows, never saves
    expect(editor.get_by_label("Title", exact=True)).to_have_value("$.type")
    assert not SourceMapping.objects.exists()


def test_what_does_not_fit_is_saved_only_on_purpose(editor: Page, source: AlertSource) -> None:
    editor.get_by_label("Title", exact=True).fill("$.headline")
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.locator("#got-title")).to_contain_text("$.headline is in no sample.")
    check_accessibility(editor)
    assert not SourceMapping.objects.exists()
    editor.get_by_role("button", name="Save all the same").click()
    expect(editor.get_by_text("mapping 1, in use since")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_pages_in_both_themes_and_narrow(
    editor: Page, live_server: LiveServer, source: AlertSource, theme: str
) -> None:
    editor.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    mappings.save(Actor.system(), source.slug, {"fields": {"title": "$.type", "hostname": "$.door.id"}})
    mappings.save(Actor.system(), source.slug, {"fields": {"title": "$.uid"}, "values": {"severity": {"2": "high"}}})
    letter = DeadLetter.objects.create(
        source=source, status=400, error="This is not JSON: truncated", size=8, kept=8, body=b'{"id": 1', address="::1"
    )
    base = f"{live_server.url}/sources/"
    pages = ("mapping/", "mapping/versions/", "dead-letters/", "")
    for path in (*(f"{source.slug}/{one}" for one in pages), "dead-letters/", f"dead-letters/{letter.pk}/", ""):
        editor.goto(base + path)
        check_accessibility(editor)
        editor.set_viewport_size({"width": 390, "height": 900})
        assert editor.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        editor.set_viewport_size({"width": 1440, "height": 900})


def test_a_dead_letter_is_looked_at_and_replayed(
    live_server: LiveServer, sign_in: SignIn, source: AlertSource, admin: User
) -> None:
    body = json.dumps(DOOR).encode()
    DeadLetter.objects.create(source=source, status=400, error="Not yet", size=len(body), kept=len(body), body=body)
    page = sign_in(admin)
    page.goto(f"{live_server.url}/sources/")
    page.get_by_role("link", name="Dead letters").click()
    page.get_by_role("link", name="Not yet").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("It was read. A new alert.")).to_be_visible()
    check_accessibility(page)
