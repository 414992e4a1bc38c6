"""The report as people read it: in a mail, in a chat, as a file (response-playbooks.md 24)."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.models import Run
from playbooks.response.report import message_from
from soar.connectors.fitting import shortened
from soar.connectors.intelligence.actions import add_own
from soar.connectors.messages import Message
from soar.connectors.rendering import as_html, as_text
from tests.response_tools import Range, action, alert_of, graph, only_task, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tiny: Range) -> Run:
    """A host was isolated for a domain that is on the house's own list."""
    add_own(None, "domain", "evil-one.com", "seen in an attack", effect="malicious")
    return run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of())


def message_of(run: Run, **changes: Any) -> Message:
    """Its report as a message."""
    assert run.report is not None
    return message_from({**run.report, **changes}, run.pk, {})


@pytest.mark.parametrize("read", [as_text, as_html])
def test_24_each_task_has_its_time_and_each_rating_its_evidence(run: Run, read: Any) -> None:
    text, ended = read(message_of(run)), only_task(run).finished_at
    assert ended is not None and f"{ended:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "Own list: seen in an attack" in text


def test_24_a_task_that_is_not_over_has_no_time(run: Run) -> None:
    assert run.report is not None
    (task,) = run.report["tasks"]
    waits = {**task, "status": "pending_approval", "reason": "", "message": "", "finished_at": None}
    assert "* Isolate endpoint LT-0042 (Pending approval)" in as_text(message_of(run, tasks=[waits]))


def many(run: Run) -> Message:
    """The same with 20 messages before 60 tasks."""
    assert run.report is not None
    (task,) = run.report["tasks"]
    told = {**task, "action": "email", "label": "E-mail"}
    hosts = [{**task, "target": {"kind": "endpoint", "value": f"LT-{number}"}} for number in range(60)]
    return message_of(run, tasks=[*[told] * 20, *hosts])


@pytest.mark.parametrize("read", [as_text, as_html])
def test_24_messages_take_no_place_from_tasks_and_what_is_left_out_is_counted(run: Run, read: Any) -> None:
    text = read(many(run))
    assert "LT-49" in text and "LT-50" not in text
    assert "… and 10 more" in text and "E-mail" not in text


def test_24_a_channel_that_cuts_further_counts_all_of_it(run: Run) -> None:
    actions = next(part for part in shortened(many(run), 30, 400).sections if part.title == "Actions")
    assert [row.text for row in actions.rows[-2:]] == ["Isolate endpoint LT-29", "… and 30 more"]


def test_24_a_webhook_is_told_too(run: Run) -> None:
    actions = next(part for part in many(run).data()["sections"] if part["title"] == "Actions")
    assert len(actions["rows"]) == 51 and actions["rows"][-1]["text"] == "… and 10 more"
