"""Response tasks of Vision One as results. Pure."""

from __future__ import annotations

from typing import Any

from soar.connectors.capabilities import Result
from soar.connectors.visionone.client import objects
from soar.connectors.visionone.errors import error_of

STATES = {
    "succeeded": "done",
    "failed": "failed",
    "rejected": "rejected",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "queued": "accepted",
    "running": "accepted",
    "pendingApproval": "accepted",
    "waitForApproval": "accepted",
}
SENTENCES = {
    "queued": "Vision One holds the task until the agent asks for it.",
    "running": "Vision One is at it.",
    "pendingApproval": "The task waits for an approval in Vision One.",
    "waitForApproval": "The task waits for an approval in Vision One.",
    "succeeded": "Vision One reports success.",
    "failed": "Vision One reports a failure.",
    "rejected": "The task was rejected in Vision One.",
    "canceled": "The task was cancelled in Vision One.",
}
# Of several parts the least good one counts.
ORDER = ("failed", "rejected", "cancelled", "accepted", "done")
FILE_FACTS = {
    "filePath": "path", "fileSha1": "sha1", "fileSha256": "sha256", "fileSize": "size", "expiredDateTime": "expires",
}  # fmt: skip


def result_of(task: dict[str, Any]) -> Result:
    """How far ``task`` is. A word that is not known counts as under way, and is shown as it is."""
    words = [str(one.get("status") or "") for one in objects(task.get("tasks"))]
    word = str(task.get("status") or "") or _least(words)
    code, message = _reason(task)
    state = STATES.get(word, "accepted")
    said = f"{code}: {message}" if code and message else message or code
    text = said if state in {"failed", "rejected", "cancelled"} and said else SENTENCES.get(word, f"State: {word}.")
    data, secret = _file(task) if state == "done" else ({}, {})
    return Result(state, text, reference=str(task.get("id") or ""), remote=word, data=data, secret=secret)


def _least(words: list[str]) -> str:
    ranked = sorted(words, key=lambda word: ORDER.index(STATES.get(word, "accepted")))
    return ranked[0] if ranked else ""


def _reason(task: dict[str, Any]) -> tuple[str, str]:
    """Code and message of the task, or of the first of its parts that has one."""
    for one in (task, *objects(task.get("tasks"))):
        code, message = error_of(one)
        if code or message:
            return code, message
    return "", ""


def _file(task: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was collected, and where it lies with the password of the archive (both only for who asks)."""
    if not task.get("resourceLocation"):
        return {}, {}
    facts = {name: task[key] for key, name in FILE_FACTS.items() if task.get(key) not in (None, "")}
    secret = {"location": str(task["resourceLocation"]), "password": str(task.get("password") or "")}
    return {"file": facts}, {name: value for name, value in secret.items() if value}
