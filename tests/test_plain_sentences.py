"""Sentences of the timeline as plain text: for mails, tickets and reports."""

from __future__ import annotations

from typing import Any

from cases.models import TimelineEntry
from cases.timeline_words import plain_sentence, sentence


def entry(kind: str, data: dict[str, Any], actor: str = "Malware on a host") -> TimelineEntry:
    return TimelineEntry(kind=kind, data=data, actor_name=actor, actor_type="playbook")


def test_what_leads_on_by_a_click_is_no_text() -> None:
    asked = entry("approval.requested", {"approval": 7, "title": "Isolate", "tasks": [], "count": 1})
    assert ">Show</a>" in sentence(asked)
    assert plain_sentence(asked) == "asks for an approval: Isolate"
    run = entry("run.finished", {"run": 4, "status": "successful"})
    assert ">Show the run</a>" in sentence(run)
    assert plain_sentence(run) == "finished successfully"


def test_a_link_that_is_a_word_of_the_sentence_stays() -> None:
    merged = entry("incident.split_off", {"incident": "INC-7"})
    assert "Show" not in plain_sentence(merged)
    numbers = entry("alerts.linked", {"alerts": ["ALR-3"]})
    assert "<a " not in plain_sentence(numbers)


def test_signs_of_people_are_read_as_they_wrote_them() -> None:
    changed = entry("changed", {"field": "title", "old": "", "new": "O'Brien & sons <here>"})
    assert "O'Brien & sons <here>" in plain_sentence(changed)


def test_a_question_does_not_name_its_playbook_twice() -> None:
    asked = entry("approval.requested", {"approval": 7, "title": "Malware on a host: Isolate and scan", "tasks": []})
    assert plain_sentence(asked) == "asks for an approval: Isolate and scan"
    someone = entry("approval.approved", {"approval": 7, "title": "Malware on a host: Isolate", "count": 2}, "Priya")
    assert plain_sentence(someone) == "approved 2 tasks of Malware on a host: Isolate"
