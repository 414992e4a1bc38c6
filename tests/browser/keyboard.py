"""Hands on a keyboard: every step is Tab, Enter, Space, arrows and typing. No mouse, and no focus that Tab does not
lead to."""

from __future__ import annotations

from re import Pattern

from playwright.sync_api import Locator, Page, expect

MOST = 200  # stops that Tab makes before it is taken as not leading there


def walk(page: Page, wanted: Locator, what: str, *, back: bool = False) -> None:
    """Go there with Tab, or with Shift and Tab. Fails if that does not lead there."""
    expect(wanted).to_be_visible()
    for _step in range(MOST):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab does not lead to {what}")


def press(page: Page, role: str, name: str | Pattern[str], key: str = "Enter", *, back: bool = False) -> None:
    """Walk to the control and press a key on it."""
    exact = isinstance(name, str)
    wanted = page.get_by_role(role, name=name, exact=exact).first  # type: ignore[arg-type]
    walk(page, wanted, f"the {role} {name!r}", back=back)
    page.keyboard.press(key)


def write(page: Page, label: str, text: str, within: str = "body") -> None:
    """Walk to a field and write into it. ``within``: where, should the label be there more than once."""
    walk(page, page.locator(within).get_by_label(label, exact=True).first, repr(label))
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def choose(page: Page, label: str, letters: str, shown: str) -> None:
    """Choose in a list by its first letters."""
    field = page.get_by_label(label, exact=True).first
    walk(page, field, repr(label))
    page.keyboard.type(letters)
    expect(field.locator("option:checked")).to_have_text(shown)


def turn(page: Page, first: str, wanted: str) -> None:
    """Of several that exclude one another: walk to the one that is chosen, and on with the arrow."""
    walk(page, page.get_by_role("radio", name=first, exact=True).and_(page.locator(":visible")).first, repr(first))
    choice = page.get_by_role("radio", name=wanted, exact=True).and_(page.locator(":visible")).first
    for _step in range(20):
        if choice.is_checked():
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrow does not lead to {wanted!r}")


def unfold(page: Page, part: str) -> None:
    """Open a <details>, named by its selector."""
    walk(page, page.locator(f"{part} > summary"), part)
    page.keyboard.press("Enter")


def applied(page: Page) -> None:
    """Apply the builder's form, and wait until it is saved."""
    press(page, "button", "Apply")
    expect(page.locator("#live")).to_have_text("Saved.")
    expect(page.get_by_role("button", name="Apply", exact=True)).to_be_focused()
    page.locator("#live").evaluate("one => { one.textContent = '' }")


def tick(page: Page, label: str) -> None:
    """Walk to a tick or switch that is seen, and set it. Fails if it is set already."""
    box = page.get_by_label(label, exact=True).and_(page.locator("input:visible")).first
    walk(page, box, repr(label))
    expect(box).not_to_be_checked()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
