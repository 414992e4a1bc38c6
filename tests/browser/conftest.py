"""The ground of the browser tests: Chromium, a live server on the test database, a page that forgives nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.models import Incident
from soar.accounts.models import User

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "/usr/bin/chromium")
MISSING = "The browser tests need Chromium: install it, for example with `apt-get install chromium`."
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 10_000  # milliseconds that an expectation waits at most
SignIn = Callable[[User], Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


def chromium() -> str:
    """Where the browser is, "" if there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), "")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; nothing is downloaded."""
    program = chromium()
    if not program:
        pytest.fail(MISSING, pytrace=False)
    return {**browser_type_launch_args, "executable_path": program, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A desktop, and English with times in UTC whatever the machine has."""
    size = {"width": 1440, "height": 900}
    return {**browser_context_args, "viewport": size, "locale": "en-GB", "timezone_id": "UTC"}


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """A page on the live server. A script error, a refusal by the content security policy or an answer of 500 in it
    fails the test, whatever else it looked at."""
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.on("console", lambda message: _listen(message, complaints))
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("response", lambda answer: complaints.append(f"500: {answer.url}") if answer.status >= 500 else None)
    yield page
    page.close()
    assert not complaints, "\n".join(complaints)


def _listen(message: ConsoleMessage, complaints: list[str]) -> None:
    text = message.text
    if "Content Security Policy" in text or "Content-Security-Policy" in text:
        complaints.append(f"content security policy: {text}")


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> SignIn:
    """Sign a person in by their session's cookie; returns the page. The form has a test of its own."""

    def signed_in(user: User) -> Page:
        client = Client()
        client.force_login(user, backend="soar.accounts.backend.Backend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        return page

    return signed_in


@pytest.fixture
def page_of(incident: Incident, analyst: User, sign_in: SignIn, live_server: LiveServer) -> Page:
    """The page of the module's ``incident``, of an analyst."""
    page = sign_in(analyst)
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    return page


def check_accessibility(page: Page) -> None:
    """Run axe's rules (WCAG 2 A and AA, best practices) on the page. Raises AssertionError that names what to mend."""
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    lines = [_told(rule) for rule in found]
    assert not found, f"axe on {page.url}:\n" + "\n".join(lines)


def _told(rule: dict[str, Any]) -> str:
    """One rule that is broken, and where."""
    places = [f"    {' '.join(map(str, node['target']))}\n      {node['html'][:160]}" for node in rule["nodes"][:5]]
    return "\n".join([f"{rule['id']} ({rule['impact']}): {rule['help']}", *places])
