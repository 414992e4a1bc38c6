"""The templates of reports there are to choose from: those that come with the product, and those of admins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.errors import Refused
from cases.models import ReportTemplate
from cases.reporting.context import context_of
from cases.reporting.sample import DOCUMENT
from soar.lib.confined import Broken, Limits, run

FOLDER = Path(__file__).parent / "shipped"
CHILD = Path(__file__).with_name("template_child.py")
RENDERING = Limits(seconds=15, memory=1024, output=50)
BODY_AT_MOST = 200_000


@dataclass(frozen=True, slots=True)
class Shipped:
    """A template of the product; its body is the file ``<slug>.html``."""

    slug: str
    name: str
    description: str

    @property
    def body(self) -> str:
        """The template."""
        return _body_of(self.slug)


SHIPPED = {
    one.slug: one
    for one in (
        Shipped(
            "full",
            gettext_noop("Full report"),
            gettext_noop("Everything: summary, alerts, observables, evidence, tasks, response, timeline."),
        ),
        Shipped(
            "executive",
            gettext_noop("Executive summary"),
            gettext_noop("What happened, how bad, what was done: one or two pages."),
        ),
        Shipped(
            "authority",
            gettext_noop("Hand-over to an authority"),
            gettext_noop("Facts, evidence with hashes, chain of custody, timeline."),
        ),
    )
}


@cache
def _body_of(slug: str) -> str:
    return (FOLDER / f"{slug}.html").read_text(encoding="utf-8")


def choices() -> list[tuple[str, str, str]]:
    """``(slug, name, description)`` of what can be chosen: the product's first, then those of admins by name."""
    own = ReportTemplate.objects.filter(enabled=True).values_list("slug", "name", "description")
    return [*((one.slug, _(one.name), _(one.description)) for one in SHIPPED.values()), *own]


def template_named(slug: str) -> Shipped | ReportTemplate:
    """The template that can be chosen under this name. Raises Refused that names those there are."""
    found = SHIPPED.get(slug) or ReportTemplate.objects.filter(slug=slug, enabled=True).first()
    if found is None:
        raise Refused(
            _("Must be one of: %(choices)s.") % {"choices": ", ".join((one for one, _name, _about in choices()))},
            field="template",
        )
    return found


def check(body: str) -> None:
    """Raise Refused beside the field, with the line, for what cannot be read or fails on a small incident."""
    if len(body) > BODY_AT_MOST:
        raise Refused(
            _("At most %(body_at_most)s characters, this has %(count)s.")
            % {"body_at_most": f"{BODY_AT_MOST:,}", "count": f"{len(body):,}"},
            field="body",
        )
    rendered(body, context_of(DOCUMENT, "Preview"))


def rendered(body: str, context: dict[str, Any]) -> str:
    """What a template makes of a context, not cleaned yet. Raises Refused with the line of the template."""
    given = json.dumps({"body": body, "context": context}).encode()
    try:
        return run(CHILD, given, RENDERING).decode("utf-8", "replace")
    except Broken as error:
        line = error.told.get("line")
        where = _("Line %(line)s: ") % {"line": line} if line else ""
        raise Refused(f"{where}{error}", field="body", line=line) from error
