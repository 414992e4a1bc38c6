"""What a search finds becomes objects of the next nodes (rulings 12), and nothing is an object twice."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.models import ResponseTask
from playbooks.response.found import Known
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


class Read(dict[str, Any]):
    """An object that counts how often it is looked into."""

    times = 0

    def __getitem__(self, name: str) -> Any:
        Read.times += 1
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        Read.times += 1
        return super().get(name, default)


def test_12_a_thousand_hits_are_not_compared_each_with_each() -> None:
    """The locks of the case and the run are held meanwhile: the work grows as the hits do, not as their square."""

    def work_for(number: int) -> int:
        targets: list[dict[str, Any]] = []
        known, Read.times = Known(targets), 0
        for each in range(number):
            known.key_of(Read(hit(f"<{each}> in ana@corp.example", "ana@corp.example", message_id=f"<{each}>")), "")
            targets[-1] = Read(targets[-1])
        return Read.times

    assert work_for(2000) == 10 * work_for(200)


ANA = hit(KNOWN, "ana@corp.example", message_id="")


@pytest.mark.parametrize(
    ("there", "found", "same"),
    [
        (ANA, hit(KNOWN.upper(), "ANA@corp.example", message_id=""), True),
        (ANA, hit(KNOWN, "ben@corp.example", message_id=""), False),
        (ANA, hit(KNOWN, "", message_id=""), True),
        (hit(KNOWN, "", message_id=""), ANA, True),
        (ANA, {"kind": "file", "value": KNOWN}, False),
        (hit("a", "ana@corp.example"), hit("b", "ANA@corp.example"), True),
        (hit("a", "ana@corp.example"), hit("b", "ben@corp.example"), False),
        (hit("a", ""), hit("b", ""), False),
        (hit("a", "ana@corp.example"), hit("b", "ana@corp.example", message_id="", unique_id="<1@bad.example>"), True),
        ({"kind": "file", "value": "x.exe"}, {"kind": "file", "value": "X.EXE"}, True),
    ],
)
def test_12_what_is_the_same(there: dict[str, Any], found: dict[str, Any], same: bool) -> None:
    targets: list[dict[str, Any]] = []
    known = Known(targets)
    first = known.key_of(there, "suspicious")
    assert (known.key_of(found, "suspicious") == first, len(targets)) == (same, 1 if same else 2)
    assert (Known(targets).key_of(found, "suspicious") == first) is same, "also of objects that the run had before"


def test_12_of_two_that_are_the_same_the_first_is_taken() -> None:
    targets: list[dict[str, Any]] = []
    known = Known(targets)
    keys = [known.key_of(hit(KNOWN, box, message_id=""), "") for box in ("ben@corp.example", "ana@corp.example")]
    assert keys == ["o1", "o2"]
    assert known.key_of(hit(KNOWN, "", message_id=""), "") == "o1"
    assert known.key_of(hit(KNOWN, "ana@corp.example", message_id=""), "") == "o2"


def test_13_scores_are_told_in_words() -> None:
    one = {"kind": "domain", "type": "domain", "value": "evil-one.com", "risk": "suspicious",
           "scores": {"OTX": {"pulses": 3, "names": ["x"], "whois": "y" * 500}, "GreyNoise": "malicious"}}  # fmt: skip
    assert object_row(one)["scores"] == "OTX: pulses 3; GreyNoise: malicious"
    assert object_row({**one, "scores": None})["scores"] == ""
