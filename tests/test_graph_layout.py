"""The drawing of a graph: nothing overlaps, everything is there, in reading order (design, "Graph")."""

from __future__ import annotations

import re

from playbooks.graph.layout import Box, Drawing, Edge, layout
from playbooks.graph.schema import Graph, blank
from tests.graph_strategies import for_all, legal_graphs, wild_graphs
from tests.graphs import action, condition, else_action, graph, row, twelve

HIGH = row("severity", "is", "high")


def box(drawing: Drawing, id: str) -> Box:
    return next(one for one in drawing.nodes if one.id == id)


def edge(drawing: Drawing, source: str, target: str) -> Edge:
    return next(one for one in drawing.edges if (one.source, one.target) == (source, target))


def overlap(one: Box, other: Box) -> bool:
    return one.x < other.end and other.x < one.end and one.y < other.y + other.h and other.y < one.y + one.h


def lines(path: str) -> list[tuple[float, float, float, float]]:
    """The straight pieces of an edge, without the arrow's head; rounded corners are taken as corners."""
    x = y = 0.0
    found = []
    for letter, text in re.findall(r"([MHVq])([^MHVqm]*)", path.rpartition("m")[0]):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", text)]
        before = (x, y)
        if letter == "M":
            x, y = numbers
            continue
        if letter == "H":
            x = numbers[0]
        elif letter == "V":
            y = numbers[0]
        else:
            x, y = x + numbers[2], y + numbers[3]
        found.append((*before, x, y))
    return found


def test_a_blank_playbook_shows_trigger_target_and_a_sign() -> None:
    drawing = layout(blank("New"))
    assert [(one.id, one.x, one.y, one.w, one.h) for one in drawing.nodes] == [
        ("trigger", 8, 22, 134, 56), ("target", 178, 22, 152, 56),
    ]  # fmt: skip
    assert [one.path for one in drawing.edges] == ["M142 50H178m-6 -4 6 4-6 4"]
    (sign,) = drawing.adds
    assert (sign.parent, sign.side, sign.x, sign.y) == ("target", "right", 330, 50)
    assert sign.label == "Add a parallel condition, action or notification after the target"


def test_the_columns_and_rows_are_the_designs() -> None:
    drawing = layout(twelve())
    assert [(one.id, one.x, one.y) for one in drawing.nodes] == [
        ("trigger", 8, 70), ("target", 178, 70),
        ("c1", 366, 70), ("a1", 610, 22), ("m1", 832, 22), ("a2", 610, 118),
        ("e1", 366, 214), ("a3", 610, 214), ("m2", 832, 214), ("x1", 366, 310),
        ("c2", 366, 406), ("a4", 610, 406), ("a5", 832, 406), ("m3", 1048, 406),
    ]  # fmt: skip
    assert (drawing.width, drawing.height) == (1048 + 172 + 10, 406 + 56 + 16)


def test_lines_are_straight_or_turn_twice() -> None:
    drawing = layout(twelve())
    assert edge(drawing, "e1", "a3").path == "M544 242H610m-6 -4 6 4-6 4"
    assert edge(drawing, "c1", "a1").path == "M544 98H580q8 0 8 -8V58q0 -8 8 -8H610m-6 -4 6 4-6 4"
    assert edge(drawing, "target", "c2").path == "M330 98H336q8 0 8 8V426q0 8 8 8H366m-6 -4 6 4-6 4"
    assert edge(drawing, "c1", "e1").path == "M396 126V214m-4 -6 4 6 4-6"


def test_conditions_say_true_and_false_once() -> None:
    drawing = layout(twelve())
    words = [(one.source, one.target, one.label) for one in drawing.edges if one.label]
    assert words == [
        ("c1", "a1", "True"), ("c1", "e1", "False"), ("e1", "a3", "True"), ("e1", "x1", "False"), ("c2", "a4", "True"),
    ]  # fmt: skip
    false = edge(drawing, "c1", "e1")
    assert (false.label_x, false.label_y) == (404, 174)


def test_signs_stand_where_something_may_be_added() -> None:
    signs = {(one.parent, one.side): one.types for one in layout(twelve()).adds}
    assert set(signs) == {
        ("target", "right"), ("c1", "right"), ("m1", "right"), ("a2", "right"), ("e1", "right"), ("m2", "right"),
        ("x1", "right"), ("c2", "right"), ("c2", "below"), ("m3", "right"),
    }  # fmt: skip
    assert signs["c2", "below"] == ("else_if", "else_action", "notify")


def test_a_sign_that_cannot_be_pressed_is_not_there() -> None:
    full = Graph(nodes=tuple(action(f"n{number}", "target", "tag") for number in range(200)))
    assert layout(full).adds == []


def test_an_illegal_draft_is_drawn_too() -> None:
    made = graph(
        condition("c1", HIGH),
        else_action("x1", "c1", "tag"),
        else_action("x2", "c1", "tag"),
        action("a9", "gone", "tag"),
    )
    drawing = layout(made)
    assert [one.id for one in drawing.nodes] == ["trigger", "target", "c1", "x1", "x2", "a9"]
    assert box(drawing, "a9").y > box(drawing, "x2").y
    assert "gone" not in {one.source for one in drawing.edges}


@for_all(legal_graphs())
def test_nothing_overlaps_and_no_line_crosses_a_box(made: Graph) -> None:
    drawing = layout(made)
    boxes = drawing.nodes
    assert not [(a.id, b.id) for n, a in enumerate(boxes) for b in boxes[:n] if overlap(a, b)]
    for one in drawing.edges:
        for x1, y1, x2, y2 in lines(one.path):
            hit = [b.id for b in boxes if min(x1, x2) < b.end - 1 and max(x1, x2) > b.x + 1
                   and min(y1, y2) < b.y + b.h - 1 and max(y1, y2) > b.y + 1]  # fmt: skip
            assert not hit, (one, hit)


@for_all(wild_graphs)
def test_everything_is_drawn_once_whatever_it_is(made: Graph) -> None:
    drawing = layout(made)
    ids = [one.id for one in drawing.nodes]
    assert ids == ["trigger", "target", *(node.id for node in made.reading_order)]
    hanging = [node for node in made.nodes if node.parent in ids]
    assert len(drawing.edges) == 1 + len(hanging)
    assert drawing.width >= max(one.end for one in drawing.nodes)
    assert drawing.height >= max(one.y + one.h for one in drawing.nodes)
    for one in drawing.adds:
        assert one.types and one.label


@for_all(legal_graphs())
def test_a_branch_comes_before_its_else(made: Graph) -> None:
    place = {one.id: number for number, one in enumerate(layout(made).nodes)}
    for node in made.nodes:
        order = [place[child.id] for child in (*made.children(node.id, "right"), *made.children(node.id, "below"))]
        assert order == sorted(order) and all(number > place[node.id] for number in order)
