"""What changed between two versions of a playbook, in words (response-playbooks.md 28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playbooks.graph.model import TARGET, ApprovalUse, Graph, Node, Period, Target, Trigger
from playbooks.graph.words import CONDITIONS, TYPE_LABELS, name_of, row_words, sentence, title, use_words

ADDED, REMOVED = "added", "removed"
_ON_FAILURE = {"continue": "go on", "stop": "take no further action"}
Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``where``: "Playbook", "Trigger", "Target" or a node's name; ``what``: the setting, or "added",
    "removed". ``before``, ``after``: as words, "" for nothing. ``node``: "", "trigger", "target" or the node's id."""

    where: str
    what: str
    before: str = ""
    after: str = ""
    node: str = ""


def difference(old: Graph, new: Graph) -> list[Change]:
    """All differences: the playbook, trigger and target, then the nodes of the new version in reading order, with
    those that are gone at the end. Nodes are the same if their ids are."""
    found = [
        *_compared("Playbook", "", _playbook(old), _playbook(new)),
        *_compared("Trigger", "trigger", _trigger(old.trigger), _trigger(new.trigger)),
        *_compared("Target", TARGET, _target(old.target), _target(new.target)),
    ]
    for node in new.reading_order:
        if node.id in old.by_id:
            before = old.node(node.id)
            found.extend(_compared(name_of(node), node.id, _node(before), _node(node)))
            if (before.parent, before.side) != (node.parent, node.side):
                found.append(Change(name_of(node), "Place", _place(old, before), _place(new, node), node.id))
        else:
            found.append(Change(name_of(node), ADDED, "", _summary(new, node), node.id))
    found.extend(_orders(old, new))
    gone = (node for node in old.reading_order if node.id not in new.by_id)
    found.extend(Change(name_of(node), REMOVED, _summary(old, node), "", node.id) for node in gone)
    return found


def script_differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """The scripts that both name and that have another text: hashes by name. Of a version that keeps no hash nothing
    can be said."""
    both = sorted(old.keys() & new.keys())
    return [
        Change(name, "Text of the script", _short(old[name]), _short(new[name]))
        for name in both
        if old[name] != new[name]
    ]


def _short(digest: str) -> str:
    return f"SHA-256 {digest[:12]}…"


def _compared(where: str, node: str, before: Fields, after: Fields) -> list[Change]:
    return [
        Change(where, what, before.get(what, ""), after.get(what, ""), node)
        for what in dict.fromkeys((*before, *after))
        if before.get(what, "") != after.get(what, "")
    ]


def _orders(old: Graph, new: Graph) -> list[Change]:
    """Parallel nodes that are there before and after, in another order."""
    found = []
    for parent in (TARGET, *(node.id for node in new.reading_order)):
        now = new.children(parent, "right")
        ids = {node.id for node in now}
        before = [node for node in old.children(parent, "right") if node.id in ids]
        there = {node.id for node in before}
        after = [node for node in now if node.id in there]
        if [node.id for node in before] != [node.id for node in after]:
            texts = (", ".join(map(name_of, before)), ", ".join(map(name_of, after)))
            found.append(Change(sentence(title(new, parent)), "Order", *texts, parent))
    return found


def _playbook(graph: Graph) -> Fields:
    return {"Name": graph.name, "Description": graph.description}


def _trigger(trigger: Trigger) -> Fields:
    return {
        "Type": "Automatic or manual" if trigger.type == "automatic" else sentence(trigger.type),
        "Only during": "; ".join(map(period_words, trigger.periods)),
        "Time zone": trigger.time_zone,
    }


def period_words(period: Period) -> str:
    """A period as words: "Mon, Tue 22:00 to 06:00"."""
    return f"{', '.join(map(sentence, period.days))} {period.start} to {period.end}"


def _target(target: Target) -> Fields:
    incident = target.open_incident
    return {
        "Severity levels": ", ".join(map(sentence, target.severities)),
        "Detection models": ", ".join(target.models),
        "Filter by highlighted object risk": _yes(target.filter_by_risk),
        "Open an incident": _yes(incident is not None),
        "Owners of the incident": ", ".join(incident.owners) if incident else "",
        "Close it on success as": sentence(incident.close_with) if incident else "",
        "Send it to ServiceNow by": incident.ticket_profile if incident else "",
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _node(node: Node) -> Fields:
    """All settings of a node as words, the empty ones too; not where it hangs."""
    fields = {"Name": node.name, "Type": TYPE_LABELS[node.type]}
    return fields | (_condition(node) if node.type in CONDITIONS else _action(node))


def _place(graph: Graph, node: Node) -> str:
    """Where a node hangs: "right of Isolate endpoint"."""
    if node.parent not in (*graph.by_id, TARGET):
        return "nowhere"
    return f"{'right of' if node.side == 'right' else 'below'} {title(graph, node.parent)}"


def _condition(node: Node) -> Fields:
    return {"Conditions": " and ".join(map(row_words, node.conditions))}


def _action(node: Node) -> Fields:
    fields = {"Actions": "; ".join(map(use_words, node.actions))}
    if node.type != "notify":
        fields["On objects rated"] = ", ".join(risk.replace("_", " ") for risk in node.risk)
    if node.type != "notify" or node.approval is not None:
        fields["Approval"] = _approval(node.approval)
    fields["After a failure"] = _ON_FAILURE.get(node.on_failure, node.on_failure)
    fields["Give up after"] = f"{node.deadline_minutes} minutes"
    return fields


def _approval(use: ApprovalUse | None) -> str:
    if use is None:
        return "not asked"
    by_mail = use.method == "email"
    told = f"by {'e-mail to' if by_mail else 'channel'} {', '.join(use.recipients if by_mail else use.channels)}"
    prefix = f", subject prefix “{use.subject_prefix}”" if use.subject_prefix else ""
    return f"asked {told}{prefix}{', of two people' if use.two_people else ''}"


def _summary(graph: Graph, node: Node) -> str:
    """A whole node in one line, for one that is new or gone."""
    fields = {"Type": TYPE_LABELS[node.type], "Place": _place(graph, node)} | _node(node)
    return "; ".join(f"{what}: {text}" for what, text in fields.items() if text and what != "Name")
