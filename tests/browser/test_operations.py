"""The page of operations in a browser: free of what axe finds, narrow enough for a phone, and true while it is open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from soar.accounts import audit
from soar.accounts.models import User
from soar.lib import heartbeat
from soar.models import QueuedTask
from tests.browser.conftest import SignIn, check_accessibility
from tests.test_operations_page import trouble

__all__ = ["trouble"]
PATH = "/settings/operations/"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(
    live_server: LiveServer,
    sign_in: SignIn,
    admin: User,
    trouble: dict[str, Any],
    settings: Any,
    theme: str,
    width: int,
) -> None:
    settings.QUEUE_AT_MOST = 500_000
    heartbeat.beat("worker")
    audit.record(None, "backup.made", "soar-nightly.backup", size=48_000_000, files=7, encrypted=True)
    page = sign_in(admin)
    page.set_viewport_size({"width": width, "height": 900})
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page.goto(live_server.url + PATH)
    check_accessibility(page)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    if folder := os.environ.get("SOAR_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"operations-{theme}-{width}.png", full_page=True)


def test_an_open_page_tells_what_has_changed(live_server: LiveServer, sign_in: SignIn, admin: User) -> None:
    page = sign_in(admin)
    page.goto(live_server.url + PATH)
    expect(page.get_by_text("No worker has given a sign of life")).to_be_visible()
    heartbeat.beat("worker")
    QueuedTask.objects.create(task="cases.tasks.push", args=[1])
    expect(page.get_by_text("No worker has given a sign of life")).to_have_count(0)
    expect(page.get_by_role("row", name="Alive Worker")).to_be_visible()
    expect(page.get_by_role("region", name="Queue")).to_contain_text("Tasks1")
