"""Reading the form of a response by hand: which objects are ticked, and the action's settings."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import QueryDict

from playbooks.graph.actions import ActionSpec, Param
from playbooks.response.objects import Target


def key_of(target: Target) -> str:
    """What stands for an object in the form: made of what it is, so that an object that joins the case meanwhile makes
    no tick mean another one."""
    return hashlib.blake2b(f"{target['kind']} {target['value'].casefold()}".encode(), digest_size=8).hexdigest()


def ticked_in(given: QueryDict) -> set[str]:
    """The keys of the ticked objects."""
    return {key for key in given.getlist("object") if len(key) < 20}


def params_in(given: QueryDict, spec: ActionSpec) -> dict[str, Any]:
    """The settings that were typed; empty ones are left out. A number that is none stays a text, to be refused."""
    found = {param.name: _value(param, given.get(f"p-{param.name}", "")) for param in spec.params}
    return {name: value for name, value in found.items() if value not in ("", None)}


def _value(param: Param, text: str) -> Any:
    clean = text.strip() if param.form != "long" else text
    if param.form == "number" and clean.isascii() and clean.isdigit() and len(clean) < 10:
        return int(clean)
    return clean
