"""The ATT&CK matrix: tactics as columns, techniques with the figures of a time, each a link (casework.md 6)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from cases.attack.catalog import Catalog, Technique
from cases.attack.counts import Counts, of_alerts, of_incidents
from cases.attack.stored import catalog
from cases.filters_fields import moment
from cases.views.parts import person_of, signed_in_reader
from soar.lib.htmx import is_partial, live, push_url, render_regions

TEMPLATE = "cases/attack/matrix.html"
PERIODS = {"24h": gettext_noop("24 hours"), "7d": gettext_noop("7 days"), "30d": gettext_noop("30 days"),
           "90d": gettext_noop("90 days")}  # fmt: skip
USUAL = "30d"
MEASURES = {"alerts": gettext_noop("Alerts"), "incidents": gettext_noop("Incidents")}
SHADES = 5
OTHERS_AT_MOST = 100


@dataclass(slots=True)
class Cell:
    """A technique with its figures of a ``period``; ``shade`` 0 (none) to 5 (the most) is how it is coloured. Its links
    are made when they are asked for: of a thousand techniques a page shows some dozens."""

    id: str
    name: str
    alerts: int
    incidents: int
    shade: int
    period: str
    subs: list[Cell] = field(default_factory=list)

    @property
    def alerts_url(self) -> str:
        """The list whose length the figure is."""
        asked = {"technique": self.id, "since": self.period, "status": "any", "suppressed": "all"}
        return f"{reverse('alert-list')}?{urlencode(asked)}"

    @property
    def incidents_url(self) -> str:
        """The same of incidents."""
        asked = {"technique": self.id, "opened": self.period, "status": "any", "merged": "no"}
        return f"{reverse('incident-list')}?{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    period: str
    by: str
    every: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        """What cannot be read is what is usual."""
        given = request.GET
        period, by = given.get("period", ""), given.get("by", "")
        period, by = (period if period in PERIODS else USUAL), (by if by in MEASURES else "alerts")
        return cls(period, by, given.get("all") == "1")

    def url(self, **other: Any) -> str:
        """This page with something else."""
        wanted = {"period": self.period, "by": self.by, "all": "1" if self.every else "", **other}
        return f"{reverse('attack-matrix')}?{urlencode({name: value for name, value in wanted.items() if value})}"


@signed_in_reader
@require_safe
def attack_matrix(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the matrix alone. ``period`` 24h, 7d, 30d, 90d; ``by`` alerts or incidents colours;
    ``all=1`` shows the techniques too that nothing bears."""
    asked, known, user = Asked.of(request), catalog(), person_of(request)
    since = moment(asked.period)
    figures = of_alerts(user, since, known), of_incidents(user, since, known)
    context = {**_controls(asked), **_matrix(known, asked, *figures)}
    if not is_partial(request):
        return render(request, TEMPLATE, context)
    said = _("%(n)s techniques") % {"n": context["shown"]}
    return push_url(render_regions(request, TEMPLATE, ["matrix"], context, extra=[live(said)]), request.get_full_path())


def _controls(asked: Asked) -> dict[str, Any]:
    return {
        "periods": [(_(label), asked.url(period=word), word == asked.period) for word, label in PERIODS.items()],
        "measures": [(_(label), asked.url(by=word), word == asked.by) for word, label in MEASURES.items()],
        "every": asked.every,
        "every_url": asked.url(all="" if asked.every else "1"),
        "period_label": _(PERIODS[asked.period]),
    }


def _matrix(known: Catalog, asked: Asked, alerts: Counts, incidents: Counts) -> dict[str, Any]:
    measure = alerts if asked.by == "alerts" else incidents
    most = max([*measure.family.values(), *measure.own.values()], default=0)

    def cell(id: str, name: str, subs: list[str] = []) -> Cell:  # noqa: B006  never changed
        n = alerts.of(id), incidents.of(id)
        made = Cell(id, name, *n, shade_of(measure.of(id), most), asked.period)
        made.subs = [one for sub in subs if _wanted(one := cell(sub, known.techniques[sub].name), asked)]
        return made

    columns = []
    for tactic, techniques in known.matrix():
        cells = [cell(one.id, one.name, known.children.get(one.id, [])) for one in techniques]
        columns.append((tactic, [one for one in cells if _wanted(one, asked)], len(techniques)))
    return {
        "columns": columns,
        "others": _others(known, cell, alerts, incidents),
        "shown": len({one.id for _tactic, cells, _n in columns for one in cells}),
        "seen": len({*alerts.family, *incidents.family}),
        "known": sum("." not in one.id for one in known.techniques.values() if one.current),
        "version": known.version,
        "more": alerts.more or incidents.more,
    }


def _wanted(cell: Cell, asked: Asked) -> bool:
    return asked.every or bool(cell.alerts or cell.incidents)


def _others(known: Catalog, cell: Any, alerts: Counts, incidents: Counts) -> list[Cell]:
    """Ids that stand in no column: withdrawn, of another matrix, or newer than the names."""
    ids = sorted(id for id in {*alerts.own, *incidents.own} if not _current(known.get(id)))
    return [cell(id, known.name(id)) for id in ids[:OTHERS_AT_MOST]]


def _current(technique: Technique | None) -> bool:
    return technique is not None and technique.current


def shade_of(number: int, most: int) -> int:
    """0 for none, else 1 to 5 on a logarithmic scale: one of a thousand is seen beside a thousand."""
    return math.ceil(SHADES * math.log1p(number) / math.log1p(most)) if number and most else 0
