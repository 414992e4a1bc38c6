"""The drawing of a graph for a page: editor, rehearsal, backtest and run share it (templates/playbooks/_graph.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from playbooks.graph.layout import Box, Edge, layout
from playbooks.graph.model import Graph, Problem
from playbooks.views import graph_words as words
from soar.lib import parts

NAME_SIZE, LINE_SIZE, PADDING = 12.5, 10.3, 10  # pixels: of a bold character, of a plain one, of both edges
# Widths of characters in parts of their size, in a wide font: what fits there fits everywhere.
NARROW, SLIM, BROAD = "ijlI.,:;'|! ", "frt()-/", "mwMW@%…"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a run, rehearsal or backtest says of a node. ``state``: a word of the API, "" for none, "via" for a node on
    the path where nothing is done. ``line``: instead of the node's own facts. ``right``, ``below``: labels of the edges
    that go out; ``went``: the sides that something went."""

    state: str = ""
    line: str = ""
    right: str = ""
    below: str = ""
    went: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shape:
    """A node, finished: places of its texts in pixels."""

    id: str
    url: str
    css: str
    said: str
    icon: str
    kind: str
    name: str
    line: str
    x: float
    y: float
    w: float
    h: float
    selected: bool
    sign: str
    sign_css: str

    @property
    def part(self) -> str:
        """The address for a script, which swaps a region and needs no place to jump to."""
        return self.url.partition("#")[0]

    @property
    def left(self) -> float:
        """Where texts begin."""
        return self.x + 10

    @property
    def after_icon(self) -> float:
        """Where the kind begins."""
        return self.x + 29

    @property
    def right_icon(self) -> float:
        """Where the sign stands."""
        return self.x + self.w - 23

    @property
    def rows(self) -> tuple[float, float, float, float]:
        """The heights of icon, kind, name and line."""
        return self.y + 8, self.y + 19, self.y + 34.5, self.y + 48.5


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge, finished."""

    css: str
    path: str
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Plus:
    """A "+" where something may be added."""

    url: str
    label: str
    x: float
    y: float

    @property
    def part(self) -> str:
        """The address for a script."""
        return self.url.partition("#")[0]

    @property
    def cross(self) -> str:
        """The sign itself, as a path."""
        return f"M{self.x - 4} {self.y}h8M{self.x} {self.y - 4}v8"


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it."""

    width: float
    height: float
    shapes: list[Shape]
    arrows: list[Arrow]
    pluses: list[Plus] = field(default_factory=list)
    label: str = ""


Url = Callable[[str], str]


def picture(
    graph: Graph,
    url: Url,
    *,
    selected: str = "",
    problems: Iterable[Problem] = (),
    marks: Mapping[str, Mark] | None = None,
    add: Callable[[str, str], str] | None = None,
) -> Picture:
    """``graph`` drawn. ``url(id)``: where a node leads. ``marks``: what became of the nodes (trigger and target too).

    ``add(parent, side)``: where a "+" leads; without it there are none. ``problems`` are shown on their nodes."""
    drawing = layout(graph)
    wrong = first_problems(problems)
    shapes = [
        _shape(graph, box, url, box.id == selected, wrong.get(box.id, ""), (marks or {}).get(box.id))
        for box in drawing.nodes
    ]
    arrows = [_arrow(edge, marks) for edge in drawing.edges]
    pluses = [Plus(add(one.parent, one.side), one.label, one.x, one.y) for one in drawing.adds] if add else []
    label = _("Playbook graph, %d nodes") % len(shapes)
    return Picture(drawing.width, drawing.height, shapes, arrows, pluses, label)


def first_problems(problems: Iterable[Problem]) -> dict[str, str]:
    """The first problem of each node."""
    found: dict[str, str] = {}
    for one in problems:
        found.setdefault(one.node, one.message)
    return found


def _shape(graph: Graph, box: Box, url: Url, selected: bool, problem: str, mark: Mark | None) -> Shape:
    about = words.about(graph, box.id)
    line = problem or (mark.line if mark and mark.line else about.line)
    state = mark.state if mark else ""
    said = [about.kind, about.name, line]
    if problem:
        said.append(_("error"))
    if state and state != "via":
        said.append(parts.label(state).lower())
    sign = "error" if problem else _sign(state)
    return Shape(
        id=box.id,
        url=url(box.id),
        css=" ".join(["node", *_css(state), *(["sel"] if selected else []), *(["err"] if problem else [])]),
        said=f"{' '.join(said[:3])}{''.join(', ' + word for word in said[3:])}",
        icon=about.icon,
        kind=about.kind,
        name=cut(about.name, (box.w - PADDING) / NAME_SIZE),
        line=cut(line, (box.w - PADDING) / LINE_SIZE),
        x=box.x, y=box.y, w=box.w, h=box.h,
        selected=selected,
        sign=sign,
        sign_css="ic fg-err" if problem else "ic st",
    )  # fmt: skip


def _css(state: str) -> list[str]:
    return [] if not state else ["via"] if state == "via" else [f"is-{state}"]


def _sign(state: str) -> str:
    if not state or state == "via":
        return ""
    return parts.STATE_ICONS.get(state, "st-running" if state == "in_progress" else f"st-{state}")


def _arrow(edge: Edge, marks: Mapping[str, Mark] | None) -> Arrow:
    if marks is None:
        return Arrow("edge", edge.path, _(edge.label) if edge.label else "", edge.label_x, edge.label_y)
    source = marks.get(edge.source, Mark())
    side = edge.side
    reached = marks.get(edge.target, Mark()).state
    css = "edge"
    if side in source.went and reached == "pending_approval":
        css = "edge live t-violet"
    elif side in source.went:
        css = "edge taken"
    elif source.state and source.state not in ("queued", "in_progress", "pending_approval"):
        css = "edge not"
    label = source.below if side == "below" else source.right
    return Arrow(css, edge.path, label or (_(edge.label) if edge.label else ""), edge.label_x, edge.label_y)


def cut(text: str, room: float) -> str:
    """``text`` on one line that takes at most ``room`` times the size of its characters."""
    line = " ".join(text.split())
    if _width(line) <= room:
        return line
    while line and _width(f"{line}…") > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _width(text: str) -> float:
    return sum(map(_wide, text))


def _wide(one: str) -> float:
    if one in NARROW:
        return 0.37
    if one in SLIM:
        return 0.48
    return 1.0 if one in BROAD or not one.isascii() else 0.8 if one.isupper() else 0.69
