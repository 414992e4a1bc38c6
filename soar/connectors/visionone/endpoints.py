"""Endpoints as Vision One knows them: by which names a command reaches them, and what was done to them last."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CAPABILITIES, ENDPOINT, Target
from soar.connectors.marks import mark
from soar.connectors.visionone import commands
from soar.connectors.visionone.client import Api, ascii_header, objects, quoted
from soar.lib import clock

PATH = "eiqs/endpoints"
SEEN = {"isolate_endpoint", "terminate_process", "run_script"}  # commands of endpoints that take something away
NOT_TOLD = {400, 403, 404}  # the role lacks the right, or this region has no such question
WINDOW = timedelta(days=30)
MOST_TASKS = 200
TIME = "%Y-%m-%dT%H:%M:%SZ"
ISOLATING = ("isolate", "isolateForMultiple")
LIFTING = ("restoreIsolate", "restoreIsolateForMultiple")
Row = dict[str, Any]


def ask(api: Api, capability: str, target: Target) -> None:
    """Ask before the command goes out, by all names that Vision One has for the endpoint. Raises HeldBack,
    ConnectorError."""
    if api.guard is None or capability not in SEEN or not CAPABILITIES[capability].destructive:
        return
    item = commands.endpoint(target, {})
    for row in _known(api, f"{capability}.endpoint", item):
        api.about_to(ENDPOINT, *item.values(), row.get("agentGuid"), *_values(row, "endpointName"), *_values(row, "ip"))


def lets_look(api: Api) -> bool:
    """Whether the role of the API key may look endpoints up. Raises ConnectorError."""
    try:
        api.get("test.endpoints", PATH, params={"top": 50}, headers={"TMV1-Query": "endpointName eq 'none'"})
    except ConnectorError as error:
        if error.status not in NOT_TOLD:
            raise
        return False
    return True


def before(api: Api, target: Target, key: str) -> dict[str, bool]:
    """``changed``: not if the last thing that became of the endpoint's connection, in the last 30 days, is that
    somebody else's task isolated it. Nothing where Vision One does not tell: an isolation does not wait for that."""
    item = commands.endpoint(target, {})
    wanted = " or ".join(f"action eq '{name}'" for name in (*ISOLATING, *LIFTING))
    params = {
        "startDateTime": (clock.now() - WINDOW).strftime(TIME),
        "dateTimeTarget": "createdDateTime",
        "orderBy": "createdDateTime desc",
        "top": 100,
    }
    tasks = api.items("isolate_endpoint.before", "response/tasks", params=params, headers={"TMV1-Filter": wanted})
    try:
        done = [one for one in islice(tasks, MOST_TASKS) if _is_of(one, item) and one.get("status") == "succeeded"]
    except ConnectorError:
        return {}
    theirs = done and done[0].get("action") in ISOLATING and mark(key) not in str(done[0].get("description") or "")
    return {"changed": not theirs}


def _known(api: Api, operation: str, item: Row) -> list[Row]:
    """The endpoints that a command for ``item`` is for; none where Vision One does not tell."""
    name, value = next(iter(item.items()))
    try:
        query = ascii_header(f"{name} eq '{quoted(value)}'")
        page = api.get(operation, PATH, params={"top": 50}, headers={"TMV1-Query": query})
    except ConnectorError as error:
        if error.status in NOT_TOLD or (error.status is None and error.permanent):
            return []
        raise
    return objects(page.get("items")) if isinstance(page, dict) else []


def _values(row: Row, name: str) -> list[str]:
    """What stands there, alone or with when it was so: ``{"value": ..., "updatedDateTime": ...}``."""
    found = row.get(name)
    value = found.get("value") if isinstance(found, dict) else found
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one]


def _is_of(task: Row, item: Row) -> bool:
    return any(str(task.get(name) or "").casefold() == str(value).casefold() for name, value in item.items())
