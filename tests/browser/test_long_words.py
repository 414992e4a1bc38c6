"""One long word anywhere in what people and products write: nothing is cut off, no page scrolls sideways."""

from __future__ import annotations

from hashlib import sha256

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from cases.actions import alerts, incidents
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Observable
from playbooks.actions import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import User
from tests.browser.conftest import SignIn
from tests.factories import make_alert, make_incident, make_source
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import NEVER

__all__ = ["folder"]
WIDTHS = (360, 390, 1440)
WORD = "Wq" * 250
HASH = sha256(b"dropper").hexdigest()
URL = "http://203.0.113.9/" + "a1b2" * 100
PAGES = {
    "queue": "/alerts/",
    "alert": "/alerts/{alert}/",
    "raw": "/alerts/{alert}/raw/",
    "incidents": "/incidents/",
    "incident": "/incidents/{incident}/",
    "suggestions": "/incidents/suggestions/",
    "observables": "/observables/",
    "observable": "/observables/{observable}/",
    "run": "/runs/{run}/",
    "runs": "/runs/",
    "sources": "/sources/",
    "source, edited": "/sources/{source}/edit/",
    "chips": f"/alerts/?host={WORD[:255]}&q={WORD[:200]}",
}
LONG = f"""
@action
async def look_up(host):
    return {{"host": host, "sha256": "{HASH}" * 4, "flat": "{WORD}"}}

@action
async def refuse(host):
    raise ValueError("refused " + host)

@playbook({NEVER})
async def wordy(alert):
    await look_up(alert["title"])
    await refuse(alert["title"])
"""
# What stands out of the window, and what scrolls sideways within it although it is text.
BEYOND = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push(`the page: ${document.documentElement.scrollWidth}`);
  const held = (el) => { for (let up = el.parentElement; up; up = up.parentElement) {
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return true; } return false; };
  for (const el of document.querySelectorAll("main *")) {
    const box = el.getBoundingClientRect(), style = getComputedStyle(el);
    if (!box.width || style.visibility === "hidden" || el.closest(".visually-hidden")) continue;
    const name = `${el.tagName.toLowerCase()}.${el.className} in ${el.closest("[id]")?.id}`;
    if (box.right > width + 1 && !held(el)) found.push(`${name}: ends at ${Math.round(box.right)}`);
    if (el.matches(".scroll, .box, .peek") && el.scrollWidth > el.clientWidth + 1) {
      found.push(`${name}: ${el.scrollWidth} in ${el.clientWidth}`);
    }
  }
  return found.slice(0, 8);
}"""


@pytest.fixture
def places(folder: Folder, admin: User) -> dict[str, object]:
    """An alert, an incident, an observable and a run of one long word each."""
    source = make_source("S" * 100)
    held = (("sha256", HASH), ("url", URL), ("domain", f"{'a' * 60}.{'b' * 60}.example.net"), ("file_name", WORD[:255]))
    for number in range(2):
        alert = make_alert(
            WORD, severity=Severity.HIGH, source=source, hostname=f"{WORD[:250]}{number}", username=WORD[:255],
            detection_model="M" * 255, tags=["t" * 100, "u" * 100], observables=held, description=f"Seen {WORD} {URL}",
            entities=[{"type": "process", "name": WORD, "command_line": f"{WORD} {URL}", "sha256": HASH}],
            source_ref=WORD[:255], external_link="https://edr.example.net/" + "x" * 200, source_ip="2001:db8::203:7",
        )  # fmt: skip
    actor = Actor.of(admin)
    alerts.comment(actor, alert.pk, f"{WORD} {HASH} {URL} `{WORD}`")
    alerts.resolve(actor, alert.pk, determination="malicious", reason=WORD)
    inside = make_alert(WORD, source=source, hostname=f"{WORD[:250]}0", observables=held, tags=["t" * 100])
    incident = make_incident(WORD[:300], inside, owners=[admin], lead=admin, tags=["t" * 100])
    incidents.comment(actor, incident.pk, f"# {WORD}\n\n- {HASH}\n\n| a | b |\n|---|---|\n| {WORD} | {URL} |")
    incidents.set_status(actor, incident.pk, "in_progress", reason=WORD)
    folder.load(LONG)
    run_by_hand(Actor.system(), Playbook.objects.get(), alert=alert)
    work()
    return {
        "alert": alert.number, "incident": incident.number, "run": Run.objects.get().pk,
        "observable": Observable.objects.get(value=URL).pk, "source": source.slug,
    }  # fmt: skip


def test_no_page_scrolls_sideways(
    places: dict[str, object], admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page, told = sign_in(admin), []
    for name, path in PAGES.items():
        address = live_server.url + path.format(**places)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(address)
            assert answer
            assert answer.ok, name
            page.wait_for_load_state("networkidle")
            told += beyond(page, f"{name} at {width}")
    assert not told, "\n".join(told)


def test_the_panel_and_the_dialogs_hold_long_words(
    places: dict[str, object], admin: User, sign_in: SignIn, live_server: LiveServer
) -> None:
    page = sign_in(admin)
    page.goto(f"{live_server.url}/alerts/")
    page.locator(".c-title a").first.click()
    page.locator("#panel h1").wait_for()
    page.wait_for_load_state("networkidle")
    told = beyond(page, "panel")
    page.keyboard.press("r")
    page.get_by_role("dialog").wait_for()
    assert page.locator("#dialog").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert not told, "\n".join(told)


def beyond(page: Page, where: str) -> list[str]:
    """What does not fit, each with where it is."""
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    return [f"{where}: {one}" for one in page.evaluate(BEYOND)]
