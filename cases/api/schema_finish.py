"""The last touch on the schema: what each group of calls is, headers of answers, an example for each body."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from cases.api.documented import SENTENCES
from cases.api.schema_examples import Examples
from soar.problems import CONTENT_TYPE

METHODS = ("get", "post", "put", "patch", "delete")
TAGS = {
    "access": "Who may see and do what, and why.",
    "alerts": "What sources and people reported: the queue, one alert, its verbs, many at once.",
    "approvals": "Response actions that wait for a person's decision.",
    "assets": "The inventory, and what visible alerts name.",
    "attack": "MITRE ATT&CK: techniques by name, and how many alerts and incidents bear each.",
    "audit": "What people and programs changed: append-only.",
    "backtests": "What a playbook would have done to the alerts of the last days.",
    "blocklist": "Values that firewalls pull and block.",
    "capabilities": "What connectors can be asked to do.",
    "connector-kinds": "Kinds of connector, with their settings and secrets.",
    "connector-routes": "Which connector a response goes to.",
    "connectors": "Accounts at other products. Secrets go in and never come out.",
    "custom-fields": "What this installation asks of incidents besides their own fields.",
    "dead-letters": "Deliveries that could not be read, kept to be replayed.",
    "detection-models": "Names of detections, and their severity.",
    "evidence": "Files of incidents, with their custody.",
    "exports": "Incidents taken out as reports and files, made by a worker.",
    "exceptions": "Values that are never rated and never acted upon.",
    "feed-tokens": "Tokens with which firewalls pull the block list.",
    "feeds": "Lists of values that others publish.",
    "grant-jobs": "Grants on many things at once, done by a worker.",
    "incident-templates": "Tasks and settings that incidents begin with.",
    "incidents": "Cases: their owners, state, timeline, alerts, observables, assets, tasks and tickets.",
    "ingest": "Where other products send alerts, with the token of a source.",
    "jobs": "Work on many alerts, done by a worker.",
    "me": "Who calls, and what they may do.",
    "never-touch": "What nothing destructive runs on by itself.",
    "notification-settings": "What the caller is told of, where and when.",
    "notifications": "The caller's inbox.",
    "observables": "Addresses, domains, hashes and more, and where they were seen.",
    "own-list": "Values that the house knows to be bad or good.",
    "permissions": "Rights that roles and tokens can hold.",
    "playbooks": "Python playbooks and response playbooks.",
    "response-tasks": "Response actions on one target each.",
    "signing-keys": "The public keys by which exported incidents can be checked.",
    "retention-rules": "How long alerts, incidents and their payloads are kept.",
    "roles": "Sets of rights that people hold.",
    "runs": "What playbooks did, step by step.",
    "scripts": "Texts that response actions can run on endpoints.",
    "servicenow": "Tickets that are kept equal with incidents.",
    "sla-figures": "How long it took to acknowledge, contain and resolve.",
    "sla-policy": "How soon alerts and incidents are to be worked on.",
    "source-kinds": "Kinds of source.",
    "sources": "Who sends alerts: tokens, rules, mapping, samples.",
    "stats": "Figures of what the caller may see.",
    "suppression-rules": "Alerts that are held back until a date, and why.",
    "hand-overs": "Shifts that were signed over to the next one.",
    "tasks": "What people have to do for an incident.",
    "teams": "Groups of people that own alerts and incidents.",
    "timeline": "Entries of timelines, which are never changed.",
    "timeline-kinds": "Kinds of timeline entry.",
    "tokens": "One's own API tokens.",
    "users": "People.",
    "views": "Saved questions to the queue.",
    "warning-lists": "Values that are known to be good, or worth knowing.",
    "webhook-endpoints": "Where timeline entries are posted to, signed, with a log.",
}
_WHOLE = {"type": "integer", "minimum": 0}
HEADERS = {
    "RateLimit-Limit": {"description": "Calls a second that this token may make.", "schema": _WHOLE},
    "RateLimit-Remaining": {"description": "How many of them are left now.", "schema": _WHOLE},
    "RateLimit-Reset": {"description": "Seconds until there is one again; 0 while there is one.", "schema": _WHOLE},
    "Retry-After": {"description": "Seconds to wait before the call is made again.", "schema": _WHOLE},
    "ETag": {"description": "For `If-Match` and `If-None-Match`.", "schema": {"type": "string"}},
}
RATE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook; the last one."""
    used = {tag for _path, _method, one in operations(result) for tag in one.get("tags", ())}
    result["tags"] = [{"name": tag, "description": TAGS.get(tag, "")} for tag in sorted(used)]
    result["components"]["headers"] = copy.deepcopy(HEADERS)
    codes = {code for _path, _method, one in operations(result) for code in one.get("responses", {}) if code >= "400"}
    result["components"]["examples"] = {f"Problem{code}": {"value": _problem(code)} for code in sorted(codes)}
    examples = Examples(result["components"]["schemas"])
    for _path, _method, one in operations(result):
        _answers(one, examples)
        for media in one.get("requestBody", {}).get("content", {}).values():
            _give(media, examples.body)
    return result


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each call."""
    for path, calls in document["paths"].items():
        for method in METHODS:
            if method in calls:
                yield path, method, calls[method]


def _answers(call: dict[str, Any], examples: Examples) -> None:
    tagged = {one.get("name") for one in call.get("parameters", ())} & {"If-Match", "If-None-Match"}
    ours = any("token" in one for one in call.get("security", ()))
    for code, answer in call.get("responses", {}).items():
        names = list(RATE) if ours and code != "401" else []
        names += ["Retry-After"] if code in ("429", "503") else []
        names += ["ETag"] if tagged and code in ("200", "201", "304") else []
        if names:
            known = answer.setdefault("headers", {})
            known.update({name: {"$ref": f"#/components/headers/{name}"} for name in names})
        for kind, media in answer.get("content", {}).items():
            if kind == CONTENT_TYPE:
                media.setdefault("examples", {"problem": {"$ref": f"#/components/examples/Problem{code}"}})
            else:
                _give(media, examples.answer)


def _give(media: dict[str, Any], make: Any) -> None:
    for written in media.get("examples", {}).values():
        if "value" in written:
            written["value"] = _whole(written["value"], make(media["schema"]))
    if "schema" in media and "example" not in media and "examples" not in media:
        media["example"] = make(media["schema"])


def _whole(written: Any, made: Any) -> Any:
    """An example that was written by hand, with the keys it leaves out; of a page each row."""
    if isinstance(written, list) and isinstance(made, list) and made:
        return [_whole(one, made[0]) for one in written]
    if not isinstance(written, dict) or not isinstance(made, dict):
        return written
    rows = {"results": _whole(written["results"], made["results"])} if {"results"} <= {*written} & {*made} else {}
    return {**made, **written, **rows}


def _problem(code: str) -> dict[str, Any]:
    status = HTTPStatus(int(code))
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": SENTENCES[status.value],
    }
    if status == HTTPStatus.BAD_REQUEST:
        body["errors"] = [{"field": "title", "message": "This field is required."}]
    return body
