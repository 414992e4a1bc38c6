"""The action of an HTTP account: one request made of templates, and what its answer means (connectors.md 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CAPABILITIES, Result, Target
from soar.connectors.http import template
from soar.connectors.kinds import NO, Setting
from soar.lib.answers import TEMPORARY
from soar.lib.http import Answer
from soar.lib.json_path import BadPath, Path

# Of these something must come back that one answer to one request does not hold: messages, files, verdicts.
OTHERS = {"find_messages", "collect_file", "sandbox_file", "sandbox_url"}
_UNDOING = {one.inverse for one in CAPABILITIES.values() if one.inverse}
ACTIONS = tuple(name for name in CAPABILITIES if name not in OTHERS | _UNDOING)
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
LONGEST_RESULT = 2000

OWN, UNDO = "An action of its own", "Taking the action back"
SETTINGS = (
    Setting(
        "action",
        gettext_noop("What it does when a playbook or a person asks for it; none: requests of Python playbooks only"),
        "choice",
        choices=("", *ACTIONS),
        section=OWN,
    ),
    Setting("targets", gettext_noop("Separated by commas; empty: all that the action is for"), section=OWN),
    Setting("method", gettext_noop("Of the action's request"), "choice", choices=METHODS, default="POST", section=OWN),
    Setting("path", gettext_noop("Below the address: hosts/{{ target.facts.guid }}/isolate"), section=OWN),
    Setting(
        "body",
        gettext_noop('JSON with templates: {"ip": "{{ target.value }}", "days": "{{ params.days }}"}'),
        "lines",
        section=OWN,
    ),
    Setting("result", gettext_noop("Where in the answer the result stands: $.task.state"), section=OWN),
    Setting("expected", gettext_noop("The result that means success; empty: any, if the status is 2xx"), section=OWN),
    Setting(
        "changed",
        gettext_noop(
            "Where in the answer it stands whether anything was changed, such as $.created; if it says no,"
            " it was so before, and there is nothing to undo"
        ),
        section=OWN,
    ),
    Setting(
        "repeatable",
        gettext_noop("The product takes the same request twice for one"),
        "flag",
        default=False,
        section=OWN,
    ),
    Setting(
        "undo_method",
        gettext_noop("Of the request that undoes it"),
        "choice",
        choices=METHODS,
        default="POST",
        section=UNDO,
    ),
    Setting("undo_path", gettext_noop("Below the address; empty: it cannot be undone"), section=UNDO),
    Setting(
        "undo_body",
        gettext_noop("JSON with templates; {{ undoes.result }} is the result of what is undone"),
        "lines",
        section=UNDO,
    ),
)


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = dict(_templates(settings)) | dict(_paths(settings))
    action = CAPABILITIES.get(str(settings["action"]))
    if action is None:
        given = [
            name for name in ("path", "body", "undo_path", "undo_body", "result", "changed") if settings[name].strip()
        ]
        return found | ({"action": _("Choose the action that %(given)s is of.") % {"given": given[0]}} if given else {})
    if unknown := kinds_of(settings) - set(action.targets):
        words = ", ".join(action.targets)
        found["targets"] = _("%(label)s takes: %(words)s. It does not take: %(unknown)s.") % {
            "label": action.label,
            "words": words,
            "unknown": ", ".join(sorted(unknown)),
        }
    if settings["undo_path"].strip() and not action.inverse:
        found["undo_path"] = _("%(label)s cannot be undone.") % {"label": action.label}
    if settings["expected"].strip() and not settings["result"].strip():
        found["expected"] = _("Say where in the answer the result stands.")
    return found


def _templates(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    checks = {"path": template.check_path, "body": template.check_body}
    for name in ("path", "body", "undo_path", "undo_body"):
        try:
            checks[name.removeprefix("undo_")](str(settings[name]))
        except template.BadTemplate as error:
            yield name, str(error)


def _paths(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("result", "changed"):
        try:
            Path(text) if (text := str(settings[name]).strip()) else None
        except BadPath as error:
            yield name, str(error)


def kinds_of(settings: Mapping[str, Any]) -> set[str]:
    """The kinds of target that were written down; none of them: all that the action is for."""
    return {one.strip() for one in str(settings.get("targets") or "").split(",") if one.strip()}


def served(settings: Mapping[str, Any]) -> frozenset[str]:
    """The action, and its inverse where there is a request for it."""
    action = CAPABILITIES.get(str(settings.get("action") or ""))
    if action is None:
        return frozenset()
    undo = [action.inverse] if action.inverse and str(settings.get("undo_path") or "").strip() else []
    return frozenset({action.name, *undo})


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is ready to be sent."""

    method: str
    path: str
    content: dict[str, Any]


def request_of(
    settings: Mapping[str, Any], capability: str, target: Target, params: Mapping[str, Any], key: str
) -> Sending:
    """The request of a capability. Raises ConnectorError for a target that lacks what the templates name."""
    undo = "" if capability == settings.get("action") else "undo_"
    undoes = params.get("undoes")
    values = {
        "target": {"kind": target.kind, "value": target.value, "facts": dict(target.facts)},
        "params": {name: value for name, value in params.items() if name != "undoes"},
        "undoes": undoes if isinstance(undoes, dict) else {},
        "key": key,
    }
    try:
        path = template.path_of(str(settings.get(f"{undo}path") or ""), values)
        content = template.body_of(str(settings.get(f"{undo}body") or ""), values)
    except template.Lacking as error:
        raise ConnectorError(f"{target.value:.200} lacks {error}, which the request needs.", permanent=True) from None
    except template.BadTemplate as error:
        raise ConnectorError(str(error), permanent=True) from None
    return Sending(str(settings.get(f"{undo}method") or "POST"), path, content)


def result_of(name: str, settings: Mapping[str, Any], answer: Answer, *, undo: bool) -> Result:
    """What the answer means. ``name``: of the account. Raises ConnectorError for one that tells of no success."""
    if not answer.ok:
        raise _refusal(name, answer)
    told = {} if undo else _changed(settings, answer)
    where, expected = str(settings.get("result") or "").strip(), str(settings.get("expected") or "").strip()
    if not where or undo:
        return Result("done", f"{name} answered {answer.status}.", answer=_kept(answer), data=told)
    found = Path(where).find(_json(name, answer))
    value = answer.redactor.data(found[0] if len(found) == 1 else found)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if expected and text != expected:
        said = f"{text[:300]!r}" if found else "nothing"
        message = f"{name} answered with {said} at {where}, where {expected[:300]!r} means success."
        return Result("failed", message, answer=_kept(answer))
    data = {"result": value if len(text) <= LONGEST_RESULT else f"{text[:LONGEST_RESULT]}…"} if found else {}
    said = f" Result: {text[:300]}." if found else ""
    return Result("done", f"{name} answered {answer.status}.{said}", answer=_kept(answer), data={**data, **told})


def _changed(settings: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Whether anything was changed, as far as the answer tells where the admin says that it does."""
    where = str(settings.get("changed") or "").strip()
    try:
        found = Path(where).find(json.loads(answer.body)) if where else []
    except (ValueError, RecursionError):
        return {}
    if not found:
        return {}
    one = found[0]
    return {"changed": one.strip().casefold() not in NO if isinstance(one, str) else bool(one)}


def _refusal(name: str, answer: Answer) -> ConnectorError:
    text = answer.redactor.text(" ".join(answer.text.split()), at_most=300)
    what = "an HTML page" if "html" in answer.media_type else text or "nothing more"
    broken = answer.status >= 500
    return ConnectorError(
        f"{name} answered {answer.status} with {what}.",
        permanent=not broken and answer.status not in TEMPORARY,
        status=answer.status,
        outcome_unknown=broken,
    )


def _json(name: str, answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        text = f"{name} answered {answer.status}, but not with JSON: what became of it is not known."
        raise ConnectorError(text, permanent=False, status=answer.status, outcome_unknown=True) from None


def _kept(answer: Answer) -> Any:
    try:
        return answer.redactor.data(json.loads(answer.body))
    except (ValueError, RecursionError):
        return answer.redactor.text(answer.text)
