"""Strategies for property tests of graphs. Texts are such as can be stored: no NUL, no halves of surrogate pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as changed
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbooks.graph.actions import ACTIONS, fitting
from playbooks.graph.conditions import Facts, Object
from playbooks.graph.model import DAYS, METHODS, ON_FAILURE, RISKS, SIDES, TRIGGERS, TYPES
from playbooks.graph.parameters import OPERATORS, PARAMETERS
from playbooks.graph.rules import add, additions, next_id, replace
from playbooks.graph.schema import (
    ActionUse,
    ApprovalUse,
    Graph,
    Node,
    OpenIncident,
    Period,
    Row,
    Target,
    Trigger,
    blank,
)
from tests.graphs import facts, good_params, row

Test = Callable[..., None]


def for_all(*strategies: st.SearchStrategy[Any], examples: int = 40) -> Callable[[Test], Test]:
    """``given``, with few examples and without a clock: other work on the machine must not fail a test."""
    patient = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))

    def decorate(test: Test) -> Test:
        return patient(given(*strategies)(test))

    return decorate


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=10)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda id: id not in ("target", "trigger"))
tuples_of_texts = st.lists(texts, max_size=3).map(tuple)
rows = st.builds(
    Row, texts | st.sampled_from(list(PARAMETERS)), texts | st.sampled_from(list(OPERATORS)), tuples_of_texts
)
params = st.dictionaries(texts, texts | st.integers(-1000, 1000) | st.lists(texts, max_size=3), max_size=3)
uses = st.builds(ActionUse, texts | st.sampled_from(list(ACTIONS)), params)
approvals = st.builds(ApprovalUse, st.sampled_from(METHODS), texts, tuples_of_texts, tuples_of_texts, st.booleans())


@st.composite
def wild_nodes(draw: st.DrawFn) -> tuple[Node, ...]:
    """Nodes of the right shape that mostly break the rules."""
    names = draw(st.lists(ids, max_size=8, unique=True))
    return tuple(
        Node(
            id=name,
            type=draw(st.sampled_from(TYPES)),
            parent=draw(st.sampled_from(["target", "", "nobody", *names])),
            side=draw(st.sampled_from(SIDES)),
            name=draw(texts),
            conditions=draw(st.lists(rows, max_size=2).map(tuple)),
            risk=draw(st.lists(st.sampled_from(RISKS) | texts, max_size=3).map(tuple)),
            actions=draw(st.lists(uses, max_size=2).map(tuple)),
            approval=draw(st.none() | approvals),
            on_failure=draw(st.sampled_from(ON_FAILURE)),
            deadline_minutes=draw(st.integers(-5, 5000)),
        )
        for name in names
    )


wild_graphs = st.builds(
    Graph,
    name=texts,
    description=texts,
    trigger=st.builds(
        Trigger,
        st.sampled_from(TRIGGERS),
        st.lists(
            st.builds(
                Period,
                st.lists(st.sampled_from(DAYS) | texts, max_size=3).map(tuple),
                *[texts] * 2,
            ),
            max_size=3,
        ).map(tuple),
        texts,
    ),
    target=st.builds(
        Target,
        tuples_of_texts,
        tuples_of_texts,
        st.booleans(),
        st.none() | st.builds(OpenIncident, tuples_of_texts, texts),
    ),
    nodes=wild_nodes(),
)


def filled(node: Node, draw: st.DrawFn) -> Node:
    """The empty node with settings that have nothing wrong."""
    if node.type in ("condition", "else_if"):
        choices = (
            row("object_risk", "is", "suspicious"),
            row("severity", "is", "high"),
            row("custom_tag", "is_not", "vip"),
        )
        return changed(node, conditions=(draw(st.sampled_from(choices)),))
    spec = draw(st.sampled_from(fitting(node.type)))
    risk = draw(st.sampled_from([RISKS, RISKS[:1], RISKS[1:]])) if spec.responds else ()
    use = ActionUse(spec.name, good_params(spec.name))
    return changed(node, actions=(use,), risk=risk, on_failure=draw(st.sampled_from(ON_FAILURE)))


@st.composite
def legal_graphs(draw: st.DrawFn, most: int = 14) -> Graph:
    """Graphs that are built as in the editor: one legal addition after another."""
    made = blank("Made by hand")
    made = changed(made, target=changed(made.target, filter_by_risk=True, severities=("high",)))
    for _ in range(draw(st.integers(1, most))):
        places = ["target", *(node.id for node in made.nodes)]
        what = draw(st.sampled_from([one for id in places for one in additions(made, id)]))
        new = next_id(made)
        made = add(made, what.parent, what.side, what.type)
        made = replace(made, filled(made.node(new), draw))
    return made


kinds = st.sampled_from(["hash", "url", "ip", "domain", "endpoint", "account", "file", "process"])


@st.composite
def alerts(draw: st.DrawFn) -> Facts:
    """Alerts with up to eight objects, some related, some with an asset."""
    keys = [f"o{number}" for number in range(draw(st.integers(0, 8)))]
    assets = st.none() | st.fixed_dictionaries({
        "groups": st.lists(st.sampled_from(["Finance", "Payroll"]), max_size=2),
        "tags": st.lists(st.sampled_from(["vip", "VIP", "lab"]), max_size=2),
        "criticality": st.sampled_from(["unknown", "high"]),
        "addresses": st.lists(st.sampled_from(["10.0.0.1", "192.0.2.7"]), max_size=2),
    })  # fmt: skip
    objects = [
        Object(
            key,
            draw(kinds),
            value=draw(texts | st.sampled_from(["10.0.0.1", "WS-1", "ws-1"])),
            risk=draw(st.sampled_from(RISKS)),
            related=tuple(draw(st.lists(st.sampled_from(keys), max_size=2))),
            asset=draw(assets),
        )
        for key in keys
    ]
    return facts(*objects, severity=draw(st.sampled_from(["high", "low", ""])))
