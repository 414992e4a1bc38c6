"""Texts of a ticket with names of the incident in them: ``{{ number }} {{ title }}``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

NAMES = (
    "number", "title", "severity", "status", "determination", "summary", "owner", "team", "url", "alerts",
    "observables",
)  # fmt: skip
_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def check(text: str) -> list[str]:
    """What is wrong with a template, in sentences; empty when nothing is."""
    unknown = dict.fromkeys(name.strip() for name in _MARK.findall(text) if name.strip() not in NAMES)
    problems = [
        _("There is no %(name)s. These can stand in it: %(names)s.")
        % {"name": f"{name!s:.40}", "names": ", ".join(NAMES)}
        for name in unknown
    ]
    rest = _MARK.sub("", text)
    if "{{" in rest or "}}" in rest:
        problems.append(_("A name stands between {{ and }}."))
    return problems


def render(text: str, words: Mapping[str, str]) -> str:
    """The template with its names replaced, once: what a name stands for is text and no template.
    Raises ValueError for a template that ``check`` has something against."""
    for problem in check(text):
        raise ValueError(problem)
    return _MARK.sub(lambda found: words.get(found[1].strip(), ""), text).strip()


def unrender(text: str, words: Mapping[str, str], rendered: str, name: str = "title") -> str:
    """What ``name`` would have to be for the template to give ``rendered``; all of it where the rest does not fit."""
    parts = re.split(r"\{\{\s*" + re.escape(name) + r"\s*\}\}", text)
    if len(parts) != 2:
        return rendered.strip()
    before, after = (render(part, words) for part in parts)
    if not (rendered.startswith(before) and rendered.endswith(after)) or len(rendered) < len(before) + len(after):
        return rendered.strip()
    return rendered[len(before) : len(rendered) - len(after)].strip() or rendered.strip()
