"""Words of templates (soar/templatetags/words.py): in the language of now, and as Django writes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import engines
from django.utils import translation


def said(source: str, language: str = "en", **context: Any) -> str:
    """What a template says."""
    with translation.override(language):
        return str(engines["django"].from_string("{% load i18n %}" + source).render(context))


def test_one_template_speaks_the_language_of_each_reader() -> None:
    template = engines["django"].from_string('{% load i18n %}{% translate "Password" %}')
    for language, word in (("en", "Password"), ("de", "Passwort"), ("fr", "Mot de passe"), ("de", "Passwort")):
        with translation.override(language):
            assert template.render() == word


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{% translate '100 % of it' %}", "100 % of it"),
        ("{% translate 'It\\'s & <b>' %}", "It's & <b>"),
        ("{% translate name %}", "&lt;b&gt;"),
        ("{% translate 'Password' as word %}{{ word }}, {{ word }}", "Password, Password"),
        ("{% translate 'Password' noop %}", "Password"),
        ("{% translate 'may'|upper %}", "MAY"),
        ("{% translate 'May' context 'alt. month' %}", "May"),
        ("{% trans '' %}", ""),
        ("{% blocktranslate %}{{ name }} of 100 %{% endblocktranslate %}", "&lt;b&gt; of 100 %"),
        ("{% blocktranslate with n=2 %}{{ n }} for {{ name }}{% endblocktranslate %}", "2 for &lt;b&gt;"),
        ("{% blocktranslate trimmed asvar text %} a\n b {% endblocktranslate %}{{ text }}", "a b"),
    ],
)
def test_as_django_writes_them(source: str, shown: str) -> None:
    assert said(source, name="<b>") == shown


def test_a_sentence_follows_its_number_and_its_values() -> None:
    source = "{% blocktranslate count n=n %}{{ n }} day of {{ who }}{% plural %}{{ n }} days of {{ who }}"
    template = engines["django"].from_string("{% load i18n %}" + source + "{% endblocktranslate %}")
    told = [template.render({"n": n, "who": who}) for n, who in ((1, "a"), (2, "b"), (1, "c"))]
    assert told == ["1 day of a", "2 days of b", "1 day of c"]


def test_signs_by_a_name_and_by_a_variable() -> None:
    template = engines["django"].from_string('{% icon "plus" "i-14" %}{% icon name %}')
    first, second = template.render({"name": "up"}), template.render({"name": "down"})
    assert "#plus" in first and "#up" in first and "#down" in second and "i-14" in second
