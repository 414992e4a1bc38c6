"""The list of runs: filters, the tab of those that wait for a person, states that change while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.querysets import capped_count
from cases.restricted_views import note_rows
from playbooks.choices import RunStatus, StartedBy
from playbooks.models import Playbook, Run
from playbooks.querysets import RunQuerySet
from playbooks.response_selectors import actions_required
from playbooks.runs_filter import PERIODS, RunFilter, period_label
from playbooks.views.parts import Context, person_of, signature, signed_in_reader, workers_alive
from playbooks.views.run_rows import rows_of
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, push_url, render_regions
from soar.lib.keyset import BadCursor, Order, Page, keyset_page
from soar.lib.place import seal, unseal

TEMPLATE = "playbooks/runs.html"
SIZE = 50
NEWEST = Order("newest", ("id",))
WAITING = (RunStatus.NEEDS_DECISION, RunStatus.PENDING_APPROVAL)


@signed_in_reader
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its rows with what stands around them."""
    user = person_of(request)
    rows, tab, chosen = selected(request, user)
    page, notice = _page(rows, request.GET.get("cursor", ""))
    note_rows(user, page.rows)
    context = _around(request, user, chosen, tab) | _shown(request, page, chosen, tab) | {"notice": notice}
    context |= _signed(request, user, page.rows, chosen, tab, rows)
    if not is_partial(request):
        return render(request, TEMPLATE, context | _choices())
    said = ngettext("%(n)d run", "%(n)d runs", len(page.rows)) % {"n": len(page.rows)}
    answer = render_regions(
        request, TEMPLATE, ["rows", "tabs", "counts", "files", "fresh"], context, extra=[live(said)]
    )
    return push_url(answer, request.get_full_path())


@signed_in_reader
@require_safe
def run_poll(request: HttpRequest) -> HttpResponse:
    """What became of the rows that are shown, and how many runs are new; 204 when nothing changed. No row comes or
    goes under the reader."""
    user = person_of(request)
    rows, tab, chosen = selected(request, user)
    ids = _ids(request.GET.get("ids", ""))
    found = list(Run.objects.visible_to(user).filter(pk__in=ids).with_row_data().order_by("-id"))
    context = _signed(request, user, found, chosen, tab, rows)
    if context["sig"] == request.GET.get("sig"):
        return HttpResponse(status=204)
    context |= _around(request, user, chosen, tab) | {"rows": rows_of(found), "polled": True}
    return render_regions(request, TEMPLATE, ["live", "table", "tabs", "counts", "fresh", "workers"], context)


def selected(request: HttpRequest, user: User) -> tuple[RunQuerySet, str, RunFilter]:
    """The runs that were asked for and may be seen, the tab, the filter."""
    chosen = RunFilter.parse(request.GET)
    tab = "decide" if request.GET.get("tab") == "decide" else "all"
    rows = Run.objects.visible_to(user)
    if tab == "decide":
        rows = rows.filter(status__in=WAITING)
    return chosen.apply(rows), tab, chosen


def _page(rows: RunQuerySet, cursor: str) -> tuple[Page[Run], str]:
    listed = rows.with_row_data()
    try:
        return keyset_page(listed, NEWEST, cursor, SIZE), ""
    except BadCursor:
        return keyset_page(listed, NEWEST, "", SIZE), _(
            "That page of the list is no longer there; this is its beginning."
        )


def _around(request: HttpRequest, user: User, chosen: RunFilter, tab: str) -> Context:
    """Tabs, chips, figures: what stands around the rows."""
    rows, _tab, _chosen = selected(request, user)
    return {
        "tab": tab,
        "filter": chosen,
        "chips": [(name, label, _url(tab, query)) for name, label, query in chosen.chips()],
        "total": capped_count(rows),
        "tabs": [("all", _("All"), reverse("run-list")), ("decide", _("Needs a decision"), _url("decide", ""))],
        "clear_url": _url(tab, ""),
        "export_url": f"{reverse('run-export')}?{_url(tab, chosen.query()).partition('?')[2]}",
        "required": actions_required(user),
        "required_url": f"{reverse('response-list')}?status=pending_approval,unknown_outcome",
    }


def _shown(request: HttpRequest, page: Page[Run], chosen: RunFilter, tab: str) -> Context:
    return {
        "rows": rows_of(page.rows),
        "newer_url": _url(tab, chosen.query(cursor=page.previous)) if page.previous else "",
        "older_url": _url(tab, chosen.query(cursor=page.next)) if page.next else "",
    }


def _signed(
    request: HttpRequest, user: User, found: Sequence[Run], chosen: RunFilter, tab: str, rows: RunQuerySet
) -> Context:
    """The poll's address with the signature of what is shown: states, new runs, decisions, workers."""
    newest = unseal(user.pk, request.GET.get("newest", ""))
    newest = _newest() if newest is None else newest
    decisions = capped_count(Run.objects.visible_to(user).filter(status__in=WAITING))
    fresh = capped_count(rows.filter(pk__gt=newest))
    workers = workers_alive()
    states = [(run.pk, run.status, str(run.started_at), str(run.finished_at)) for run in found]
    sig = signature(states, decisions, fresh, workers)
    ids = ",".join(str(run.pk) for run in found)
    more = {"ids": ids, "newest": seal(user.pk, newest), "sig": sig, **({"tab": tab} if tab != "all" else {})}
    return {
        "decisions": decisions,
        "fresh": fresh,
        "workers": workers,
        "sig": sig,
        "poll_url": f"{reverse('run-poll')}?{chosen.query(**more)}",
        "fresh_url": _url(tab, chosen.query()),
    }


def _newest() -> int:
    """The highest id there is: what has a higher one came after the list was loaded."""
    return Run.objects.order_by("-id").values_list("pk", flat=True).first() or 0


def _ids(text: str) -> list[int]:
    pieces = text.split(",")[:SIZE]
    return [int(piece) for piece in pieces if piece.isascii() and piece.isdigit() and len(piece) < 19]


def _url(tab: str, query: str) -> str:
    joined = "&".join(part for part in ("tab=decide" if tab == "decide" else "", query) if part)
    return reverse("run-list") + (f"?{joined}" if joined else "")


def _choices() -> dict[str, Any]:
    """What the filter menus offer."""
    return {
        "statuses": [(word, _(str(label))) for word, label in RunStatus.choices],
        "triggers": [(word, _(str(label))) for word, label in StartedBy.choices],
        "periods": [(word, period_label(word)) for word in PERIODS],
        "playbooks": Playbook.objects.only("name").order_by("name")[:200],
    }
