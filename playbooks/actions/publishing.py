"""A draft becomes the version that runs; what must be right to switch it on (response-playbooks.md 1, 15)."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Refused
from playbooks import catalog, script_pins
from playbooks.actions.graphs import changed_meanwhile, drawn, trigger_of
from playbooks.graph.model import Graph, Problem
from playbooks.graph.schema import read, write
from playbooks.graph.validate import validate
from playbooks.models import Playbook, PlaybookVersion
from playbooks.world import place, world_of
from soar.accounts import audit
from soar.accounts.authority import check_whole


def refuse(problems: list[Problem]) -> None:
    """Raise Refused with all problems, each naming node and field; nothing if there are none."""
    if not problems:
        return
    rows = [
        {"node": one.node, "field": ".".join(part for part in (one.node, one.field) if part), "message": one.message}
        for one in problems
    ]
    more = _(" (and %d more)") % (len(rows) - 1) if len(rows) > 1 else ""
    raise Refused(problems[0].message + more, errors=rows)


def problems_of(row: Playbook, graph: Graph) -> list[Problem]:
    """What must be put right before this graph of this playbook can be published. What only hinders the switch (a
    connector that is missing, response-playbooks.md 15) counts while it is on: what is published runs at once."""
    return [one for one in validate(graph, world_of(row)) if row.enabled or not one.enabling]


@transaction.atomic
def publish(actor: Actor, playbook: Playbook | str | int, *, number: int | None = None) -> PlaybookVersion:
    """Make the draft the version that runs; the same content makes no new version.

    The actor answers for it from now on (rulings 8). Raises Refused with ``errors`` for each node and field, Forbidden
    for a token with less than the rights of its person, Conflict when the draft is another than ``number``."""
    row = drawn(actor, playbook)
    check_whole(actor.user)
    if number is not None and number != row.draft_number:
        raise Conflict(changed_meanwhile(row), code="draft_changed", draft_number=row.draft_number)
    graph, wrong = read(row.draft)
    refuse([*wrong, *problems_of(row, graph)])
    version = version_of(row, graph, actor)
    row.current, row.digest, row.trigger = version, version.digest, trigger_of(graph)
    row.published_by, row.modified_by, row.modified_at = actor.user, actor.user, timezone.now()
    row.deactivated_reason, row.present = "", True
    row.save()
    audit.record(actor.user, "playbook.published", row.name, version=version.number)
    catalog.bump()
    return version


def version_of(row: Playbook, graph: Graph, actor: Actor) -> PlaybookVersion:
    """The version with this content, which is the graph and the texts of its scripts; made if there is none."""
    source = json.dumps(write(graph), indent=2, ensure_ascii=False, sort_keys=True)
    scripts = script_pins.of_graph(graph)
    told = source + json.dumps(scripts, sort_keys=True) if scripts else source
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    known = PlaybookVersion.objects.filter(playbook=row, digest=digest).first()
    if known is not None:
        return known
    last = PlaybookVersion.objects.filter(playbook=row).order_by("-number").first()
    return PlaybookVersion.objects.create(
        playbook=row,
        number=last.number + 1 if last else 1,
        digest=digest,
        source=source,
        definition=write(graph),
        scripts=scripts,
        created_by=actor.user,
    )


def check_enabling(row: Playbook) -> None:
    """Raise Conflict, with ``errors`` and the ``url`` where to set it up, unless this response playbook may be switched
    on (response-playbooks.md 1, 15): published, nothing wrong with it, its scripts as they were then, a source that
    delivers, connectors there."""
    if not row.present:
        raise Conflict(_("%s is put away: bring it back first.") % row.name)
    if row.current is None:
        raise Conflict(_("%s was never published: publish it first.") % row.name)
    graph = read(row.current.definition)[0]
    problems = [*validate(graph, world_of(row)), *script_pins.problems(row.current, graph)]
    if not problems:
        return
    first = problems[0]
    url = place("source" if first.field == "enabled" else "connector") if first.enabling else ""
    rows = [{"node": one.node, "field": one.field, "message": one.message} for one in problems]
    text = _("%(name)s cannot be enabled: %(why)s") % {"name": row.name, "why": first.message}
    raise Conflict(text, errors=rows, **({"url": url} if url else {}))
