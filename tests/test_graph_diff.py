"""What changed between two versions, in words (response-playbooks.md 28)."""

from __future__ import annotations

from dataclasses import replace as changed

from playbooks.graph.diff import Change, difference
from playbooks.graph.rules import add, move, remove, replace
from playbooks.graph.schema import ActionUse, ApprovalUse, Graph, OpenIncident, Period, Target, Trigger, read, write
from tests.graph_strategies import for_all, legal_graphs, wild_graphs
from tests.graphs import graph, notify, row, twelve


def test_28_equal_versions_do_not_differ() -> None:
    assert difference(twelve(), read(write(twelve()))[0]) == []


def test_28_settings_of_the_playbook_are_told() -> None:
    old = twelve()
    new = changed(
        old,
        name="Renamed",
        trigger=Trigger("manual", (Period(("mon", "tue"), "22:00", "06:00"),), "Europe/Berlin"),
        target=Target(("high",), ("Ransomware note",), False, OpenIncident(("ada", "grace"))),
    )
    assert difference(old, new) == [
        Change("Playbook", "Name", "Host with malware", "Renamed"),
        Change("Trigger", "Type", "Automatic or manual", "Manual", "trigger"),
        Change("Trigger", "Only during", "", "Mon, Tue 22:00 to 06:00", "trigger"),
        Change("Trigger", "Time zone", "UTC", "Europe/Berlin", "trigger"),
        Change("Target", "Severity levels", "High, Critical", "High", "target"),
        Change("Target", "Detection models", "", "Ransomware note", "target"),
        Change("Target", "Filter by highlighted object risk", "yes", "no", "target"),
        Change("Target", "Owners of the incident", "ada", "ada, grace", "target"),
        Change("Target", "Close it on success as", "Malicious", "", "target"),
    ]


def test_28_settings_of_a_node_are_told() -> None:
    old = twelve()
    approval = ApprovalUse("channel", "", (), ("#soc",), True)
    node = changed(
        old.node("a1"), name="Block", risk=("suspicious",), approval=approval, on_failure="stop", deadline_minutes=5,
        actions=(ActionUse("block", {"days": 7}),),
    )  # fmt: skip
    assert [(one.where, one.what, one.before, one.after) for one in difference(old, replace(old, node))] == [
        ("Block", "Name", "", "Block"),
        ("Block", "Actions", "Add to block list; Collect file", "Add to block list (Days until it expires: 7)"),
        ("Block", "On objects rated", "highly suspicious, suspicious, unrated", "suspicious"),
        ("Block", "Approval", "not asked", "asked by channel #soc, of two people"),
        ("Block", "After a failure", "go on", "take no further action"),
        ("Block", "Give up after", "30 minutes", "5 minutes"),
    ]


def test_28_the_ticket_profile_and_the_approval_of_a_ticket_are_told() -> None:
    old = changed(
        graph(notify("m1", "target", "ticket"), notify("m2", "target")),
        target=Target(("high",), open_incident=OpenIncident()),
    )
    node = changed(
        old.node("m1"),
        approval=ApprovalUse(recipients=("a@b",)),
        actions=(ActionUse("ticket", {"profile": "Security", "assignment_group": "Network"}),),
    )
    target = changed(old.target, open_incident=OpenIncident(ticket_profile="Security"))
    new = changed(replace(old, node), target=target)
    assert [(one.what, one.before, one.after) for one in difference(old, new)] == [
        ("Send it to ServiceNow by", "", "Security"),
        ("Actions", "ServiceNow ticket (Ticket profile: Security)",
         "ServiceNow ticket (Ticket profile: Security; Assignment group: Network)"),
        ("Approval", "", "asked by e-mail to a@b"),
    ]  # fmt: skip


def test_28_conditions_are_told_as_rows() -> None:
    old = twelve()
    node = changed(old.node("c2"), conditions=(row("ip_address", "in_network", "10.0.0.0/8"),))
    (change,) = difference(old, replace(old, node))
    assert (change.before, change.after) == ("Hour of day is 20-6", "IP address is in network 10.0.0.0/8")


def test_28_new_and_removed_nodes_are_told() -> None:
    old = twelve()
    new = remove(add(old, "target", "right", "condition", id="new"), "m3")
    assert [(one.where, one.what, one.node) for one in difference(old, new)] == [
        ("Condition", "added", "new"),
        ("E-mail", "removed", "m3"),
    ]
    back = {one.what: one for one in difference(new, old)}
    assert back["added"].after.startswith(
        "Type: Notification; Place: right of Add task list; Actions: E-mail (Recipients:"
    )


def test_28_another_order_of_siblings_is_told_once() -> None:
    assert difference(twelve(), move(twelve(), "c2", -1)) == [
        Change(
            "The target",
            "Order",
            "Highly suspicious, Hour of day is 20-6",
            "Hour of day is 20-6, Highly suspicious",
            "target",
        )
    ]


def test_28_another_place_is_told() -> None:
    found = difference(twelve(), move(twelve(), "a5", -1))
    assert ("a5", "Place", "right of Assign", "right of the condition “Hour of day is 20-6”") in [
        (one.node, one.what, one.before, one.after) for one in found
    ]


@for_all(legal_graphs())
def test_28_a_graph_does_not_differ_from_itself(made: Graph) -> None:
    assert difference(made, made) == []


@for_all(wild_graphs, wild_graphs)
def test_28_any_two_graphs_can_be_compared_and_back(old: Graph, new: Graph) -> None:
    there, back = difference(old, new), difference(new, old)
    assert {(one.node, one.what, one.before) for one in there if one.what not in ("added", "removed", "Order")} == {
        (one.node, one.what, one.after) for one in back if one.what not in ("added", "removed", "Order")
    }
    if there == []:
        assert {node.id for node in old.nodes} == {node.id for node in new.nodes}
