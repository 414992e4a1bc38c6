"""Reports as HTML, PDF and Markdown: whole, marked on each page, and harmless whatever an incident holds."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cases.actions import incidents
from cases.models import Alert, Incident
from cases.reporting import pdf
from cases.reporting.document import document
from cases.reporting.formats import FORMATS
from cases.reporting.options import Options
from cases.reporting.page import cleaned
from cases.reporting.sample import DOCUMENT
from soar.accounts.models import Team
from soar.lib.confined import Broken
from tests.exporting import SYSTEM, auditor, file_of, text_of_pdf, whole_incident, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<style>@import url(http://203.0.113.9/x)</style>",
    '<link rel=stylesheet href="http://203.0.113.9/x">',
    '<iframe src="file:///etc/passwd"></iframe>',
    '<a href="javascript:alert(1)">go</a>',
    "[go](javascript:alert(1))",
    "[go](https://evil.example.net/x)",
    "![x](http://203.0.113.9/pixel.png)",
    '<form action="http://203.0.113.9/"><input name=a><button>b</button></form>',
    '<meta http-equiv="refresh" content="0;url=http://203.0.113.9/">',
    '<base href="http://203.0.113.9/">',
    '<p style="background:url(http://203.0.113.9/)">styled</p>',
    "</main></td></tr></table><script>alert(2)</script>",
    "{{ incident }}{% debug %}{% include '/etc/passwd' %}",
    "=cmd|' /C calc'!A0",
    "```\n# out of the fence\n<script>alert(3)</script>\n```",
    "~~~~\n</div>",
    "| a | b |\n|---|---|\n| c | d |",
    "<!-- --><xmp><script>alert(4)</script></xmp>",
    "&lt;script&gt;alert(5)&lt;/script&gt;",
    "\x3cobject data='data:text/html;base64,PHNjcmlwdD4='\x3e",
)
ACTING = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "link",
    "base",
    "svg",
    "video",
    "audio",
}


class Marks(HTMLParser):
    """All tags of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def marks(page: bytes) -> list[tuple[str, dict[str, str | None]]]:
    """The tags of a page."""
    parser = Marks()
    parser.feed(page.decode())
    return parser.found


def assert_harmless(page: bytes) -> None:
    """Nothing in the page acts, loads, styles or leads to where nobody of ours has put it."""
    for tag, attributes in marks(page):
        assert tag not in ACTING, tag
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")], (
            attributes
        )
        href = attributes.get("href") or ""
        assert not href or href.startswith(("#", "https://soar.example")), href
    metas = [attributes for tag, attributes in marks(page) if tag == "meta" and "http-equiv" in attributes]
    assert len(metas) == 1
    assert (metas[0]["content"] or "").startswith("default-src 'none'; style-src 'sha256-")


def full_of(text: str) -> dict[str, Any]:
    """The sample's document with this text in the place of every text of people and products."""
    made = copy.deepcopy(DOCUMENT)
    incident = made["incident"]
    for name in ("title", "summary", "resolve_reason", "team", "opened_by", "template"):
        incident[name] = text
    incident["tags"], incident["servicenow"] = [text], [{"number": text, "state": "linked"}]
    for rows, names in {
        "owners": ["name"],
        "status_history": ["actor", "reason"],
        "alerts": ["title", "description", "hostname", "username", "source", "detection_model", "source_ip"],
        "observables": ["value", "added_by"],
        "assets": ["name", "type", "system"],
        "evidence": ["name", "description", "content_type", "added_by"],
        "tasks": ["title", "description", "done_by"],
        "responses": ["label", "connector", "message"],
    }.items():
        for name in names:
            made[rows][0][name] = text
    made["generated_by"]["name"] = text
    for entry in made["timeline"]:
        entry["text"] = entry["sentence"] = entry["actor"]["name"] = text
    return made


def rendered(read: dict[str, Any], format: str, template: str = "full") -> bytes:
    """The file."""
    made = FORMATS[format].render({**read, "options": {"template": template}})
    return made if isinstance(made, bytes) else b"".join(made)


@pytest.mark.parametrize("template", ["full", "executive", "authority"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_an_incident_does_anything_in_html(text: str, template: str) -> None:
    assert_harmless(rendered(full_of(text), "html", template))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_an_incident_does_anything_in_markdown(text: str) -> None:
    source = rendered(full_of(text), "md").decode()
    page = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(source)
    assert not {tag for tag, _attributes in marks(page.encode())} & (ACTING | {"a", "style", "meta"})
    assert [tag for tag, _attributes in marks(page.encode())].count("h1") == 1


def test_markup_that_a_template_brings_itself_is_cleaned_too() -> None:
    assert cleaned("".join(HOSTILE)).count("<script") == 0
    made = cleaned(
        '<p class="quiet" style="color:red" onclick="x()">a</p><a href="data:text/html,x">b</a><svg><a/></svg>'
    )
    assert made == '<p class="quiet">a</p><a rel="noopener noreferrer">b</a>'


def test_links_show_where_they_would_lead_and_lead_nowhere() -> None:
    read = full_of("See [the page](https://evil.example.net/a.html)")
    text = rendered(read, "html").decode()
    assert "the page (<code>hxxps://evil[.]example[.]net/a.html</code>)" in text


def test_hidden_characters_and_text_from_right_to_left() -> None:
    read = full_of("a\u202egpj.exe שלום عالم 🦅")
    text = rendered(read, "html").decode()
    assert "\u202e" not in text
    assert "[U+202E]gpj.exe שלום عالم 🦅" in text
    assert 'dir="auto"' in text
    assert "\u202e" not in rendered(read, "md").decode()


def test_a_text_of_a_megabyte_is_cut_with_a_word_about_it() -> None:
    read = copy.deepcopy(DOCUMENT)
    read["alerts"][0]["description"] = "x" * 1_000_000
    text = rendered(read, "html").decode()
    assert len(text) < 200_000
    assert "[980,000 more characters]" in text


@pytest.mark.parametrize("tlp", ["clear", "green", "amber", "amber+strict", "red", "unheard-of"])
def test_the_mark_of_html_stands_in_head_and_foot_of_what_is_printed(tlp: str) -> None:
    text = rendered({**copy.deepcopy(DOCUMENT), "tlp": tlp}, "html").decode()
    label = "TLP:RED" if tlp == "unheard-of" else f"TLP:{tlp.upper()}"
    head, foot = (re.search(rf"<{part}>(.*?)</{part}>", text, re.DOTALL) for part in ("thead", "tfoot"))
    assert head
    assert foot
    assert label in head[1]
    assert label in foot[1]


def test_a_pdf_has_the_mark_above_and_below_numbers_bookmarks_and_facts_about_itself(blue: Team) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    incident = whole_incident(blue)
    for number in range(60):
        incidents.comment(SYSTEM, incident.pk, f"Note {number} " + "of many words " * 40)
    audra = auditor()
    job = worked(audra, incident, "pdf")
    assert job.status == "successful", job.message
    content = file_of(audra, job)
    pages = text_of_pdf(content)
    assert len(pages) > 2
    for number, text in enumerate(pages, 1):
        assert text.count("TLP:AMBER") >= 2
        assert f"{number} / {len(pages)}" in text
    reader = PdfReader(BytesIO(content))
    assert incident.title in str(reader.metadata.title if reader.metadata else "")
    assert "Audra Nyberg" in str(reader.metadata.author if reader.metadata else "")
    titles = [str(one.title) for one in _flat(reader.outline)]
    assert incident.title in titles
    assert any(title.startswith("Timeline") for title in titles)


def _flat(outline: Any) -> list[Any]:
    """Bookmarks of all levels."""
    return [leaf for one in outline for leaf in (_flat(one) if isinstance(one, list) else [one])]


def test_a_pdf_of_hostile_texts_is_made_and_holds_no_link_and_no_script() -> None:
    content = rendered(full_of("\n".join(HOSTILE)), "pdf")
    assert content.startswith(b"%PDF")
    assert b"/JavaScript" not in content
    assert b"/URI" not in content
    assert "alert(1)" in "".join(text_of_pdf(content))


def test_a_pdf_that_takes_too_long_is_stopped_with_a_word(settings: Any) -> None:
    settings.REPORT_SECONDS = 1
    with pytest.raises(pdf.NoPdf, match="too long"):
        rendered(full_of("word " * 4000), "pdf")


def test_a_pdf_that_needs_too_much_memory_is_stopped_with_a_word(settings: Any) -> None:
    settings.REPORT_MEMORY_MB = 60
    with pytest.raises(pdf.NoPdf, match="could not be made"):
        rendered(copy.deepcopy(DOCUMENT), "pdf")


def test_a_server_without_pango_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pango(*_args: Any) -> bytes:
        told = {"error": "PDF needs the Pango library (libpango-1.0-0, libpangoft2-1.0-0) on the server."}
        raise Broken(told["error"], told)

    monkeypatch.setattr(pdf, "run", no_pango)
    with pytest.raises(pdf.NoPdf, match="Pango"):
        rendered(copy.deepcopy(DOCUMENT), "pdf")


def test_a_failed_pdf_ends_the_job_with_the_reason(settings: Any, blue: Team) -> None:
    settings.REPORT_MEMORY_MB = 60
    job = worked(auditor(), whole_incident(blue), "pdf")
    assert job.status == "unsuccessful"
    assert "HTML can be exported instead" in job.message


@pytest.mark.parametrize("template", ["full", "executive", "authority"])
def test_each_shipped_template_tells_a_real_incident_and_an_empty_one(blue: Team, template: str) -> None:
    audra = auditor()
    whole = document(audra, whole_incident(blue).pk, Options(template=template))
    assert "Beaconing host" in rendered(whole, "html", template).decode()
    empty = Incident.objects.get(pk=incidents.open_incident(SYSTEM, title="Nothing yet", team=blue).pk)
    assert "Nothing yet" in rendered(document(audra, empty.pk), "html", template).decode()


def test_observables_are_defanged(blue: Team) -> None:
    incident = whole_incident(blue)
    Alert.objects.filter(incident=incident).update(source_ip="203.0.113.7")
    for format in ("html", "md"):
        text = rendered(document(auditor(f"a-{format}"), incident.pk), format).decode().replace("\\", "")
        assert "203[.]0[.]113[.]7" in text
        assert "hxxps://evil[.]example[.]net/path" in text
