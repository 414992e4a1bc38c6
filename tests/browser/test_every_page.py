"""Every page of the portal, from the URL configuration: axe finds nothing in either theme, and at 360 pixels, at 200 %
and at 400 % zoom nothing is lost (interface.md 5); none complains to the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from soar.accounts.models import User
from tests.browser.looking import SETTLED, look
from tests.crossing.operations import Operation
from tests.crossing.world import World
from tests.pages import worlds
from tests.pages.addresses import FILES, ask, body, gets, is_document, who

DESK: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture
def world(transactional_db: None, settings: Any, tmp_path: Path) -> World:
    """A few of everything."""
    made = worlds.small(settings, tmp_path)
    User.objects.update(theme="auto")
    return made


@pytest.fixture
def window(context: BrowserContext) -> Iterator[Page]:
    """A window that tells nothing by moving."""
    page = context.new_page()
    page.set_default_timeout(120_000)  # a page of a busy machine is slow, not wrong
    page.emulate_media(reduced_motion="reduce")
    yield page
    page.close()


def test_every_page_is_clean_in_both_themes_and_loses_nothing(
    world: World, window: Page, live_server: LiveServer
) -> None:
    told: list[str] = []
    seen = 0
    for operation in gets():
        if operation.route in FILES or not _is_whole(world, operation):
            continue
        seen += 1
        _open(world, window, live_server.url, operation)
        told += [f"{operation.route}: {one}" for one in look(window, frame=seen == 1)]
    assert not told, "\n".join(told)
    assert seen > 150


def test_no_page_complains_to_the_console_when_it_is_loaded_or_polls(
    world: World, window: Page, live_server: LiveServer
) -> None:
    told: list[str] = []
    here = ""

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            told.append(f"{here}: {message.text}")

    window.on("console", listen)
    window.on("pageerror", lambda error: told.append(f"{here}: {error}"))
    for operation in gets():
        if operation.route not in FILES and _is_whole(world, operation):
            here = operation.route
            _open(world, window, live_server.url, operation)
            window.wait_for_function(SETTLED)
            window.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
            window.wait_for_function(SETTLED)
    assert here
    assert not told, "\n".join(told)


def _is_whole(world: World, operation: Operation) -> bool:
    """Whether there is a page to look at: no part of one, no file, and no address of a button, which answers 405."""
    answer = ask(world, "admin", operation)
    return is_document(answer, body(answer)) and "attachment" not in answer.get("Content-Disposition", "")


def _open(world: World, page: Page, url: str, operation: Operation) -> None:
    session = world.cast[who(operation, "admin")].session
    page.context.clear_cookies()
    if session:
        page.context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": session, "url": url}])
    page.set_viewport_size(DESK)
    page.goto(url + operation.path(world.values(operation, "")))
