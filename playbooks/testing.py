"""Playbooks as plain Python in a unit test: a fake alert, and a recorder of calls. No database, no Django.

from playbooks.testing import fake_alert, run

def test_it_escalates():
    done = run(escalate_critical_alert, fake_alert(severity="critical"), results={"lookup": {"score": 97}})
    assert done.arguments_of("update_current_alert") == {"status": "in_progress"}
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from playbooks import jsonable
from playbooks.calls import ActionFailed, Call, inside, performing

NOW = "2026-01-02T03:04:05Z"
ALERT: dict[str, Any] = {
    "id": 1, "number": "ALR-1", "url": "http://soar.example/alerts/ALR-1/", "source": "edr", "source_ref": "ref-1",
    "dedup_key": "ref-1", "count": 1, "title": "An alert", "description": "", "severity": "medium", "status": "new",
    "determination": "unknown", "owner": None, "team": None, "detection_model": "", "occurred_at": NOW,
    "first_seen": NOW, "last_seen": NOW, "received_at": NOW, "hostname": "", "username": "", "source_ip": "",
    "tags": [], "techniques": [], "tlp": "amber", "external_link": "", "observables": [], "assets": [],
    "incident": None, "runs": [], "source_state": "", "cause": "00000000-0000-0000-0000-000000000001", "raw": {},
}  # fmt: skip
REFERENCE = {"id": 1, "number": "INC-1", "url": "http://soar.example/incidents/INC-1/"}
HELPERS: dict[str, Any] = {
    "create_incident": REFERENCE,
    "link_to_incident": REFERENCE,
    "send_to_servicenow": {"link": 1, "incident": "INC-1", "profile": "", "number": "", "state": "creating"},
    "related_alerts": [],
    "related_incidents": [],
    "request_approval": {"approved": True, "status": "approved", "by": ["Somebody"], "comment": "", "approval": 1},
}


def fake_alert(**fields: Any) -> dict[str, Any]:
    """An alert with every key of the contract; ``fields`` replace some. Raises KeyError for an unknown key."""
    if unknown := fields.keys() - ALERT.keys():
        raise KeyError(f"An alert has no {', '.join(sorted(unknown))}.")
    return {**ALERT, "tags": [], "techniques": [], "observables": [], "assets": [], "runs": [], **fields}


@dataclass(frozen=True, slots=True)
class Made:
    """One call that the playbook made."""

    name: str
    arguments: dict[str, Any]
    result: Any


@dataclass(slots=True)
class Recording:
    """What a playbook did: ``calls`` in the order in which they ended, what it returned."""

    calls: list[Made] = field(default_factory=list)
    result: Any = None

    @property
    def names(self) -> list[str]:
        """The names of the calls."""
        return [call.name for call in self.calls]

    def arguments_of(self, name: str) -> dict[str, Any]:
        """The arguments of the only call of this name. Raises AssertionError if there is not exactly one."""
        found = [call.arguments for call in self.calls if call.name == name]
        assert len(found) == 1, f"{name} was called {len(found)} times"
        return found[0]


class Recorder:
    """Performs calls for a unit test: ``results`` by name are a value, an exception to raise, or a function of the
    arguments. Other actions are executed; other helpers return something harmless."""

    def __init__(self, results: Mapping[str, Any] | None = None, connectors: Mapping[str, Any] | None = None) -> None:
        self.recording = Recording()
        self._results = dict(results or {})
        self._connectors = dict(connectors or {})
        self._made: list[Call] = []

    def made(self, call: Call) -> None:
        """Note the call."""
        self._made.append(call)

    async def perform(self, call: Call) -> Any:
        """Record the call, and return what the test says, or what the action returns."""
        call.started = True
        try:
            value = jsonable.to_json(await self._value(call), f"{call.spec.name} ran, but its result")
        except ActionFailed:
            raise
        except Exception as error:
            raise ActionFailed(f"{type(error).__name__}: {error}", action=call.spec.name) from error
        self.recording.calls.append(Made(call.spec.name, dict(call.arguments), value))
        return value

    async def _value(self, call: Call) -> Any:
        name = call.spec.name
        if name in self._results:
            given = self._results[name]
            if isinstance(given, BaseException):
                raise given
            return given(**call.arguments) if callable(given) else given
        if call.spec.kind != "action":
            return _harmless(call)
        with inside(call, None, None):
            value = call.function(*call.args, **call.kwargs)
            return await value if inspect.isawaitable(value) else value

    def open_connector(self, name: str) -> Any:
        """What the test gave under ``connectors``. Raises KeyError for another."""
        return self._connectors[name]

    def check_awaited(self) -> None:
        """Raise AssertionError for a call that was made without ``await``."""
        forgotten = [call for call in self._made if not call.started]
        for call in forgotten:
            call.close()
        if forgotten:
            raise AssertionError(f"Called without await: {', '.join(call.spec.name for call in forgotten)}.")


def _harmless(call: Call) -> Any:
    if call.spec.name == "look_up":
        return _unrated(call.arguments["type"], call.arguments["value"])
    if call.spec.name == "warning_lists":
        return [_unrated(type, value) for type, value in call.arguments["values"]]
    return HELPERS.get(call.spec.name, {})


def _unrated(type: str, value: str) -> dict[str, Any]:
    return {"type": type, "value": value, "risk": "unrated", "benign": False, "rule": "On no list.", "evidence": []}


def run(
    playbook: Callable[[Any], Any],
    alert: Any = None,
    *,
    results: Mapping[str, Any] | None = None,
    connectors: Mapping[str, Any] | None = None,
) -> Recording:
    """Run a playbook on ``alert`` (default: ``fake_alert()``), in no run of the portal. Raises what it raises."""
    recorder = Recorder(results, connectors)
    given = fake_alert() if alert is None else alert
    with performing(recorder):
        value = _on_a_thread(lambda: _value_of(playbook, given))
    recorder.check_awaited()
    recorder.recording.result = jsonable.to_json(value, "What the playbook returned")
    return recorder.recording


def _value_of(playbook: Callable[[Any], Any], alert: Any) -> Any:
    if inspect.iscoroutinefunction(playbook):
        coroutine: Coroutine[Any, Any, Any] = playbook(alert)
        return asyncio.run(coroutine)
    return playbook(alert)


def _on_a_thread(call: Callable[[], Any]) -> Any:
    """What ``call`` returns on a thread of its own: the test's thread may have an event loop already
    (pytest-asyncio, Playwright), and a loop does not start inside another."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(contextvars.copy_context().run, call).result()
