"""Playbooks of both kinds: reading, enabling, disabling, reloading. Drawing them is in ``graphs``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import read_facts
from cases.api.bodies import Nothing
from playbooks.actions import definitions
from playbooks.api import shapes
from playbooks.api.graphs import PASSING, Graphs
from playbooks.models import Playbook, PlaybookVersion
from playbooks.permissions import holds
from playbooks.representation import playbook_dict, whole_playbook
from playbooks.selectors import playbook_named
from soar.lib.clock import iso


class Playbooks(Graphs):
    """``/playbooks/``."""

    @extend_schema(
        **documented.listing("List playbooks", shapes.PLAYBOOK_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Oldest first."""
        paging.check_params(request, ("ordering",))
        rows = Playbook.objects.select_related("modified_by", "published_by", "current")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID, "id"))
        return Response(paging.paged(request, found, [playbook_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a playbook", shapes.WholePlaybook))
    def retrieve(self, request: Request, id: str) -> Response:
        """`id` is its id or its name. Of a response playbook with its draft."""
        return read_facts(request, whole_playbook(playbook_named(id)), PASSING)

    @extend_schema(**documented.verb("Enable a playbook", Nothing, shapes.Playbook, tagged=False))
    def enable(self, request: Request, id: str) -> Response:
        """Also one that was deactivated. 409 if its file cannot be loaded or is gone."""
        self.body(Nothing)
        return self.once(lambda: Response(playbook_dict(definitions.enable(self.actor, id))))

    @extend_schema(**documented.verb("Disable a playbook", Nothing, shapes.Playbook, tagged=False))
    def disable(self, request: Request, id: str) -> Response:
        """It starts nothing, neither by itself nor by hand."""
        self.body(Nothing)
        return self.once(lambda: Response(playbook_dict(definitions.disable(self.actor, id))))

    @extend_schema(**documented.listing("List a playbook's versions", shapes.VERSION_PAGE))
    def versions(self, request: Request, id: str) -> Response:
        """Newest first; the text itself for those who write playbooks."""
        paging.check_params(request, ())
        row = playbook_named(id)
        found = paging.page(request, PlaybookVersion.objects.filter(playbook=row))
        author = holds(self.user, row, "edit")
        return Response(paging.paged(request, found, [_version(one, author) for one in found.rows]))

    @extend_schema(**documented.verb("Reload the playbooks", Nothing, shapes.Reloaded, tagged=False, keyed=False))
    def reload(self, request: Request) -> Response:
        """Reads the playbook folders again and tells every worker."""
        self.body(Nothing)
        return Response(definitions.reload(self.actor))


def _version(row: PlaybookVersion, author: bool) -> dict[str, Any]:
    return {
        "number": row.number,
        "digest": row.digest,
        "definition": row.definition,
        "source": row.source if author else None,
        "scripts": row.scripts,
        "created_at": iso(row.created_at),
    }
