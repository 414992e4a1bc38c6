"""The page of a response playbook, and the history of its versions (response-playbooks.md 28)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.errors import Missing
from cases.restricted_views import note_rows
from playbooks import script_pins
from playbooks.actions.graphs import draft_of, is_published
from playbooks.figures import NONE, figures
from playbooks.forms import RunForm
from playbooks.graph.diff import difference, script_differences
from playbooks.graph.model import Graph
from playbooks.graph.schema import read
from playbooks.graph.words import title
from playbooks.models import Playbook, PlaybookVersion, Run
from playbooks.selectors import playbook_with_id
from playbooks.views.diff_words import marked
from playbooks.views.drawing import picture
from playbooks.views.parts import Context, person_of, rights_of, signed_in_reader, workers_alive
from playbooks.views.playbooks import row_of
from playbooks.views.run_rows import rows_of

TEMPLATE, VERSIONS = "playbooks/graph.html", "playbooks/versions.html"
RUNS_SHOWN, VERSIONS_SHOWN = 10, 100


def page_context(request: HttpRequest, playbook: Playbook, form: RunForm | None = None) -> Context:
    """What the page needs: the published graph (of a draft that never was, the draft), runs, running by hand."""
    user = person_of(request)
    graph = read(playbook.current.definition)[0] if playbook.current else draft_of(playbook)
    runs = Run.objects.visible_to(user).filter(playbook=playbook).with_row_data().order_by("-id")[:RUNS_SHOWN]
    note_rows(user, runs)
    return {
        "playbook": playbook,
        "row": row_of(playbook, figures(user, playbook.pk).get(playbook.pk, NONE)),
        "graph": graph,
        "picture": picture(graph, lambda id: f"{reverse('playbook-edit', args=[playbook.pk])}?node={id}#node-form"),
        "scripts_changed": [
            {"where": title(graph, one.node), "message": one.message}
            for one in script_pins.problems(playbook.current, graph)
        ],
        "unpublished": playbook.current is not None and not is_published(playbook),
        "run_rows": rows_of(list(runs)),
        "form": form or RunForm(playbook, initial={"subject": request.GET.get("alert", "")[:40]}),
        "workers": workers_alive(),
        "version_count": PlaybookVersion.objects.filter(playbook=playbook).count(),
        **rights_of(user, playbook),
    }


@signed_in_reader
@require_safe
def playbook_versions(request: HttpRequest, pk: int) -> HttpResponse:
    """The versions, newest first; ``?from=&to=`` says in words what differs (``to=draft`` is the draft)."""
    playbook = playbook_with_id(pk)
    if playbook.kind != "response":
        raise Missing(_("The versions of a Python playbook are on its page."))
    rows = list(PlaybookVersion.objects.filter(playbook=playbook).select_related("created_by")[:VERSIONS_SHOWN])
    numbers = [str(row.number) for row in rows]
    changed = script_pins.changed(playbook.current)
    draft = [] if is_published(playbook) and not changed else ["draft"]
    there = [*draft, *numbers]
    new = request.GET.get("to", "") if request.GET.get("to", "") in there else (there[0] if there else "")
    old = request.GET.get("from", "") if request.GET.get("from", "") in there else _before(there, new)
    return render(request, VERSIONS, {
        "playbook": playbook,
        "versions": rows,
        "names": there,
        "old": old,
        "new": new,
        "changes": _changes(playbook, rows, old, new) if old and old != new else [],
        "compared": bool(old) and old != new,
        "version_count": len(rows),
        "has_draft": not is_published(playbook),
        **rights_of(person_of(request), playbook),
    })  # fmt: skip


def _before(there: list[str], one: str) -> str:
    at = there.index(one) + 1 if one in there else 0
    return there[at] if at < len(there) else ""


def _changes(playbook: Playbook, rows: list[PlaybookVersion], old: str, new: str) -> list[dict[str, object]]:
    """What differs between two of them, the texts of their scripts too."""
    (before, had), (after, has) = _whole(playbook, rows, old), _whole(playbook, rows, new)
    return [marked(one) for one in (*difference(before, after), *script_differences(had, has))]


def _whole(playbook: Playbook, rows: list[PlaybookVersion], name: str) -> tuple[Graph, dict[str, str]]:
    """The graph and the hashes of its scripts, of the draft as if it were published now."""
    if name == "draft":
        graph = draft_of(playbook)
        return graph, script_pins.of_graph(graph)
    row = next(row for row in rows if str(row.number) == name)
    return read(row.definition)[0], dict(row.scripts or {})
