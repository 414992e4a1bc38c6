"""The small parts of a page: nothing typed by others becomes mark-up, words are the API's own, and times are true."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from soar.lib import htmx, parts, text

EVIL = "<script>alert(1)</script>\"'"
NOW = datetime(2026, 3, 12, 9, 41, 7, tzinfo=UTC)
STATIC = Path(settings.BASE_DIR) / "static"


class Person:
    """Somebody with a name and an id."""

    def __init__(self, name: str, pk: int = 1) -> None:
        self.name, self.pk = name, pk

    def display_name(self) -> str:
        return self.name


def draw(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    "html",
    [
        parts.sev(EVIL), parts.state(EVIL), parts.state(EVIL, hidden=True), parts.determination(EVIL),
        parts.risk(EVIL), parts.pill(EVIL, EVIL), parts.tlp(EVIL), parts.icon(EVIL, EVIL),
        parts.face(Person(EVIL)), parts.person(Person(EVIL)), parts.observable(EVIL, EVIL),
        htmx.live(EVIL), htmx.toast(EVIL, detail=EVIL), text.markdown(EVIL), text.markdown(f"@x {EVIL}"),
    ],
)  # fmt: skip
def test_no_part_lets_markup_of_others_through(html: str) -> None:
    assert "<script" not in html
    assert not re.search(r"""=[^">]*["']>alert""", html)


@pytest.mark.parametrize("word", ["informational", "low", "medium", "high", "critical"])
def test_a_severity_has_word_shape_and_class(word: str) -> None:
    html = draw("{% sev word %}", word=word)
    assert f'class="sev sev-{word}"' in html
    assert f"#sev-{word}" in html
    assert word.capitalize() in html


def test_a_dense_row_keeps_the_word_for_readers() -> None:
    html = draw("{% state 'in_progress' True %}")
    assert 'title="In progress"' in html
    assert '<span class="visually-hidden">In progress</span>' in html


def test_work_of_a_run_moves_and_of_an_alert_does_not() -> None:
    assert 'class="i spin"' in draw("{% run_state 'in_progress' %}")
    assert "spin" not in draw("{% state 'in_progress' %}")


def test_a_word_nobody_foresaw_is_still_readable() -> None:
    assert "Waiting for rain" in parts.state("waiting_for_rain")


def test_every_sign_of_the_parts_is_in_the_sprite() -> None:
    sprite = (STATIC / "icons.svg").read_text()
    drawn = "".join(
        [*map(parts.sev, ["informational", "low", "medium", "high", "critical"])]
        + [parts.state(word, running=True) for word in RUN_WORDS + CASE_WORDS]
        + [*map(parts.determination, parts.DETERMINATION_ICONS), *map(parts.risk, parts.RISK_ICONS)]
    )
    names = set(re.findall(r'#([a-z_-]+)"', drawn))
    assert len(names) > 20
    assert not {name for name in names if f'id="{name}"' not in sprite}


CASE_WORDS = ["new", "in_progress", "resolved", "open", "contained", "closed"]
RUN_WORDS = [
    "queued", "in_progress", "pending_approval", "needs_decision", "successful", "partially_successful",
    "unsuccessful", "cancelled",
]  # fmt: skip


def test_every_state_of_a_run_has_a_tone() -> None:
    css = (STATIC / "css" / "soar.css").read_text()
    assert not [word for word in RUN_WORDS if f".is-{word}" not in css]


def test_nobody_is_unassigned_and_a_face_alone_has_a_name() -> None:
    assert 'aria-label="Unassigned"' in draw("{% face user %}", user=None)
    alone = draw("{% face user %}", user=Person("Mara Lindqvist", 6))
    assert ">ML<" in alone
    assert 'role="img" aria-label="Mara Lindqvist"' in alone
    assert "face-b" in alone
    assert 'aria-hidden="true"' in draw("{% face user True %}", user=Person("Mara Lindqvist"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "–"),
        ("mara", "M"),
        ("mara.lindqvist", "ML"),
        ("Tomás de la Ibarra", "TI"),
        ("  ", "–"),
        ("o.strand (ServiceNow)", "OS"),
        ("(bot)", "B"),
        ("…", "–"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert text.initials(name) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=-30), "0 s"), (timedelta(seconds=59), "59 s"), (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=23, minutes=59), "23 h"), (timedelta(days=40), "40 d"),
    ],
)  # fmt: skip
def test_ago(age: timedelta, expected: str) -> None:
    assert text.ago(NOW - age, NOW) == expected


def test_a_time_is_relative_with_the_exact_one_of_the_persons_zone() -> None:
    with timezone.override("Europe/Oslo"):
        html = parts.ago(NOW, NOW + timedelta(minutes=11), suffix=True)
    assert 'datetime="2026-03-12T09:41:07Z"' in html
    assert 'title="2026-03-12 10:41:07 CET"' in html
    assert ">11 min ago<" in html
    assert parts.ago(None) == "–"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://a.b.example/x.y?z=1", "hxxps://a[.]b[.]example/x.y?z=1"),
        ("HTTP://a.example", "hxxp://a[.]example"),
        ("203.0.113.7", "203[.]0[.]113[.]7"),
        ("a.voss@mail.example", "a.voss[at]mail[.]example"),
        ("already[.]example", "already[.]example"),
        ("", ""),
    ],
)
def test_defang(value: str, expected: str) -> None:
    assert text.defang(value) == expected


@pytest.mark.parametrize("type", ["file_name", "file_path", "process", "user", "registry_key", "cve", "crypto", "host"])
def test_what_nothing_opens_is_not_defanged(type: str) -> None:
    assert text.defang("invoice.v2@9.pdf", type) == "invoice.v2@9.pdf"
    part = '{% include "components/observable.html" with value=value type=type only %}'
    html = draw(part, value="report.pdf", type=type)
    assert "report.pdf" in html
    assert "[.]" not in html


@pytest.mark.parametrize("type", ["url", "domain", "hostname", "ip", "email", ""])
def test_what_is_opened_by_accident_is_defanged(type: str) -> None:
    for part in ("{% observable value '' type %}", '{% include "components/observable.html" %}'):
        html = draw(part, value="evil.example", type=type)
        assert "evil[.]example" in html
        assert 'title="evil.example"' not in html


def test_nothing_that_is_pressed_is_a_live_region() -> None:
    """A link with the role of a status is no link any more for who hears the page."""
    pressed = re.compile(r'<(?:a|button|input|select|summary|label)\b[^<>]*\brole="(?:status|alert|log)"')
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        assert not pressed.search(re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"))), path


def test_only_a_hash_is_shortened() -> None:
    assert text.shorten_hash("9f2c41" + "0" * 52 + "d87e0b") == "9f2c41…d87e0b"
    assert text.shorten_hash("FIN-LT-0231.corp.example.with.a.long.name.that.is.not.a.hash") != "FIN-LT…a.hash"


def test_an_observable_is_never_a_live_link_and_can_be_copied_both_ways() -> None:
    html = draw('{% include "components/observable.html" %}', value="https://evil.example/a?b=1&c=2", url="/o/1/")
    assert 'href="/o/1/"' in html
    assert 'href="https' not in html
    assert 'data-copy="https://evil.example/a?b=1&amp;c=2"' in html
    assert 'data-copy="hxxps://evil[.]example/a?b=1&amp;c=2"' in html


@pytest.mark.parametrize(
    ("source", "never"),
    [
        ("<b onclick=alert(1)>x</b>", "<b"),
        ("[x](javascript:alert(1))", 'href="javascript'),
        ("![x](https://tracker.example/p.png)", "<img"),
        ('<span class="at">@root</span>', '<span class="at">@root</span></p>\n<'),
        ("https://evil.example/", 'href="https://evil'),
    ],
)
def test_markdown_refuses(source: str, never: str) -> None:
    assert never not in text.markdown(source)


def test_markdown_gives_links_that_tell_nothing() -> None:
    html = text.markdown("[x](https://example.org/) and `code` and\n\n|a|b|\n|-|-|\n|1|2|")
    assert 'rel="noopener nofollow ugc"' in html
    assert "<code>code</code>" in html
    assert "<td>1</td>" in html


def test_a_list_of_what_is_to_be_done_shows_its_boxes() -> None:
    html = text.markdown("- [ ] call **them**\n- [x] told\n- [](x) and [ ] inside\n\n[ ] no list\n\n1. [X] first")
    assert "<li>☐ call <strong>them</strong></li>" in html and "<li>☑ told</li>" in html and "<li>☑ first</li>" in html
    assert "and [ ] inside" in html and "<p>[ ] no list</p>" in html


def test_mentions_are_marked_in_words_only() -> None:
    html = text.markdown("@mara see `@code`, a@mail.example and @nobody", {"mara": "Mara <L>"})
    assert '<span class="at">@Mara &lt;L&gt;</span>' in html
    assert html.count('class="at"') == 1
    assert "@nobody" in html


class AForm(forms.Form):
    """A field that can be wrong."""

    mail = forms.EmailField(help_text="One address")
    kinds = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)


def test_a_wrong_field_keeps_what_was_typed_and_is_tied_to_its_error() -> None:
    html = draw("{% field form.mail %}", form=AForm({"mail": "no <at>", "kinds": ["b"]}))
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described
    assert all(f'id="{name}"' in html for name in described[1].split())
    assert 'aria-invalid="true"' in html
    assert 'value="no &lt;at&gt;"' in html
    assert "Enter a valid email address" in html


def test_several_ticks_keep_what_was_ticked() -> None:
    html = draw("{% field form.kinds %}", form=AForm({"kinds": ["b"]}))
    assert re.search(r'value="b" id="[^"]+" checked', html)
    assert not re.search(r'value="a" id="[^"]+" checked', html)
    assert "<legend>" in html


def asked(**headers: str) -> HttpRequest:
    return RequestFactory().get("/", headers=headers)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_who_gets_a_region_and_who_the_page(headers: dict[str, str], expected: bool) -> None:
    assert htmx.is_partial(asked(**headers)) is expected


def test_an_error_toast_stays_and_others_fade() -> None:
    assert "data-fades" in htmx.toast("Saved")
    stays = htmx.toast("Not saved", "red")
    assert "data-fades" not in stays
    assert 'role="alert"' in stays


def test_a_redirect_moves_the_whole_page_for_htmx() -> None:
    assert htmx.redirect(asked(**{"HX-Request": "true"}), "/x/")["HX-Redirect"] == "/x/"
    assert htmx.redirect(asked(), "/x/")["Location"] == "/x/"


def test_no_template_or_script_breaks_the_content_security_policy() -> None:
    templates = Path(settings.BASE_DIR) / "templates"
    pattern = re.compile(r"""\sstyle=|\son[a-z]+=|hx-on|js:\{|<script(?![^>]*\ssrc=)|<style\b|hx-trigger="[^"]*\[""")
    bad = [
        f"{path.relative_to(templates)}: {found[0]}"
        for path in templates.rglob("*.html")
        if (found := pattern.search(path.read_text()))
    ]
    assert bad == []
    scripts = "".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    assert not re.search(r"\beval\(|\bFunction\(", scripts)


def test_scripts_keep_nothing_in_the_browser_but_places_of_the_queue() -> None:
    """ASVS 14.3.3: of what a portal shows nothing stays in the browser. What is kept for the tab is addresses."""
    kept = {
        path.name: re.findall(r"\b(localStorage|sessionStorage|indexedDB|document\.cookie|caches)\b", path.read_text())
        for path in (STATIC / "js").glob("*.js")
    }
    assert {name: set(found) for name, found in kept.items() if found} == {"beside.js": {"sessionStorage"}}
    config = (Path(settings.BASE_DIR) / "templates/components/htmx_config.html").read_text()
    assert '"historyCacheSize":0' in config, "htmx would keep whole pages"


def test_the_stylesheet_stays_small_and_loads_nothing_from_elsewhere() -> None:
    css = (STATIC / "css" / "soar.css").read_text()
    assert len(css.splitlines()) < 400
    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize("path", sorted(Path(settings.BASE_DIR).glob("templates/**/*.html")), ids=str)
def test_sentences_for_translators_name_plain_variables(path: Path) -> None:
    """Inside blocktranslate ``{{ a.b }}`` is drawn as nothing: it needs ``with``."""
    for sentence in re.findall(r"{% blocktranslate.*?%}(.*?){% endblocktranslate %}", path.read_text(), re.S):
        for name in re.findall(r"{{(.*?)}}", sentence):
            assert re.fullmatch(r"\s*\w+\s*", name), f"{name} in {sentence}"
