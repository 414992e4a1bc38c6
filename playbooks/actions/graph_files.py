"""Response playbooks from JSON and as JSON: import, export, shipped templates (response-playbooks.md 28)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing
from playbooks.actions.graphs import create, draft_of, free_name
from playbooks.actions.publishing import refuse
from playbooks.graph.check_shape import shape_problems
from playbooks.graph.model import ApprovalUse, Graph, Node
from playbooks.graph.schema import read, write
from playbooks.models import Playbook

FOLDER = Path(__file__).parents[1] / "templates_shipped"


def import_graph(actor: Actor, document: Any, *, rename_if_taken: bool = False) -> Playbook:
    """A playbook from its JSON (rulings 13). Raises Refused for what is no legal graph; what is incomplete, or missing
    here (a channel, a model, a connector), is shown in the editor and hinders publishing."""
    graph, wrong = read(document)
    refuse([*wrong, *(one for one in shape_problems(graph) if one.node)])
    if rename_if_taken:
        graph = replace(graph, name=free_name(graph.name))
    return create(actor, graph)


def export(playbook: Playbook) -> dict[str, Any]:
    """What ``import_graph`` takes: the draft, or the published graph of one without a draft."""
    return write(draft_of(playbook))


@dataclass(frozen=True, slots=True)
class Template:
    """A playbook to begin with. ``slug`` is its file's name; ``asks``: it tells or asks people by e-mail."""

    slug: str
    graph: Graph
    asks: bool


@lru_cache(maxsize=1)
def templates() -> list[Template]:
    """The shipped ones, by name."""
    found = [_template(path) for path in sorted(FOLDER.glob("*.json"))]
    return sorted(found, key=lambda one: one.graph.name)


def _template(path: Path) -> Template:
    graph, wrong = read(json.loads(path.read_text(encoding="utf-8")))
    if wrong:
        raise ValueError(f"{path.name}: {wrong[0].message}")
    asks = any(node.type == "notify" or node.approval is not None for node in graph.nodes)
    return Template(path.stem, graph, asks)


def from_template(actor: Actor, slug: str, *, name: str = "", tell: Iterable[str] = ()) -> Playbook:
    """A playbook that begins as a template. ``tell``: the e-mail addresses that its approvals and reports go to.

    Raises Missing for a template that there is not, Refused for a name that is taken; without one a free name."""
    found = next((one for one in templates() if one.slug == slug), None)
    if found is None:
        raise Missing(_("There is no template %s.") % slug[:60])
    nodes = tuple(_told(node, tuple(tell)) for node in found.graph.nodes)
    return create(actor, replace(found.graph, name=name or free_name(found.graph.name), nodes=nodes))


def _told(node: Node, tell: tuple[str, ...]) -> Node:
    """The node with recipients where it has none."""
    if isinstance(node.approval, ApprovalUse) and not node.approval.recipients:
        node = replace(node, approval=replace(node.approval, recipients=tell))
    uses = [
        replace(use, params={**use.params, "recipients": list(tell)})
        if use.action == "email" and not use.params.get("recipients")
        else use
        for use in node.actions
    ]
    return replace(node, actions=tuple(uses))
