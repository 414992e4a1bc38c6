"""The door to the rules of a graph: the table of what may follow what, and the edits that keep to it."""

from __future__ import annotations

from playbooks.graph.edits import Illegal, add, can_lift, duplicate, lift, move, next_id, remove, replace
from playbooks.graph.grammar import (
    NODE_RULES,
    Addition,
    Rule,
    additions,
    label,
    may_be_put,
    may_follow,
    takes_one,
    type_of,
)

__all__ = [
    "NODE_RULES", "Addition", "Illegal", "Rule", "add", "additions", "can_lift", "duplicate", "label", "lift",
    "may_be_put", "may_follow", "move", "next_id", "remove", "replace", "takes_one", "type_of",
]  # fmt: skip
