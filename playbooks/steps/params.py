"""What a connector is given besides the target: the author's settings, and the text of a script."""

from __future__ import annotations

from typing import Any

from playbooks.models import ResponseTask, Script
from soar.connectors.errors import ConnectorError


def params_for(task: ResponseTask) -> dict[str, Any]:
    """The settings of a task as ``Responder.perform`` takes them. For ``run_script`` also ``file_name``, ``text``,
    ``language``, ``systems`` and ``sha256`` of the script. Raises ConnectorError for a script that is gone."""
    params = dict(task.params)
    if task.capability != "run_script":
        return params
    name = str(params.get("script", ""))
    script = Script.objects.filter(name__iexact=name, removed=False).first()
    if script is None:
        raise ConnectorError(f"There is no script {name:.100} in the library.", permanent=True)
    about = {"language": script.language, "systems": list(script.systems), "sha256": script.sha256}
    return {**params, "script": script.name, "file_name": script.name, "text": script.text, **about}
