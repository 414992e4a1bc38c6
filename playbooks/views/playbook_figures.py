"""The dashboard's box about playbooks: how they fare, and the time they saved (casework.md 18)."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from playbooks.figures import Figures, figures
from playbooks.models import Playbook
from playbooks.views.parts import person_of, signed_in_reader

SHOWN = 6
GOOD = 90  # percent of runs; below it the bar warns


@dataclass(frozen=True, slots=True)
class Line:
    """A playbook with runs: its share of good ones in percent, None while none has ended; hours that it saved."""

    name: str
    url: str
    figures: Figures
    minutes: int

    @property
    def tone(self) -> str:
        """Of its bar."""
        return "t-green" if (self.figures.success or 0) >= GOOD else "t-amber"

    @property
    def saved(self) -> str:
        """``4 h``, ``35 min``; empty where nobody said what a run saves."""
        return words(self.minutes)


@signed_in_reader
@require_safe
def playbook_figures(request: HttpRequest) -> HttpResponse:
    """The box; of the last 30 days, as on the page of playbooks."""
    known = {row.pk: row for row in Playbook.objects.only("name", "minutes_saved")}
    lines = [
        Line(known[pk].name, reverse("playbook-detail", args=[pk]), one, one.good * known[pk].minutes_saved)
        for pk, one in figures(person_of(request)).items()
        if one.runs and pk in known
    ]
    lines.sort(key=lambda line: (-line.minutes, -line.figures.runs, line.name))
    context = {
        "lines": lines[:SHOWN],
        "runs": sum(line.figures.runs for line in lines),
        "saved": words(sum(line.minutes for line in lines)),
    }
    return render(request, "playbooks/figures.html", context)


def words(minutes: int) -> str:
    """Minutes as people say them."""
    if not minutes:
        return ""
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60):,} h"
