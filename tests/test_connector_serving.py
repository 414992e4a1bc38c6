"""The table of docs/connectors.md that says which product does what."""

from __future__ import annotations

from pathlib import Path

from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.registry import KINDS
from soar.connectors.responder import Responder
from soar.connectors.serving import markdown, served_by

PAGE = Path(__file__).parent.parent / "docs" / "connectors.md"
BEGIN = "<!-- table of soar/connectors/serving.py: begin -->\n"
END = "<!-- table of soar/connectors/serving.py: end -->\n"


def test_the_page_has_the_table_as_it_is() -> None:
    """``make tables`` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == markdown().strip()


def test_every_action_is_served_by_two_at_least() -> None:
    responders = [kind.connector for kind in KINDS.values() if issubclass(kind.connector, Responder)]
    served = frozenset().union(*(one.serves for one in responders))
    assert served == frozenset(CAPABILITIES)
    assert not [one.name for one in CAPABILITIES.values() if len(served_by(one)) < 2]
    for one in responders:
        for name, kinds in one.only.items():
            assert name in one.serves and kinds <= frozenset(CAPABILITIES[name].targets)
