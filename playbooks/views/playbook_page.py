"""The page of a Python playbook: what it does, its code and versions, its runs, running it by hand."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from croniter import croniter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.restricted_views import note_rows
from playbooks.choices import OnFailure, Trigger
from playbooks.figures import NONE, figures
from playbooks.forms import RunForm
from playbooks.models import Playbook, PlaybookVersion, Run
from playbooks.selectors import playbook_with_id
from playbooks.views import graph_page, words
from playbooks.views.parts import Context, person_of, rights_of, signed_in_reader, workers_alive
from playbooks.views.playbooks import row_of, short_folder
from playbooks.views.run_rows import rows_of
from playbooks.waiting import CODE_PATIENCE
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions

TEMPLATE = "playbooks/detail.html"
SOURCE_AT_MOST = 40_000
DIFF_LINES_AT_MOST = 600
VERSIONS_SHOWN = 20
RUNS_SHOWN = 10
TONES = {"+": "t-green fg", "-": "t-red fg", "@": "ink-2"}


@signed_in_reader
@require_safe
def playbook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; ``?from=1&to=2`` compares two versions, ``?version=1`` shows the code of one."""
    playbook = playbook_with_id(pk)
    if playbook.kind == "response":
        return render(request, graph_page.TEMPLATE, graph_page.page_context(request, playbook))
    context = page_context(request, playbook)
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["versions"], context)
    return render(request, TEMPLATE, context)


def page_context(request: HttpRequest, playbook: Playbook, form: RunForm | None = None) -> Context:
    """What the page needs. ``form`` is one that was refused."""
    user = person_of(request)
    return {
        "playbook": playbook,
        "row": row_of(playbook, figures(user, playbook.pk).get(playbook.pk, NONE)),
        "conditions": words.conditions_of(playbook.conditions),
        "on_failure": _(str(OnFailure(playbook.on_failure).label)),
        "next_time": next_time(playbook),
        "folder": _folder(playbook),
        "run_rows": recent(user, playbook),
        "form": form or RunForm(playbook, initial={"subject": request.GET.get("alert", "")[:40]}),
        "workers": workers_alive(),
        "code_minutes": CODE_PATIENCE // 60,
        **versions(request, playbook),
        **rights_of(user, playbook),
    }


def _folder(playbook: Playbook) -> str:
    return short_folder(Path(playbook.folder)) if playbook.folder else ""


def recent(user: User, playbook: Playbook) -> list[Any]:
    """The newest runs that the person may see."""
    rows = Run.objects.visible_to(user).filter(playbook=playbook).with_row_data().order_by("-id")
    shown = list(rows[:RUNS_SHOWN])
    note_rows(user, shown)
    return rows_of(shown)


def next_time(playbook: Playbook) -> datetime | None:
    """When the schedule starts it next; None without a schedule, or while it starts nothing."""
    if playbook.trigger != Trigger.SCHEDULE or playbook.hindrance or not croniter.is_valid(playbook.cron):
        return None
    moment: datetime = croniter(playbook.cron, timezone.now().astimezone(UTC)).get_next(datetime)
    return moment


def versions(request: HttpRequest, playbook: Playbook) -> Context:
    """The versions, the code of the one that is shown, and the difference of two if it was asked for."""
    rows = list(PlaybookVersion.objects.filter(playbook=playbook).defer("source", "definition")[:VERSIONS_SHOWN])
    current = next((row for row in rows if row.digest == playbook.digest), rows[0] if rows else None)
    shown = _numbered(request, "version") or (current.number if current else 0)
    old, new = _numbered(request, "from"), _numbered(request, "to")
    wanted = {number for number in (shown, old, new) if number}
    sources = dict(PlaybookVersion.objects.filter(playbook=playbook, number__in=wanted).values_list("number", "source"))
    if shown not in sources and current:
        shown = current.number
        sources |= dict(PlaybookVersion.objects.filter(pk=current.pk).values_list("number", "source"))
    return {
        "versions": rows,
        "current": current,
        "shown": shown,
        "source": sources.get(shown, "")[:SOURCE_AT_MOST],
        "source_cut": len(sources.get(shown, "")) > SOURCE_AT_MOST,
        "old": old or (rows[1].number if len(rows) > 1 else 0),
        "new": new or (rows[0].number if rows else 0),
        "diff": diff(sources, old, new) if old in sources and new in sources else None,
    }


def _numbered(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def diff(sources: dict[int, str], old: int, new: int) -> list[tuple[str, str]]:
    """``[(class, line)]`` of a unified difference; empty if both are alike. Cut where it is too long to read."""
    lines = difflib.unified_diff(
        sources[old].splitlines(), sources[new].splitlines(), _("version %d") % old, _("version %d") % new, lineterm=""
    )
    found = []
    for number, line in enumerate(lines):
        if number >= DIFF_LINES_AT_MOST:
            found.append(("ink-2", _("… more lines differ")))
            break
        head = line.startswith(("---", "+++")) and number < 2
        found.append(("ink-2" if head else TONES.get(line[:1], ""), line[:500]))
    return found
