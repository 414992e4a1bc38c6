"""The tables of docs/playbooks.md are those that editor, validator and engine use."""

from __future__ import annotations

import json
from pathlib import Path

from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import TYPES
from playbooks.graph.parameters import OPERATORS, PARAMETERS
from playbooks.graph.reference import markdown
from playbooks.graph.schema import read
from playbooks.graph.validate import validate

PAGE = Path(__file__).parent.parent / "docs" / "playbooks.md"
BEGIN, END = "<!-- tables of playbooks/graph: begin -->\n", "<!-- tables of playbooks/graph: end -->\n"


def test_the_page_has_the_tables_as_they_are() -> None:
    """Print them by ``python -c "from playbooks.graph.reference import markdown; print(markdown())"``."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == markdown().strip()


def test_the_example_of_the_page_is_a_playbook() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Response playbooks")[2]
    graph, wrong = read(json.loads(text.partition("```json\n")[2].partition("```")[0]))
    assert wrong == [] and validate(graph) == []
    assert [node.id for node in graph.nodes] == ["n1", "n2"]


def test_the_tables_name_everything_that_can_be_used() -> None:
    text = markdown()
    assert [word for word in (*TYPES, *PARAMETERS, *OPERATORS, *ACTIONS) if f"| `{word}` |" not in text] == []
