"""The demo's response playbooks: shipped templates, made fit for the made-up company. Two stay drafts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from django.db import transaction

from cases.actors import Actor
from cases.demo.estate import MAIL
from cases.demo.stage import Stage
from cases.errors import CaseError
from playbooks import catalog
from playbooks.actions import definitions, graphs, publishing
from playbooks.actions.graph_files import from_template
from playbooks.graph.model import ActionUse, Graph, Node, OpenIncident
from playbooks.models import Playbook, PlaybookVersion

logger = logging.getLogger(__name__)
DESK = f"soc@{MAIL}"
AUTHOR, PUBLISHER = "tomas", "mara"  # she may respond, so what she publishes may too (rulings 8, 20)


@dataclass(frozen=True, slots=True)
class Drawn:
    """``slug``: the template; ``days``: how long ago it was drawn; ``live``: published and enabled where it can be."""

    slug: str
    days: int
    live: bool
    change: Callable[[Stage, Graph], Graph]


def _command_and_control(stage: Stage, graph: Graph) -> Graph:
    """The whole story: asks before it isolates, tells by mail and chat, opens an incident and closes it."""
    opens = OpenIncident(owners=(stage.users[PUBLISHER].username,), close_with="malicious")
    target = replace(graph.target, models=("Command and Control Call-outs",), open_incident=opens)
    return replace(graph, target=target, nodes=tuple(_with_card(node) for node in graph.nodes))


def _with_card(node: Node) -> Node:
    """A report that goes to the chat as well."""
    if node.type != "notify":
        return node
    return replace(node, actions=(*node.actions, ActionUse("channel", {"channels": [CHANNEL]})))


def _hacking_tool(_stage: Stage, graph: Graph) -> Graph:
    """For tools that the agent found, which are of low severity; no incident, the desk opens one if it wants."""
    severities = ("low", "medium", "high", "critical")
    models = ("Hacking Tool Detected and Removed", "Worm on a Removable Drive")
    return replace(graph, target=replace(graph.target, severities=severities, models=models, open_incident=None))


def _travel(_stage: Stage, graph: Graph) -> Graph:
    """For travels that nobody can make."""
    severities = ("medium", "high", "critical")
    target = replace(graph.target, severities=severities, models=("Impossible Travel",), open_incident=None)
    return replace(graph, target=target)


def _without_incident(_stage: Stage, graph: Graph) -> Graph:
    return replace(graph, target=replace(graph.target, open_incident=None))


def _as_it_is(_stage: Stage, graph: Graph) -> Graph:
    return graph


CHANNEL = "Practice Slack"
PLAYBOOKS = (
    Drawn("command_and_control", 24, True, _command_and_control),
    Drawn("malware_on_host", 23, True, _hacking_tool),
    Drawn("account_takeover", 17, True, _travel),
    Drawn("contain_by_hand", 24, True, _without_incident),
    Drawn("phishing", 3, False, _as_it_is),
    Drawn("cloud_key_leak", 2, False, _as_it_is),
)


def draw(stage: Stage) -> None:
    """Make the drafts, in the transaction of the seeding."""
    for one in PLAYBOOKS:
        row = from_template(Actor.system(), one.slug, tell=[DESK])
        graphs.change_draft(Actor.system(), row, partial(one.change, stage), number=None)
        _sign(stage, row, one.days)


def publish(stage: Stage) -> dict[str, Playbook]:
    """Publish and enable those that are meant to run, by their template. What cannot be, stays a draft."""
    live: dict[str, Playbook] = {}
    rows = {row.draft["name"]: row for row in Playbook.objects.filter(demo=True, kind="response") if row.draft}
    for one, row in _pairs(rows.values()):
        if one.live and _published(row):
            _sign(stage, row, one.days)
            live[one.slug] = Playbook.objects.get(pk=row.pk)
    catalog.bump()
    return live


def _pairs(rows: Iterable[Playbook]) -> list[tuple[Drawn, Playbook]]:
    """They were made in this order."""
    return list(zip(PLAYBOOKS, sorted(rows, key=lambda row: row.pk), strict=False))


def _published(row: Playbook) -> bool:
    try:
        with transaction.atomic():
            publishing.publish(Actor.system(), row)
            definitions.enable(Actor.system(), row)
    except CaseError as error:
        logger.warning("The demo's playbook %s stays a draft: %s", row.name, error.message)
        return False
    return True


def _sign(stage: Stage, row: Playbook, days: int) -> None:
    """Tomas drew it, some weeks ago, Mara published it; no audit row names them: they are taken away again."""
    author, publisher, at = stage.users[AUTHOR], stage.users[PUBLISHER], stage.now - timedelta(days=days)
    names = {"created_by": author, "modified_by": author, "created_at": at, "modified_at": at, "demo": True}
    rows = Playbook.objects.filter(pk=row.pk)
    rows.update(**names)
    rows.filter(current__isnull=False).update(published_by=publisher, modified_by=publisher)
    PlaybookVersion.objects.filter(playbook=row).update(created_by=publisher, created_at=at)
