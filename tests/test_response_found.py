"""What a search finds becomes objects of the next nodes (rulings 12), and nothing is an object twice."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.models import ResponseTask
from playbooks.views.run_marks import object_row
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
KNOWN, OTHER = "<1@bad.example> in ana@corp.example", "<1@bad.example> in ben@corp.example"


def hit(value: str, box: str, **more: Any) -> dict[str, Any]:
    """A message as a product tells of it, with more than the alert knew."""
    facts = {"message_id": "<1@bad.example>", "mailbox": box, "received_at": "2026-03-01T10:00:00Z", **more}
    return {"kind": "message", "type": "message", "value": value, "facts": facts}


def test_12_a_message_that_is_found_again_is_no_second_object(tiny: Range) -> None:
    tiny.shop.state["finds"]["find_messages"] = {
        "found": [hit(KNOWN.upper(), "ANA@corp.example"), hit(OTHER, "ben@corp.example"),
                  hit(OTHER, "ben@corp.example", subject="Invoice")],
    }  # fmt: skip
    message = {"type": "message", "name": KNOWN, "message_id": "<1@bad.example>", "mailbox": "ana@corp.example"}
    search = action("s", "find_messages")
    sweep = action("q", "quarantine_message", parent="s")
    run = run_now(publish(graph(search, sweep)), alert_of(entities=[message]))
    tasks = ResponseTask.objects.filter(run=run, action="quarantine_message")
    assert sorted(tasks.values_list("target_value", flat=True)) == sorted([KNOWN, OTHER])
    assert sorted(tiny.targets("quarantine_message")) == sorted([KNOWN, OTHER])


def test_13_scores_are_told_in_words() -> None:
    one = {"kind": "domain", "type": "domain", "value": "evil-one.com", "risk": "suspicious",
           "scores": {"OTX": {"pulses": 3, "names": ["x"], "whois": "y" * 500}, "GreyNoise": "malicious"}}  # fmt: skip
    assert object_row(one)["scores"] == "OTX: pulses 3; GreyNoise: malicious"
    assert object_row({**one, "scores": None})["scores"] == ""
