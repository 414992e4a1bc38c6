"""Where the boxes, lines and signs of the drawing stand; numbers in px as the design has them.

A branch lies to the right of its node, an else below it. Rows are as high as a box and its gap; a node stands at the
middle of what follows it, so that no line ever crosses a box."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.graph.grammar import additions, label, takes_one, type_of
from playbooks.graph.model import SIDES, TARGET, Graph, Node
from playbooks.graph.words import CONDITIONS

HEIGHT, PITCH, TOP = 56, 96, 22
COLUMNS = ((8, 134), (178, 152), (366, 178), (610, 178), (832, 172))  # x and width
FURTHER = 216  # from one later column to the next
RIGHT_EDGE, BOTTOM_EDGE = 10, 16
BELOW_AT = 30  # from a box's left side to the line that leaves it below
BEND = 22  # from the corner of a line to the box that it leads to
TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Box:
    """A node; ``id`` is "trigger" or "target" for those two. ``x``, ``y``: the upper left corner."""

    id: str
    type: str
    x: float
    y: float
    w: float
    h: float
    column: int

    @property
    def middle(self) -> float:
        """The height at which lines leave and arrive."""
        return self.y + self.h / 2

    @property
    def end(self) -> float:
        """The right side."""
        return self.x + self.w


@dataclass(frozen=True, slots=True)
class Edge:
    """A line with its arrow, as the ``d`` of an SVG path. ``label``: "True", "False" or ""; it begins at its x."""

    path: str
    source: str
    target: str
    side: str
    label: str = ""
    label_x: float = 0
    label_y: float = 0


@dataclass(frozen=True, slots=True)
class Add:
    """A "+" where something may be added. ``x``, ``y``: its middle. ``types``: what may be added there."""

    parent: str
    side: str
    x: float
    y: float
    label: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it, the boxes in reading order."""

    width: float
    height: float
    nodes: list[Box]
    edges: list[Edge]
    adds: list[Add]


def layout(graph: Graph) -> Drawing:
    """The drawing of a graph. A draft that breaks the rules is drawn too: what hangs on nothing stands at the end."""
    places = _Places(graph)
    boxes = list(places.boxes.values())
    edges = [_right(places.boxes[TRIGGER], places.boxes[TARGET])]
    for id in (TARGET, *(node.id for node in graph.reading_order)):
        edges.extend(_edges(graph, places, id))
    return Drawing(
        width=max(box.end for box in boxes) + RIGHT_EDGE,
        height=max(box.y + box.h for box in boxes) + BOTTOM_EDGE,
        nodes=boxes,
        edges=edges,
        adds=[add for box in boxes if box.id != TRIGGER for add in _adds(graph, box)],
    )


def _box(id: str, type: str, column: int, y: float) -> Box:
    """A box in its column; those after the last column of the design go on in equal steps."""
    x, width = COLUMNS[min(column, len(COLUMNS) - 1)]
    return Box(id, type, x + FURTHER * max(0, column - len(COLUMNS) + 1), y, width, HEIGHT, column)


class _Places:
    """Gives each node its place, branch by branch. ``boxes`` in reading order."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.row = 0
        self.heights: dict[str, float] = {}
        self.columns: dict[str, int] = {}
        for node in graph.children(TARGET):
            self._place(node, 2)
        first = next((self.heights[node.id] for node in graph.children(TARGET)), TOP)
        for node in graph.reading_order:  # what hangs on nothing
            self._place(node, 2)
        self.boxes = {
            TRIGGER: _box(TRIGGER, TRIGGER, 0, first),
            TARGET: _box(TARGET, TARGET, 1, first),
            **{n.id: _box(n.id, n.type, self.columns[n.id], self.heights[n.id]) for n in graph.reading_order},
        }

    def _place(self, node: Node, column: int) -> None:
        """The node and all that hangs on it: rows for what is right of it, then for what is below."""
        if node.id in self.columns:
            return
        self.columns[node.id] = column
        right = [one for one in self.graph.children(node.id, "right") if one.id not in self.columns]
        for child in right:
            self._place(child, column + 1)
        if right:
            self.heights[node.id] = (self.heights[right[0].id] + self.heights[right[-1].id]) / 2
        else:
            self.heights[node.id] = TOP + PITCH * self.row
            self.row += 1
        for child in self.graph.children(node.id, "below"):
            self._place(child, column)


def _edges(graph: Graph, places: _Places, id: str) -> list[Edge]:
    """The lines from one node. The first to the right of a condition says True, the one below False."""
    box = places.boxes[id]
    asks = box.type in CONDITIONS
    found = []
    for number, child in enumerate(graph.children(id, "right")):
        found.append(_right(box, places.boxes[child.id], "True" if asks and number == 0 else ""))
    for child in graph.children(id, "below"):
        found.append(_below(box, places.boxes[child.id], "False" if asks else ""))
    return found


def _right(box: Box, to: Box, label: str = "") -> Edge:
    """Straight, or with two rounded corners shortly before the box it leads to."""
    start, end, goal = box.middle, to.middle, f"H{to.x:g}m-6 -4 6 4-6 4"
    if start == end:
        path = f"M{box.end:g} {start:g}{goal}"
    else:
        step = 8 if end > start else -8
        corner = to.x - BEND - 8
        path = f"M{box.end:g} {start:g}H{corner:g}q8 0 8 {step}V{end - step:g}q0 {step} 8 {step}{goal}"
    return Edge(path, box.id, to.id, "right", label, box.end + 12, start - 7)


def _below(box: Box, to: Box, label: str) -> Edge:
    x, start = box.x + BELOW_AT, box.y + box.h
    path = f"M{x:g} {start:g}V{to.y:g}m-4 -6 4 6 4-6"
    return Edge(path, box.id, to.id, "below", label, x + 8, (start + to.y) / 2 + 4)


def _adds(graph: Graph, box: Box) -> list[Add]:
    """The signs of one box: where a place is free, or takes several. What comes between two nodes has no sign."""
    found = []
    for side in SIDES:
        types = tuple(one.type for one in additions(graph, box.id) if one.side == side and not one.between)
        if not types or (takes_one(type_of(graph, box.id), side) and graph.children(box.id, side)):
            continue
        x, y = (box.end, box.middle) if side == "right" else (box.x + BELOW_AT, box.y + box.h + 8)
        found.append(Add(box.id, side, x, y, label(graph, box.id, side, types), types))
    return found
