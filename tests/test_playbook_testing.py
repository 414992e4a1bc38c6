"""``playbooks.testing``: a playbook as plain Python, without a database (python-playbooks.md 9)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playbooks import (
    ActionFailed,
    action,
    connector,
    create_incident,
    idempotency_key,
    playbook,
    resolve_current_alert,
    update_current_alert,
)
from playbooks.testing import fake_alert, run


@action
async def reputation(ip: str) -> dict[str, int]:
    """The real one would ask somebody."""
    return {"score": len(ip)}


@playbook(conditions={"severity": ["critical"]})
async def escalate(alert: dict[str, Any]) -> Any:
    found = await reputation(alert["source_ip"])
    if found["score"] > 5:
        await update_current_alert(status="in_progress")
        return (await create_incident(title=alert["title"]))["number"]
    return None


def test_actions_are_executed_and_helpers_recorded() -> None:
    done = run(escalate, fake_alert(source_ip="203.0.113.7"))
    assert done.names == ["reputation", "update_current_alert", "create_incident"]
    assert (done.arguments_of("update_current_alert"), done.result) == ({"status": "in_progress"}, "INC-1")


def test_a_test_says_what_a_call_returns_raises_or_does() -> None:
    assert run(escalate, results={"reputation": {"score": 1}}).result is None
    assert run(escalate, results={"reputation": lambda ip: {"score": 99}}).names[-1] == "create_incident"
    with pytest.raises(ActionFailed, match="OSError: away"):
        run(escalate, results={"reputation": OSError("away")})


def test_plain_functions_work_too() -> None:
    @playbook()
    def simple(alert: dict[str, Any]) -> Any:
        resolve_current_alert(determination="benign", reason="known")
        return alert["number"]

    done = run(simple)
    assert (done.names, done.result) == (["resolve_current_alert"], "ALR-1")


def test_a_forgotten_await_is_told() -> None:
    @playbook()
    async def forgets(alert: dict[str, Any]) -> None:
        update_current_alert(status="in_progress")

    with pytest.raises(AssertionError, match="update_current_alert"):
        run(forgets)


def test_connectors_are_what_the_test_gives() -> None:
    @playbook()
    async def asks(alert: dict[str, Any]) -> Any:
        return connector("edr")["host"]

    assert run(asks, connectors={"edr": {"host": "h"}}).result == "h"


def test_outside_of_a_run_an_action_is_its_function_and_a_helper_says_where_it_works() -> None:
    with ThreadPoolExecutor() as pool:  # this thread has a loop already where browser tests ran before
        assert pool.submit(asyncio.run, reputation("x")).result() == {"score": 1}
    with pytest.raises(RuntimeError, match=r"playbooks\.testing"):
        update_current_alert(status="new")
    with pytest.raises(RuntimeError, match=r"playbooks\.testing"):
        connector("edr")
    assert len(idempotency_key()) == 36


def test_an_alert_has_no_other_keys() -> None:
    with pytest.raises(KeyError, match="banana"):
        fake_alert(banana=1)


def test_a_result_that_is_no_json_is_told() -> None:
    with pytest.raises(ActionFailed, match="not JSON"):
        run(escalate, results={"reputation": {1, 2}})
