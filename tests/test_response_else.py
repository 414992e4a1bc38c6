"""An else that tells people (response-playbooks.md "Shape", 11, 23)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from playbooks.actions import backtests
from playbooks.models import ResponseTask
from soar.accounts.models import User
from tests.playbook_files import work
from tests.response_tools import Range, action, alert_of, condition, graph, publish, run_now, tasks_of, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SAY: dict[str, Any] = {"type": "notify", "side": "below", "risk": []}
EITHER_OR = graph(
    condition("c", ("severity", "is", ["critical"])),
    action("a", "isolate_endpoint", parent="c"),
    action("t", ("channel", {"channels": ["SOC"]}), parent="c", **SAY, name="Only say so"),
)


def test_11_where_the_condition_is_false_people_are_told_and_nothing_is_done(tiny: Range) -> None:
    run = run_now(publish(EITHER_OR), alert_of(severity=2))
    assert tiny.done == []
    assert [(name, target) for name, target, _status in tasks_of(run)] == [("channel", "SOC")]
    assert ResponseTask.objects.get(run=run).reason == "There is no enabled channel SOC."


def test_11_where_it_is_true_they_are_not(tiny: Range) -> None:
    run = run_now(publish(EITHER_OR), alert_of(severity=4))
    assert tasks_of(run) == [("isolate_endpoint", "LT-0042", "successful")]


def test_30_a_backtest_names_that_branch(tiny: Range, admin: User, as_admin: Client) -> None:
    alert_of(severity=2)
    row = publish(EITHER_OR)
    backtests.start(Actor.of(admin), row, days=7)
    work()
    text = as_admin.get(f"/playbooks/{row.pk}/backtest/").content.decode()
    assert "Only say so" in text.split("By branch")[1].split("By action")[0]
