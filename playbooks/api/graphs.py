"""Response playbooks by the API: made, drawn, published, restored, removed, exported, rehearsed, tried on the past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented
from cases.api.base import ApiViewSet, as_read, whole, with_facts
from cases.api.bodies import Nothing
from cases.api.shapes import JobMade
from cases.errors import Conflict, Missing, Refused
from cases.permissions import alert_for
from playbooks import rehearsal
from playbooks.actions import backtests, definitions, graph_files, graphs, publishing
from playbooks.api import shapes
from playbooks.backtest.tally import public
from playbooks.exports import cacao_of
from playbooks.graph.check_shape import shape_problems
from playbooks.graph.model import Graph
from playbooks.graph.schema import read, write
from playbooks.models import Backtest, Playbook
from playbooks.permissions import playbook_for
from playbooks.rehearsal import as_json
from playbooks.representation import whole_playbook
from playbooks.selectors import playbook_named
from soar.accounts import audit
from soar.lib.clock import iso

# What hinders it is found anew each time.
PASSING = ("state", "deactivated_reason", "load_error", "warnings")
PARTS = ("name", "description", "trigger", "target", "nodes")
FORMATS = ("json", "cacao")
AS = OpenApiParameter("as", str, enum=FORMATS, description="`cacao`: the published version as CACAO 2.0.")


class Graphs(ApiViewSet):
    """What only response playbooks have; ``Playbooks`` adds what both kinds have."""

    reads = "view_cases"

    @extend_schema(
        **documented.create("Create a response playbook", shapes.NewPlaybook, shapes.WholePlaybook, tagged=False)
    )
    def create(self, request: Request) -> Response:
        """From its JSON, as `export` gives it. It is checked and published as version 1, and switched on with
        `enabled`; if anything is wrong nothing is saved, and `errors` name node and field."""
        given = self.body(shapes.NewPlaybook)
        if given.get("kind", "response") != "response":
            raise Refused(_("Only response playbooks are made here; a Python playbook is a file."), field="kind")
        return self.once(lambda: self._made(given))

    def _made(self, given: dict[str, Any]) -> Response:
        with transaction.atomic():
            row = graphs.create(self.actor, _graph({name: given[name] for name in PARTS if name in given}))
            if given.get("publish", True):
                publishing.publish(self.actor, row)
            if given.get("enabled"):
                definitions.enable(self.actor, row)
        answer = whole_playbook(playbook_named(row.pk))
        return Response(answer, status=201, headers={"Location": f"{settings.SOAR_URL}/api/v1/playbooks/{row.pk}/"})

    @extend_schema(**documented.change("Change a response playbook", shapes.GraphChanges, shapes.WholePlaybook))
    def partial_update(self, request: Request, id: str) -> Response:
        """Checked as a whole and published as a new version, unless `publish` is false; the same content makes none.
        While it is enabled the new version runs at once."""
        pk = playbook_for(self.user, id, "edit").pk
        given = self.body(shapes.GraphChanges)
        as_read(request, Playbook.objects.filter(pk=pk), _as_shown, lambda: self._patched(pk, given), PASSING)
        return with_facts(whole_playbook(playbook_named(pk)), passing=PASSING)

    def _patched(self, pk: int, given: dict[str, Any]) -> None:
        with transaction.atomic():
            row = playbook_named(pk)
            changes = {name: given[name] for name in PARTS if name in given}
            if changes:
                self._change(row, changes, given)
            if "minutes_saved" in given:
                definitions.set_minutes_saved(self.actor, row, given["minutes_saved"])
            if "archived" in given:
                (graphs.archive if given["archived"] else graphs.unarchive)(self.actor, row)

    def _change(self, row: Playbook, changes: dict[str, Any], given: dict[str, Any]) -> None:
        drawn = graphs.drawn(self.actor, row)
        made = _graph({**write(graphs.draft_of(drawn)), **changes})
        saved = graphs.save_draft(self.actor, drawn, made, number=given.get("draft_number"))
        if given.get("publish", True):
            publishing.publish(self.actor, saved)

    @extend_schema(**documented.remove("Delete a response playbook"))
    def destroy(self, request: Request, id: str) -> Response:
        """409 for one that has run: put it away with `{"archived": true}` instead."""
        rows = Playbook.objects.filter(pk=playbook_named(id).pk)
        as_read(request, rows, _as_shown, lambda: graphs.delete(self.actor, id), PASSING)
        return Response(status=204)

    @extend_schema(**documented.verb("Publish the draft", Nothing, shapes.WholePlaybook, tagged=False))
    def publish(self, request: Request, id: str) -> Response:
        """It becomes the version that runs; 400 with `errors` if something is wrong."""
        self.body(Nothing)
        return self._done(id, lambda: publishing.publish(self.actor, id))

    @extend_schema(**documented.verb("Restore a version", shapes.Restore, shapes.WholePlaybook, tagged=False))
    def restore(self, request: Request, id: str) -> Response:
        """Its graph becomes the draft; it runs once it is published."""
        number = self.body(shapes.Restore)["version"]
        return self._done(id, lambda: graphs.restore(self.actor, id, number))

    def _done(self, id: str, do: Callable[[], object]) -> Response:
        def run() -> Response:
            do()
            return Response(whole_playbook(playbook_named(id)))

        return self.once(run)

    @extend_schema(**documented.create("Copy a response playbook", Nothing, shapes.WholePlaybook, tagged=False))
    def duplicate(self, request: Request, id: str) -> Response:
        """A draft under another name, switched off."""
        self.body(Nothing)
        return self.once(
            lambda: Response(whole_playbook(playbook_named(graphs.duplicate(self.actor, id).pk)), status=201)
        )

    @extend_schema(**documented.read("Export a response playbook", shapes.GraphDocument, tagged=False, params=[AS]))
    def export(self, request: Request, id: str) -> Response:
        """The draft as JSON that `POST /playbooks/` takes (rulings 13)."""
        row = playbook_named(id)
        if row.kind != "response":
            raise Missing(_("%(name)s is a Python playbook: its file is the export.") % {"name": row.name})
        wanted = request.query_params.get("as", "json")
        if wanted not in FORMATS:
            raise ValidationError({"as": [_("One of: %(formats)s.") % {"formats": ", ".join(FORMATS)}]})
        if wanted == "cacao" and row.current is None:
            raise Conflict(_("%(name)s was never published: there is nothing to export yet.") % {"name": row.name})
        audit.exported(self.user, "playbook", row.name, format=wanted)
        return Response(cacao_of(row) if wanted == "cacao" else graph_files.export(row))

    @extend_schema(
        **documented.verb("Rehearse the draft", shapes.Rehearse, shapes.Rehearsal, tagged=False, keyed=False)
    )
    def rehearse(self, request: Request, id: str) -> Response:
        """Against a stored alert: the path, each value compared, each request that would be sent. Sends nothing."""
        alert = alert_for(self.user, self.body(shapes.Rehearse)["alert"])
        row = self._drawable(id)
        graph = graphs.draft_of(row)
        publishing.refuse([one for one in shape_problems(graph) if one.node])
        return Response(as_json(rehearsal.rehearse(row, graph, alert, self.user)))

    def _drawable(self, id: str) -> Playbook:
        row = playbook_for(self.user, id, "edit")
        if row.kind != "response":
            raise Conflict(_("%(name)s is a Python playbook: it is tried with a dry run.") % {"name": row.name})
        return row

    @extend_schema(**documented.create("Start a backtest", shapes.StartBacktest, JobMade, code=202, tagged=False))
    def backtest(self, request: Request, id: str) -> Response:
        """Of the draft, on the alerts of the last days that you may see. Asks no provider, sends nothing."""
        days = self.body(shapes.StartBacktest).get("days", 30)

        def run() -> Response:
            made = backtests.start(self.actor, id, days=days)
            where = f"{settings.SOAR_URL}/api/v1/backtests/{made.pk}/"
            return Response({"job": made.pk, "url": where}, status=202, headers={"Location": where})

        return self.once(run)


class Backtests(ApiViewSet):
    """``/backtests/``: one's own."""

    reads = "view_cases"

    @extend_schema(**documented.read("Read a backtest", shapes.Backtest, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """`result` fills in while it reads."""
        return Response(backtest_dict(backtests.visible(self.user, whole(id))))

    @extend_schema(**documented.verb("Stop a backtest", Nothing, shapes.Backtest, tagged=False, keyed=False))
    def cancel(self, request: Request, id: str) -> Response:
        """What was counted stays."""
        self.body(Nothing)
        backtests.cancel(self.actor, whole(id))
        return Response(backtest_dict(backtests.visible(self.user, whole(id))))


def _graph(document: Any) -> Graph:
    """The graph of a body. Raises Refused with ``errors`` for what has the wrong shape."""
    graph, wrong = read(document)
    publishing.refuse([*wrong, *(one for one in shape_problems(graph) if one.node)])
    if not graph.name.strip():
        raise Refused(_("Give the playbook a name."), field="name")
    return graph


def _as_shown(row: Playbook) -> dict[str, Any]:
    return whole_playbook(playbook_named(row.pk))


def backtest_dict(row: Backtest) -> dict[str, Any]:
    """A backtest; of the values of each action only the most frequent."""
    return {
        "id": row.pk,
        "playbook": row.playbook_id,
        "days": row.days,
        "status": row.status,
        "total": row.total,
        "looked_at": row.looked_at,
        "result": public(row.result),
        "error": row.error,
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
    }
