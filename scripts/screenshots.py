"""``make screenshots``: the pictures of the documentation, taken of a portal with the demo that is started for them.

Writes ``docs/images/screens/*.png`` and the page that shows them, ``docs/screenshots.md``.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "images" / "screens"
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)


@dataclass(frozen=True)
class Picture:
    """``path`` is opened, then the first link that ``follow`` finds is followed."""

    name: str
    caption: str
    path: str
    follow: str = ""
    dark: bool = False
    phone: bool = False


ALL = (
    Picture("dashboard", "The dashboard: what waits for you, what is urgent, what came in", "/"),
    Picture("queue", "The alert queue, by urgency", "/alerts/"),
    Picture("alert", "An alert with its observables and what is like it", "/alerts/", 'main a[href^="/alerts/ALR-"]'),
    Picture("incident", "An incident with its timeline", "/incidents/", 'main a[href^="/incidents/INC-"]'),
    Picture("incident-dark", "The same by night", "/incidents/", 'main a[href^="/incidents/INC-"]', dark=True),
    Picture("incident-phone", "The same on a phone", "/incidents/", 'main a[href^="/incidents/INC-"]', phone=True),
    Picture("playbooks", "Playbooks, those drawn in the browser and those written in Python", "/playbooks/"),
    Picture("run", "A run with its steps", "/runs/", 'main tbody a[href^="/runs/"]'),
    Picture("responses", "Response tasks: what was done on which object, and what the product said", "/responses/"),
    Picture("attack", "ATT&CK techniques seen in alerts and incidents", "/attack/", dark=True),
    Picture("servicenow", "Tickets of ServiceNow kept equal with incidents", "/servicenow/"),
    Picture("handover", "The hand-over of a shift", "/hand-over/"),
    Picture("queue-phone", "The queue on a phone", "/alerts/", phone=True, dark=True),
)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def portal() -> Iterator[tuple[str, str, str]]:
    """A portal with the demo in a data folder of its own. Yields its address and its first login and password."""
    with tempfile.TemporaryDirectory(prefix="soar-screens-") as folder:
        given = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        env = {**given, "SOAR_DATA": folder, "PORT": str(free_port()), "SOAR_DEMO": "1", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "manage.py", "up"]
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _ready(process)
            finally:
                process.terminate()
                process.communicate()


def _ready(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    login, address, demo = ("", ""), "", False
    assert process.stdout
    for line in process.stdout:
        if found := re.search(r"shown this once: (\S+) / (\S+)", line):
            login = (found[1], found[2])
        if found := re.search(r"ready: (http://\S+?)/?$", line.strip()):
            address = found[1]
        demo = demo or "Demo data loaded" in line
        if address and demo:
            return address, *login
    sys.exit("The portal did not start.")


def sign_in(page: Page, address: str, name: str, password: str) -> None:
    """As a person does it."""
    page.goto(f"{address}/accounts/login/")
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").first.click()
    page.wait_for_url(f"{address}/**")
    page.wait_for_load_state("networkidle")


def take(page: Page, address: str, picture: Picture) -> None:
    """One picture of one page, once its parts have come."""
    page.set_viewport_size(PHONE if picture.phone else WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark" if picture.dark else "light", reduced_motion="reduce")
    page.goto(f"{address}{picture.path}")
    if picture.follow:
        page.goto(address + str(page.locator(picture.follow).first.get_attribute("href")))
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{picture.name}.png")


def write_page() -> None:
    """The page that shows them."""
    parts = [f"![{one.caption}](images/screens/{one.name}.png)\n\n*{one.caption}*" for one in ALL]
    text = "# Pictures\n\nTaken of the demo by `make screenshots`.\n\n" + "\n\n".join(parts) + "\n"
    (ROOT / "docs" / "screenshots.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Take all of them anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with portal() as (address, name, password), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        sign_in(page, address, name, password)
        for picture in ALL:
            take(page, address, picture)
        browser.close()
    write_page()


if __name__ == "__main__":
    main()
