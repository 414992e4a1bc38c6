"""Which node may follow which, and the edits that keep to it (response-playbooks.md, "Shape")."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from playbooks.graph.rules import (
    NODE_RULES,
    Illegal,
    add,
    additions,
    can_lift,
    duplicate,
    lift,
    may_follow,
    move,
    next_id,
    remove,
    replace,
)
from playbooks.graph.schema import Graph, Node, blank
from playbooks.graph.validate import validate
from tests.graph_strategies import for_all, legal_graphs
from tests.graphs import action, condition, else_action, else_if, good_world, graph, notify, row, twelve

HIGH = row("severity", "is", "high")
EDITS: dict[str, Callable[[Graph, str], Graph]] = {
    "up": lambda made, id: move(made, id, -1),
    "down": lambda made, id: move(made, id, 1),
    "duplicate": duplicate,
    "lift": lift,
}


def chain(made: Graph, id: str = "target") -> list[str]:
    """The ids of the series that begins to the right of a node."""
    found = []
    while made.children(id, "right"):
        id = made.children(id, "right")[0].id
        found.append(id)
    return found


def test_shape_the_table_is_the_specs() -> None:
    acts = ("action", "notify")
    assert may_follow("trigger", "right") == ("target",)
    assert may_follow("target", "right") == ("condition", *acts) and may_follow("target", "below") == ()
    for type in ("condition", "else_if"):
        assert may_follow(type, "right") == acts and may_follow(type, "below") == ("else_if", "else_action", "notify")
    for type in ("action", "else_action", "notify"):
        assert may_follow(type, "right") == acts and may_follow(type, "below") == ()
        assert NODE_RULES[type].series
    assert may_follow("loop", "right") == () and may_follow("target", "left") == ()


def test_shape_a_blank_playbook_offers_what_may_follow_the_target() -> None:
    found = additions(blank("New"), "target")
    assert [(one.side, one.type) for one in found] == [("right", "condition"), ("right", "action"), ("right", "notify")]
    assert found[0].label == "Add a parallel condition after the target"


def test_shape_a_taken_else_offers_only_an_else_if_in_between() -> None:
    made = graph(condition("c1", HIGH), else_action("x1", "c1", "tag"))
    below = [one for one in additions(made, "c1") if one.side == "below"]
    assert [(one.type, one.between) for one in below] == [("else_if", True)]
    grown = add(made, "c1", "below", "else_if")
    assert grown.node("x1").parent == grown.children("c1", "below")[0].id


def test_shape_an_else_may_tell_people_and_an_else_if_goes_before_it() -> None:
    made = graph(condition("c1", HIGH), notify("m1", "c1", side="below"))
    assert [(one.type, one.between) for one in additions(made, "c1") if one.side == "below"] == [("else_if", True)]
    grown = add(made, "c1", "below", "else_if")
    assert grown.node("m1").parent == grown.children("c1", "below")[0].id and grown.node("m1").side == "below"
    assert lift(grown, grown.children("c1", "below")[0].id) == made
    assert duplicate(made, "m1").children("m1", "right")[0].type == "notify"


def test_shape_an_action_behind_the_message_of_an_else_does_not_take_its_place() -> None:
    made = graph(condition("c1", HIGH), notify("m1", "c1", side="below"), action("a1", "m1", "tag"))
    assert move(made, "m1", 1) == move(made, "a1", -1) == made
    told = graph(condition("c1", HIGH), notify("m1", "c1", side="below"), notify("m2", "m1"))
    assert move(told, "m1", 1).node("m2").side == "below"


def test_shape_a_series_grows_in_between() -> None:
    made = graph(action("a1", "target", "block"), action("a2", "a1", "tag"))
    grown = add(made, "a1", "right", "notify")
    assert chain(grown) == ["a1", "n1", "a2"]
    (label,) = {one.label for one in additions(made, "a1") if one.type == "notify"}
    assert label == "Add a notification after Add to block list and before Add tag"


def test_shape_the_label_says_what_an_empty_node_is() -> None:
    made = add(blank("New"), "target", "right", "condition")
    labels = [one.label for one in additions(made, "n1")]
    assert labels[-2:] == ["Add an else action below the condition", "Add a notification below the condition"]


@pytest.mark.parametrize(
    ("parent", "side", "type"),
    [
        ("target", "below", "else_action"),
        ("target", "right", "else_if"),
        ("c1", "right", "condition"),
        ("c1", "below", "action"),
        ("a1", "right", "condition"),
        ("a1", "below", "else_action"),
        ("m1", "right", "else_action"),
        ("c1", "left", "action"),
        ("c1", "right", "loop"),
    ],
)
def test_shape_an_illegal_addition_is_refused(parent: str, side: str, type: str) -> None:
    with pytest.raises(Illegal):
        add(twelve(), parent, side, type)


def test_shape_a_second_else_action_is_refused() -> None:
    with pytest.raises(Illegal, match=r"cannot be put below"):
        add(graph(condition("c1", HIGH), else_action("x1", "c1", "tag")), "c1", "below", "else_action")


def test_adding_to_what_is_not_there_raises() -> None:
    with pytest.raises(KeyError):
        add(twelve(), "nobody", "right", "action")


def test_the_201st_node_is_refused_and_not_offered() -> None:
    made = Graph(nodes=tuple(Node(f"n{number}", "action") for number in range(200)))
    assert additions(made, "target") == []
    with pytest.raises(Illegal, match="at most 200 nodes"):
        add(made, "target", "right", "action")


def test_parallel_nodes_can_be_put_before_a_sibling() -> None:
    grown = add(twelve(), "target", "right", "condition", before="c2")
    assert [node.id for node in grown.children("target", "right")] == ["c1", "n1", "c2"]


def test_removing_takes_all_that_hangs_on_a_node() -> None:
    left = remove(twelve(), "c1")
    assert [node.id for node in left.nodes] == ["c2", "a4", "a5", "m3"]


def test_lifting_takes_one_node_out_of_a_series() -> None:
    assert chain(lift(twelve(), "a4"), "c2") == ["a5", "m3"]


def test_lifting_an_else_if_without_actions_joins_its_else() -> None:
    made = graph(condition("c1", HIGH), else_if("e1", "c1", HIGH), else_action("x1", "e1", "tag"))
    lifted = lift(made, "e1")
    assert lifted.node("x1").parent == "c1" and lifted.node("x1").side == "below"


@pytest.mark.parametrize("id", ["e1", "c1", "m1", "x1"])
def test_what_cannot_be_lifted_says_so(id: str) -> None:
    assert not can_lift(twelve(), id)
    with pytest.raises(Illegal, match="cannot take its place"):
        lift(twelve(), id)


def test_replacing_keeps_the_place() -> None:
    made = replace(twelve(), Node("a5", "condition", "nowhere", "below", name="New name"))
    assert (made.node("a5").name, made.node("a5").type, made.node("a5").parent) == ("New name", "action", "a4")


def test_moving_changes_the_order_of_siblings() -> None:
    assert [node.id for node in move(twelve(), "c2", -1).children("target")] == ["c2", "c1"]
    assert move(twelve(), "c2", 1) == twelve()


def test_moving_changes_places_in_a_series() -> None:
    assert chain(move(twelve(), "a5", -1), "c2") == ["a5", "a4", "m3"]
    assert chain(move(twelve(), "a5", 1), "c2") == ["a4", "m3", "a5"]


def test_an_else_stays_where_it_is() -> None:
    assert move(twelve(), "x1", -1) == twelve()
    made = graph(condition("c1", HIGH), else_action("x1", "c1", "tag"), notify("m1", "x1"))
    assert move(made, "m1", -1) == made


def test_duplicating_gives_a_sibling_or_the_next_of_the_series() -> None:
    doubled = duplicate(twelve(), "c2")
    assert [node.id for node in doubled.children("target")] == ["c1", "c2", "n1"]
    assert doubled.node("n1").conditions == twelve().node("c2").conditions
    assert chain(duplicate(twelve(), "a4"), "c2")[:3] == ["a4", "a5", "m3"]
    assert chain(duplicate(twelve(), "a5"), "c2") == ["a4", "a5", "n1", "m3"]


def test_an_else_if_cannot_be_duplicated() -> None:
    with pytest.raises(Illegal):
        duplicate(twelve(), "e1")


@for_all(legal_graphs())
def test_what_is_built_by_additions_has_nothing_wrong(made: Graph) -> None:
    wrong = [problem for problem in validate(made, good_world()) if problem.field != "nodes"]
    assert wrong == []


@for_all(legal_graphs(), st.data())
def test_after_removing_the_grammar_holds(made: Graph, data: st.DataObject) -> None:
    while made.nodes:
        made = remove(made, data.draw(st.sampled_from([node.id for node in made.nodes])))
        assert [one for one in validate(made) if one.field in ("parent", "side")] == []


@for_all(legal_graphs(), st.data())
def test_after_any_edit_the_grammar_holds(made: Graph, data: st.DataObject) -> None:
    for _ in range(4):
        id = data.draw(st.sampled_from([node.id for node in made.nodes]))
        what = data.draw(st.sampled_from(list(EDITS)))
        try:
            made = EDITS[what](made, id)
        except Illegal:
            continue
        assert [one for one in validate(made) if one.field in ("parent", "side")] == []
        assert len({node.id for node in made.nodes}) == len(made.nodes) and next_id(made) not in made.by_id
