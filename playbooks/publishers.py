"""Whose rights an automatic run has, and what happens when they are gone (rulings 8)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from playbooks import catalog
from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import TARGET, Graph, Node
from playbooks.graph.schema import read
from playbooks.graph.words import action_label, sentence, title
from playbooks.models import Playbook
from playbooks.permissions import holds
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User

STARTING = ("run_playbook",)  # of the actions on the case: it changes nothing by itself


def still_entitled(playbook: Playbook) -> bool:
    """Whether the playbook may start by itself. Code that nobody published is trusted as such.

    If the account of its publisher is disabled or lost the right, the playbook is deactivated, audited, and
    starts nothing until somebody enables it."""
    if playbook.published_by_id is None:
        return True
    user = User.objects.filter(pk=playbook.published_by_id).first()  # asked anew: the catalogue is older
    if user is not None and holds(user, playbook, "edit"):
        playbook.published_by = user
        return True
    name = user.display_name() if user else "its publisher"
    deactivate(playbook, f"the account of {name}, who published it, was disabled or lost the right to.")
    return False


def deactivate(playbook: Playbook, reason: str) -> None:
    """Write the reason, once, and tell all workers."""
    if Playbook.objects.filter(pk=playbook.pk, deactivated_reason="").update(deactivated_reason=reason):
        audit.record(None, "playbook.deactivated", playbook.name, reason=reason)
        catalog.bump()


def powerless(graph: Graph, publisher: User | None) -> list[tuple[Node, list[str]]]:
    """The nodes, with the labels of their actions, that an automatic run would not do for want of its publisher's
    right to respond: destructive ones that ask nobody (rulings 8, 20). Publishing is not refused for it, for somebody
    else may start the playbook by hand."""
    if publisher is None or graph.trigger.type != "automatic" or may(publisher, "respond"):
        return []
    found = [(node, _destructive(node)) for node in graph.reading_order if node.approval is None]
    return [(node, labels) for node, labels in found if labels]


def unentitled(graph: Graph, publisher: User | None) -> list[tuple[str, list[str]]]:
    """The ids of nodes (``target`` for the incident that is to be opened), with the labels of what an automatic run
    would not do for want of its publisher's right to work on cases (rulings 8, 20)."""
    if publisher is None or graph.trigger.type != "automatic" or may(publisher, "work_cases"):
        return []
    found = [(TARGET, [_("Open an incident")])] if graph.target.open_incident is not None else []
    found += [(node.id, _of_the_case(node)) for node in graph.reading_order]
    return [(id, labels) for id, labels in found if labels]


def warnings(playbook: Playbook) -> list[str]:
    """What the version that is published would not do in an automatic run, a sentence a node (see ``powerless`` and
    ``unentitled``)."""
    if playbook.current is None or playbook.kind != "response":
        return []
    graph, publisher = read(playbook.current.definition)[0], playbook.published_by
    found = [
        f"{sentence(title(graph, node.id))}: {', '.join(labels)} would fail, for {publisher.display_name()}, who "
        "published it, may not run response actions, and the node asks for no approval."
        for node, labels in powerless(graph, publisher)
        if publisher is not None
    ]
    return found + [
        f"{sentence(title(graph, id))}: {', '.join(labels)} would fail, for {publisher.display_name()}, who "
        "published it, may not work on cases."
        for id, labels in unentitled(graph, publisher)
        if publisher is not None
    ]


def _of_the_case(node: Node) -> list[str]:
    known = [ACTIONS[use.action] for use in node.actions if use.action in ACTIONS]
    return [action_label(spec.name) for spec in known if spec.group == "case" and spec.name not in STARTING]


def _destructive(node: Node) -> list[str]:
    known = [ACTIONS[use.action] for use in node.actions if use.action in ACTIONS]
    return [action_label(spec.name) for spec in known if spec.destructive]
