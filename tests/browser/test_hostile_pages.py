"""A corpus of hostile texts in every field, on every page, in the browser: nothing runs, nothing leaves, and no page
scrolls sideways at 360 pixels (operations.md 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Route
from pytest_django.live_server_helper import LiveServer

from tests.crossing.operations import Operation
from tests.crossing.world import World
from tests.pages import worlds
from tests.pages.addresses import FILES, METHOD, ask, gets
from tests.pages.words import MARK, WRONG

# Elements that a text became, links that run a script or leave for the attacker, and what a template made of a sum.
INJECTED = f"""() => {{
  const found = [...document.querySelectorAll("[{MARK}]")].map((one) => "element: " + one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("[href], [src], [action], [formaction]")) {{
    for (const name of ["href", "src", "action", "formaction"]) {{
      const value = (one.getAttribute(name) || "").replace(/[\\u0000-\\u0020]/g, "").toLowerCase();
      if (/^(javascript|data|vbscript):/.test(value)) found.push(name + ": " + value.slice(0, 80));
    }}
  }}
  if (document.body.innerText.includes("{WRONG}")) found.push("a template calculated");
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0 && document.documentElement.lang) found.push("scrolls sideways by " + wide);
  return found.slice(0, 6);
}}"""


@dataclass
class Watch:
    """Listens to everything that a page must not do."""

    own: str
    heard: list[str] = field(default_factory=list)

    def on(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.heard.append(f"script error: {error}"))
        page.route("**/*", self._asked)

    def taken(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard

    def _dialog(self, dialog: Dialog) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.heard.append(f"refused by the policy: {message.text[:200]}")

    def _asked(self, route: Route) -> None:
        if route.request.url.startswith(self.own):
            route.continue_()
        else:
            self.heard.append(f"asks for {route.request.url}")
            route.abort()


@pytest.fixture
def world(transactional_db: None, settings: Any, tmp_path: Path) -> World:
    """Everything bears the corpus."""
    return worlds.hostile(settings, tmp_path)


@pytest.fixture
def watched(world: World, context: BrowserContext, live_server: LiveServer) -> Iterator[tuple[Page, Watch]]:
    """A narrow window of the admin's."""
    session = world.cast["admin"].session or ""
    context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page, watch = context.new_page(), Watch(live_server.url)
    page.set_viewport_size({"width": 360, "height": 800})
    watch.on(page)
    yield page, watch
    page.close()


def test_nothing_that_is_stored_runs_on_any_page(
    world: World, watched: tuple[Page, Watch], live_server: LiveServer
) -> None:
    page, watch = watched
    told: list[str] = []
    seen = 0
    for operation in gets():
        if operation.route in FILES or not _is_page(world, operation):
            continue
        answer = page.goto(live_server.url + operation.path(world.values(operation, "")))
        page.wait_for_load_state("networkidle")
        assert answer
        told += [f"{operation.route}: {answer.status}"] if answer.status >= 500 else []
        told += [f"{operation.route}: {one}" for one in [*watch.taken(), *page.evaluate(INJECTED)]]
        seen += answer.status == 200
    assert not told, "\n".join(told)
    assert seen > 150


def _is_page(world: World, operation: Operation) -> bool:
    """Whether a window shows it: no button's address, which answers 405 and nothing, and no file."""
    answer = ask(world, "admin", operation)
    shown = "attachment" not in answer.headers.get("Content-Disposition", "")
    return shown and answer.status_code != METHOD and "text/html" in answer.headers.get("Content-Type", "")
