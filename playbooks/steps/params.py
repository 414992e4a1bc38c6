"""What a connector is given besides the target: the author's settings, and the text of a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playbooks import script_pins
from playbooks.models import PlaybookVersion, ResponseTask, Script
from soar.connectors.errors import ConnectorError

TEXT = "sha256"  # of the script whose name is beside it


def pinned(capability: str, params: Mapping[str, Any], version: PlaybookVersion | None = None) -> dict[str, Any]:
    """The settings of a task that is made now. A script is named, so the hash of its text goes with it: what people
    approve is that text, whatever bears the name later. Of a run it is the text that its ``version`` brings, if it
    brings any."""
    kept = {name: value for name, value in params.items() if name != TEXT}
    if capability != "run_script":
        return kept
    name = str(kept.get("script", ""))
    brought = (version.scripts or {}).get(name) if version is not None else None
    return {**kept, TEXT: brought or script_pins.texts_now([name]).get(name, "")}


def _named(params: Mapping[str, Any]) -> Script | None:
    return Script.objects.filter(name__iexact=str(params.get("script", "")), removed=False).first()


def params_for(task: ResponseTask) -> dict[str, Any]:
    """The settings of a task as ``Responder.perform`` takes them. For ``run_script`` also ``file_name``, ``text``,
    ``language``, ``systems`` and ``sha256`` of the script. Raises ConnectorError for a script that is
    gone, and for one that has another text than when the task was made."""
    params = dict(task.params)
    if task.capability != "run_script":
        return params
    name = str(params.get("script", ""))
    script = _named(params)
    if (script is None or params.get(TEXT, script.sha256) != script.sha256) and (why := not_brought(task)):
        raise ConnectorError(why, permanent=True)
    if script is None:
        raise ConnectorError(f"There is no script {name:.100} in the library.", permanent=True)
    if params.get(TEXT, script.sha256) != script.sha256:
        why = f"{name:.100} is another script than when this was asked for: its text was replaced."
        raise ConnectorError(why, permanent=True)
    about = {"language": script.language, "systems": list(script.systems), "sha256": script.sha256}
    return {**params, "script": script.name, "file_name": script.name, "text": script.text, **about}


def not_brought(task: ResponseTask) -> str:
    """Why a task of a run does not run its script: it is not the one that the run's version brings. "" if it is, and
    for all other tasks."""
    if task.capability != "run_script":
        return ""
    version = task.run.version if task.run is not None else None
    return script_pins.refusal(version, str(task.params.get("script", "")), script_pins.changed(version))
