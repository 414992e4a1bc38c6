"""The first page (casework.md 18): what waits for me, what is urgent, what comes in. Each figure leads to its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from cases.dashboard import chart, first_steps, queue, shift, targets, volume, work
from cases.query_text import written
from cases.restricted_views import note_restricted, told_of
from cases.sla import figures as sla
from cases.sla.policy import CLOCKS
from cases.views.alerts_parts import url_or_nothing
from cases.views.alerts_rows import rows_of
from cases.views.parts import person_of, signed_in_reader
from cases.views.sla_parts import NAMES, cell
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib.text import span_words

RANGES = {"24h": (_("24 h"), 1), "7d": (_("7 days"), 7), "30d": (_("30 days"), 30)}
DUE = 5
BARS = 14  # days of the chart at least: a single one says nothing
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a range of ``RANGES``, and one team or all that the person reads."""

    user: User
    range: str
    team: Team | None

    @property
    def days(self) -> int:
        """Of the range."""
        return RANGES[self.range][1]

    @property
    def since(self) -> datetime:
        """The first midnight of the range in the reader's zone."""
        return self.back(self.days)

    def back(self, days: int) -> datetime:
        """The midnight with which the last ``days`` days, today among them, began."""
        return _midnight() - timedelta(days=days - 1)

    def url(self, page: str = "home", **changed: str) -> str:
        """The page's address, or that of a part of it, with some of what is asked for changed."""
        given = {"range": self.range, "team": str(self.team.pk) if self.team else "", **changed}
        query = urlencode({name: value for name, value in given.items() if value and value != "7d"})
        return reverse(page) + (f"?{query}" if query else "")

    def list_url(self, **filters: str) -> str:
        """The queue with these filters, and the team if one is chosen."""
        team = {"team": written([self.team.name])} if self.team else {}
        return f"{reverse('alert-list')}?{urlencode({**filters, **team})}"


@signed_in_reader
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page."""
    asked = asked_of(request)
    mine, due = work.work_of(asked.user), _due(asked)
    note_restricted(asked.user, [*(one.restricted for one in mine), *(told_of(row) for row, _clock in due["due"])])
    context = {
        "asked": asked,
        "ranges": [(label, asked.url(range=name), name == asked.range) for name, (label, _days) in RANGES.items()],
        "teams": _teams(asked),
        "today": timezone.localtime(),
        "first_steps": first_steps.offered(asked.user),
        "work": mine,
        **_queue(asked),
        **due,
        "times_url": asked.url("dashboard-times"),
        "volume_url": asked.url("dashboard-volume"),
        "playbooks_url": _beside(settings.PLAYBOOK_FIGURES_URL, asked),
    }
    return render(request, "cases/dashboard.html", context)


def asked_of(request: HttpRequest) -> Asked:
    """What is asked for; what is not there falls back to seven days of all teams."""
    user, wanted = person_of(request), request.GET.get("team", "")
    name = request.GET.get("range", "")
    team = None
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 18:
        team = readable_teams(user).filter(pk=int(wanted)).first()
    return Asked(user, name if name in RANGES else "7d", team)


def readable_teams(user: User) -> QuerySet[Team]:
    """The teams whose alerts and incidents the person reads, by name."""
    rows = Team.objects.select_related("group").order_by("group__name")
    return rows if may(user, "view_all_teams") else rows.filter(group__user=user)


def _teams(asked: Asked) -> list[tuple[str, str, bool]]:
    rows = [(team.name, asked.url(team=str(team.pk)), team == asked.team) for team in readable_teams(asked.user)[:30]]
    return [(str(_("All my teams")), asked.url(team=""), asked.team is None), *rows] if rows else []


def _queue(asked: Asked) -> Context:
    team = asked.team.pk if asked.team else None
    free = queue.unowned(asked.user, team)
    rows = [(one, asked.list_url(owner="none", severity=one.severity.word)) for one in free]
    return {
        "rows": rows_of(asked.user, queue.urgent(asked.user, team), clocks=False),
        "queue_url": asked.list_url(),
        "unowned": rows,
        "unowned_url": asked.list_url(owner="none"),
    }


@signed_in_reader
@require_safe
def dashboard_times(request: HttpRequest) -> HttpResponse:
    """How long it took to acknowledge, contain and resolve, beside the range before: a part of the page of its own."""
    asked, now = asked_of(request), timezone.now()
    team = asked.team
    days = sla.trend(asked.user, asked.back(max(BARS, asked.days)), now, team=team)
    current = sla.figures(asked.user, asked.since, now, team=team)
    earlier = sla.figures(asked.user, asked.back(2 * asked.days), asked.since, team=team)
    cards = [
        (NAMES[name], current[name], _length(current[name]), _length(earlier[name]),
         chart.spark([day.figures[name].median for day in days]), _measured(asked, name))
        for name in CLOCKS
    ]  # fmt: skip
    return render(request, "cases/dashboard_times.html", {"cards": cards})


@signed_in_reader
@require_safe
def dashboard_volume(request: HttpRequest) -> HttpResponse:
    """How many alerts came each day, and from which sources: two boxes of the page."""
    asked = asked_of(request)
    return render(request, "cases/dashboard_volume.html", {"asked": asked, **_volume(asked)})


def _due(asked: Asked) -> Context:
    now = timezone.now()
    team = {"team": written([asked.team.name])} if asked.team else {}
    url = f"{reverse('incident-list')}?{urlencode({'sort': 'due', **team})}"
    rows = [(row, cell(row, now)) for row in shift.due_next(asked.user, asked.team)[:DUE]]
    return {"due": rows, "due_url": url, "late": [_late(asked, one) for one in targets.late(asked.user, asked.team)]}


def _late(asked: Asked, one: targets.Late) -> Context:
    """A figure with its list, and its tone where there is anything."""
    team = {"team": written([asked.team.name])} if asked.team else {}
    page, sort = ("alert-list", "sla") if one.what == "alert" else ("incident-list", "due")
    tone = ("red" if one.state == "breached" else "amber") if one.number else ""
    url = f"{reverse(page)}?{urlencode({'sla': one.state, 'sort': sort, **team})}"
    return {"what": one.what, "state": one.state, "number": one.number, "tone": tone, "url": url}


def _measured(asked: Asked, name: str) -> str:
    """The incidents that a figure counts."""
    team = {"team": written([asked.team.name])} if asked.team else {}
    which = {sla.LABELS[name].lower(): asked.since.date().isoformat()}
    return f"{reverse('incident-list')}?{urlencode({'status': 'any', **which, **team})}"


def _length(figure: sla.Figure) -> str:
    return span_words(figure.median) if figure.median is not None else ""


def _volume(asked: Asked) -> Context:
    team = asked.team.pk if asked.team else None
    until, length = timezone.now(), max(BARS, asked.days)
    days = volume.days(asked.user, asked.back(length), until, team)
    found = volume.sources(asked.user, asked.since, team)
    most = max((one.count for one in found), default=0)
    plot = chart.plot(days)
    return {
        "plot": plot if any(day.total for day in days) else None,
        "columns": [(column, _day_url(asked, column)) for column in plot.columns],
        "key": [(severity, tone, asked.list_url(status="any", severity=severity.word,
                 received=days[0].day.isoformat())) for severity, tone in chart.STACK],
        "sources": [(one, asked.list_url(status="any", source=one.slug, received=asked.since.date().isoformat()), most)
                    for one in found],
    }  # fmt: skip


def _day_url(asked: Asked, column: chart.Column) -> str:
    day = column.day.day
    until = (day + timedelta(days=1)).isoformat()
    return asked.list_url(status="any", received=day.isoformat(), until=until)


def _beside(name: str, asked: Asked) -> str:
    """The address of a box that another application draws; "" where there is none."""
    url = url_or_nothing(name)
    return f"{url}?{urlencode({'range': asked.range})}" if url else ""


def _midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
