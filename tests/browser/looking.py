"""Looks at a page as a strict reader does: axe in both themes, and what a narrow window hides."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import axe_playwright_python
from playwright.sync_api import Page

# Width and height in CSS pixels, and what they stand for (WCAG 1.4.4, 1.4.10; interface.md 5).
WINDOWS = {
    "200 % zoom": (720, 450),  # of a window of 1440 x 900
    "a phone": (360, 640),
    "400 % zoom": (320, 256),  # of a window of 1280 x 1024
}
# A theme changes colours alone, so the second one needs no more than the rules that look at them.
COLOURS = ["color-contrast", "link-in-text-block"]
THEMES: tuple[tuple[Literal["light", "dark"], list[str]], ...] = (("light", []), ("dark", COLOURS))
THEME = "theme => document.documentElement.dataset.bsTheme === theme"
# Nothing is on its way: what a page asks for when it is loaded has come, and stands in its place (the style guide
# shows a button at work, which is disabled).
SETTLED = """() => document.readyState === "complete" &&
  !document.querySelector(".htmx-request:not([disabled]), .htmx-swapping, .htmx-settling, .htmx-added")"""


@cache
def scripts() -> str:
    """axe, from the package that the other tests use, and our own."""
    axe = Path(axe_playwright_python.__file__).with_name("axe.min.js")
    return axe.read_text(encoding="utf-8") + Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def look(page: Page, *, frame: bool) -> list[str]:
    """What is wrong with the page, which is loaded in a wide window and follows the system's theme.

    Without ``frame`` axe leaves out the navigation: it is the same on all pages."""
    page.wait_for_function(SETTLED)
    page.evaluate(scripts())
    return [*_themes(page, [] if frame else [".side"]), *_narrow(page)]


def _themes(page: Page, without: list[str]) -> list[str]:
    """What axe says in the light theme and in the dark one."""
    told: list[str] = []
    for theme, only in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_function(THEME, arg=theme)
        found = page.evaluate("([only, without]) => looking.rules(only, without)", [only, without])
        told += [f"{theme}: {one}" for one in found]
    return told


def _narrow(page: Page) -> list[str]:
    """What does not fit, in each of the narrow windows, folded and unfolded. The page is not loaded anew: whoever zooms
    does not load it either."""
    told: list[str] = []
    for unfold in ("", "looking.unfold()"):
        page.evaluate(unfold)
        for name, (width, height) in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            told += [f"{name}: {one}" for one in page.evaluate("looking.lost()")]
    return list(dict.fromkeys(told))
