"""Which request makes which response action, and what a target must tell for it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Target
from soar.connectors.paths import full_path, program_of

LONGEST_DESCRIPTION = 256
LONGEST_ARGUMENTS = 8_000
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """``path``: POST of a list with one item. ``action``: how its tasks are called in the list of tasks.
    ``item`` makes the item. ``repeatable``: done twice it is as done once."""

    path: str
    action: str
    item: Callable[[Target, dict[str, Any]], Item]
    repeatable: bool = True


def endpoint(target: Target, params: dict[str, Any]) -> Item:
    """``agentGuid`` if it is known, else the name. Raises ConnectorError without either."""
    if guid := _text(target, "guid"):
        return {"agentGuid": guid}
    name = target.value if target.kind == "endpoint" else _text(target, "endpoint")
    if not name.strip():
        raise lacks(target, "the name or the agent's GUID of the endpoint it is on")
    return {"endpointName": name.strip()}


def file(target: Target, params: dict[str, Any]) -> Item:
    """The file's path on its endpoint."""
    path = full_path(target, params, "Vision One")
    return {**endpoint(target, params), "filePath": path}


def process(target: Target, params: dict[str, Any]) -> Item:
    """SHA-1 and name of the program, whichever is known."""
    item: Item = {}
    if sha1 := _text(target, "sha1"):
        item["fileSha1"] = sha1
    if name := _program(target):
        item["fileName"] = name
    if not item:
        raise lacks(target, "the SHA-1 or the name of its file")
    return {**endpoint(target, params), **item}


def script(target: Target, params: dict[str, Any]) -> Item:
    """The script by its name at Vision One (``file_name``), with its parameters."""
    name = str(params.get("file_name") or params.get("script") or "").strip()
    if not name:
        raise ConnectorError("No script is named.", permanent=True)
    arguments = str(params.get("parameters") or "")
    if len(arguments) > LONGEST_ARGUMENTS:
        raise ConnectorError(f"Parameters of a script have at most {LONGEST_ARGUMENTS:,} characters.", permanent=True)
    return {**endpoint(target, params), "fileName": name, **({"parameter": arguments} if arguments else {})}


def message(target: Target, params: dict[str, Any]) -> Item:
    """The message in one mailbox: ``uniqueId``, or its Message-ID together with the mailbox."""
    if unique := _text(target, "unique_id"):
        return {"uniqueId": unique}
    mailbox = _text(target, "mailbox")
    identity = _text(target, "message_id") or target.value.strip()
    if not identity:
        raise lacks(target, "its Message-ID")
    if not mailbox:
        raise lacks(target, "the mailbox it lies in, or Vision One's unique id of it")
    return {"messageId": identity, "mailBox": mailbox}


def account(target: Target, params: dict[str, Any]) -> Item:
    """The account's name."""
    name = _text(target, "account_name") or target.value.strip()
    if not name:
        raise lacks(target, "its name")
    return {"accountName": name}


def pod(target: Target, params: dict[str, Any]) -> Item:
    """The pod in its Kubernetes cluster."""
    cluster, name = _text(target, "cluster"), _text(target, "pod")
    if not cluster or not name:
        raise lacks(target, "the ids of its Kubernetes cluster and pod")
    return {"kubernetesClusterId": cluster, "kubernetesPodId": name}


def pod_or_task(target: Target, params: dict[str, Any]) -> Item:
    """The pod, or the task in its Amazon ECS cluster."""
    cluster, task = _text(target, "ecs_cluster"), _text(target, "ecs_task")
    if cluster and task:
        return {"amazonEcsClusterId": cluster, "amazonEcsTaskId": task}
    return pod(target, params)


def has_ids(target: Target) -> bool:
    """Whether the target of kind container tells the ids that Vision One knows it by."""
    if _text(target, "namespace"):
        return False
    return all(_text(target, one) for one in ("cluster", "pod")) or all(
        _text(target, one) for one in ("ecs_cluster", "ecs_task")
    )


COMMANDS: dict[str, Command] = {
    "isolate_endpoint": Command("response/endpoints/isolate", "isolate", endpoint),
    "restore_endpoint": Command("response/endpoints/restore", "restoreIsolate", endpoint),
    "collect_file": Command("response/endpoints/collectFile", "collectFile", file),
    "terminate_process": Command("response/endpoints/terminateProcess", "terminateProcess", process),
    "run_script": Command("response/endpoints/runScript", "runCustomScript", script, repeatable=False),
    "scan_endpoint": Command("response/endpoints/startMalwareScan", "startMalwareScan", endpoint),
    "quarantine_message": Command("response/emails/quarantine", "quarantineMessage", message),
    "delete_message": Command("response/emails/delete", "deleteMessage", message),
    "restore_message": Command("response/emails/restore", "restoreMessage", message),
    "disable_account": Command("response/domainAccounts/disable", "disableAccount", account),
    "enable_account": Command("response/domainAccounts/enable", "enableAccount", account),
    "sign_out": Command("response/domainAccounts/signOut", "forceSignOut", account, repeatable=False),
    "reset_password": Command("response/domainAccounts/resetPassword", "resetPassword", account, repeatable=False),
    "isolate_container": Command("response/containers/isolate", "isolateContainer", pod),
    "resume_container": Command("response/containers/restore", "restoreContainer", pod),
    "terminate_container": Command("response/containers/terminate", "terminateContainer", pod_or_task),
}


def body_of(command: Command, target: Target, params: dict[str, Any], description: str) -> Any:
    """The JSON of the request; a malware scan wraps its list. Raises ConnectorError for a target that lacks a fact."""
    items = [{**command.item(target, params), "description": description[:LONGEST_DESCRIPTION]}]
    return {"endpoints": items} if command.action == "startMalwareScan" else items


def lacks(target: Target, what: str) -> ConnectorError:
    """The error for a target that does not tell what the product needs."""
    name = f"{target.kind.replace('_', ' ')} {target.value}".strip()
    return ConnectorError(f"Vision One cannot act on the {name}: it does not tell {what}.", permanent=True)


def _text(target: Target, name: str) -> str:
    value = target.facts.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _program(target: Target) -> str:
    """The file's name alone: of the path if there is one, else what names the process."""
    return program_of(_text(target, "file_path") or target.value)
