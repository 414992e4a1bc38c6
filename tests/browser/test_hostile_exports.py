"""Reports of hostile incidents, opened as files in the browser: nothing runs, nothing leaves, nothing is injected."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from cases.reporting.formats import FORMATS
from tests.browser.test_hostile_pages import INJECTED, Watch
from tests.hostile_texts import CORPUS, full_of

# What a report is made of; another element came from a text.
ELEMENTS = """() => [...new Set([...document.body.querySelectorAll("*")].map((one) => one.localName))]"""
USUAL = {
    "article", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "header", "hr", "li",
    "main", "ol", "p", "pre", "section", "span", "strong", "table", "tbody", "td", "tfoot", "th", "thead", "time",
    "tr", "ul",
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("template", ["full", "executive", "authority"])
def test_a_report_from_a_folder_runs_nothing_and_asks_for_nothing(
    context: BrowserContext, tmp_path: Path, template: str
) -> None:
    page, told = context.new_page(), []
    watch = Watch(tmp_path.as_uri())
    watch.on(page)
    for number, text in enumerate([*CORPUS, "\n".join(CORPUS)]):
        path = tmp_path / f"{number}.html"
        made = FORMATS["html"].render({**full_of(text), "options": {"template": template}})
        path.write_bytes(made if isinstance(made, bytes) else b"".join(made))
        page.goto(path.as_uri())
        found = [*watch.taken(), *page.evaluate(INJECTED)]
        found += [f"element {one}" for one in page.evaluate(ELEMENTS) if one not in USUAL]
        told += [f"{text[:40]!r}: {one}" for one in found if not one.startswith("scrolls sideways")]
    assert not told, "\n".join(told)
    page.close()
