"""The scripts that a published version brings (response-playbooks.md 16): the hash of the text of each one that its
graph names, as it was at publishing. Whoever publishes answers for these texts; another one under the name does not
run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from playbooks.graph.model import Graph, Problem
from playbooks.models import PlaybookVersion, Script

ACTION, SETTING = "run_script", "script"
REPLACED, REMOVED = "replaced", "removed"


@dataclass(frozen=True, slots=True)
class Use:
    """Where a graph names a script: the node, and the place of the setting in it."""

    node: str
    field: str
    script: str


def uses_of(graph: Graph) -> list[Use]:
    """Every place where the graph names a script."""
    return [
        Use(node.id, f"actions.{at}.params.{SETTING}", str(use.params.get(SETTING) or ""))
        for node in graph.nodes
        for at, use in enumerate(node.actions)
        if use.action == ACTION
    ]


def texts_now(names: Iterable[str]) -> dict[str, str]:
    """The hash of the text that each of these names has in the library now; names that it does not have are left out.
    Upper and lower case make no difference."""
    wanted = {name: name.lower() for name in names}
    if not wanted:
        return {}
    rows = Script.objects.filter(removed=False).annotate(low=Lower("name")).filter(low__in=set(wanted.values()))
    there = dict(rows.values_list("low", "sha256"))
    return {name: there[low] for name, low in wanted.items() if low in there}


def of_graph(graph: Graph) -> dict[str, str]:
    """What a version with this graph brings if it is published now: the hash of each script, by its name there."""
    return texts_now({use.script for use in uses_of(graph)})


def changed(version: PlaybookVersion | None) -> dict[str, str]:
    """Those of the version's scripts that are not what they were at publishing: the name, and whether it was *replaced*
    or *removed*. The same text under the name again is no change; of a version that brings none nothing is known."""
    kept: Mapping[str, str] = (version.scripts or {}) if version is not None else {}
    now = texts_now(kept)
    return {name: REPLACED if name in now else REMOVED for name, digest in kept.items() if now.get(name, "") != digest}


def problems(version: PlaybookVersion | None, graph: Graph, found: Mapping[str, str] | None = None) -> list[Problem]:
    """What an author must put right about the scripts of the version that is published, at each node of ``graph`` that
    names one; where it names none of them any more, it is put right with the next publishing. ``found``: what
    ``changed`` says of the version, where it was asked already."""
    found = changed(version) if found is None else found
    if version is None or not found:
        return []
    return [
        Problem(use.node, use.field, for_author(use.script, found[use.script], version.number))
        for use in uses_of(graph)
        if use.script in found
    ]


def refusal(version: PlaybookVersion | None, name: str, found: Mapping[str, str]) -> str:
    """Why a run of this version does not run the script, for whoever reads the run; "" if it does. ``found``: what
    ``changed`` says of the version."""
    what = found.get(name, "")
    return for_responder(name, what, version.number) if what and version is not None else ""


def for_author(name: str, what: str, number: int) -> str:
    """What became of a script of a version, to whoever publishes it again."""
    given = {"script": name, "number": number}
    if what == REMOVED:
        return (
            _("%(script)s was removed since version %(number)d was published: add it again, or choose another script.")
            % given
        )
    return _("%(script)s was replaced since version %(number)d was published: publish again.") % given


def for_responder(name: str, what: str, number: int) -> str:
    """The same to whoever reads the run, and what is to be done about it."""
    given = {"script": name, "number": number}
    if what == REMOVED:
        return (
            _(
                "%(script)s was removed since version %(number)d of this playbook was published, so it is not run. "
                "Whoever writes the playbook has to choose another script; then start the playbook anew."
            )
            % given
        )
    return (
        _(
            "%(script)s was replaced since version %(number)d of this playbook was published, so it is not run. "
            "Whoever writes the playbook has to read the new text and publish again; then start the playbook anew."
        )
        % given
    )
