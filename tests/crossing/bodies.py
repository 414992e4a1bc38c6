"""What is sent with an operation, so that who may do it is asked, not whether an empty form is complete.

For a call it is the schema's own example unless something is written down here; ``$name`` is a thing of the world."""

from __future__ import annotations

import json
from string import Template
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.crossing.operations import Operation, example
from tests.response_tools import action, graph

JSON: dict[str, dict[str, Any]] = {
    "POST api/v1/alerts/{id}/run/": {"playbook": "$playbook", "dry_run": True},
    "POST api/v1/incidents/{id}/run/": {"playbook": "$playbook", "dry_run": True},
    "POST api/v1/playbooks/": {**graph(action("a", "isolate_endpoint")), "name": "Another"},
    "PATCH api/v1/playbooks/{id}/": {"description": "Better"},
    "PATCH api/v1/detection-models/{id}/": {"severity": "high"},
    "PATCH api/v1/warning-lists/{id}/": {"enabled": False},
    **{
        f"POST api/v1/{kind}/grants/": {"ids": [f"${thing}"], "user": "the-guest", "level": level}
        for kind, thing, level in (
            ("incidents", "incident", "view"),
            ("playbooks", "playbook", "run"),
            ("connectors", "account", "use"),
            ("sources", "source", "view"),
        )
    },
    **{
        f"POST api/v1/{kind}/grants/copy/": {"source": f"${thing}"}
        for kind, thing in (
            ("incidents/{id}", "other_incident"),
            ("playbooks/{id}", "other_playbook"),
            ("connectors/{id}", "other_account"),
            ("sources/{slug}", "other_source"),
        )
    },
    "POST api/v1/playbooks/{id}/rehearse/": {"alert": "$alert"},
    "POST api/v1/playbooks/{id}/restore/": {"version": 1},
    "POST api/v1/incidents/": {"title": "By hand"},
    "POST api/v1/timeline/{id}/correct/": {"text": "Better"},
    **{f"POST api/v1/incidents/{{id}}/merge/{end}": {"incidents": ["$other_incident"]} for end in ("", "preview/")},
    "POST api/v1/incidents/{id}/related/": {"incident": "$other_incident", "relation": "related_to"},
    "POST api/v1/incidents/{id}/servicenow/": {"profile": "$profile"},
    "POST api/v1/servicenow/profiles/{id}/dry-run/": {"incident": "$incident"},
    "POST api/v1/sources/{slug}/mapping/restore/": {"version": 1},
    "POST api/v1/incidents/{id}/template/": {"template": "$template"},
    "POST api/v1/incidents/{id}/link/": {"alerts": ["$alert"]},
    "POST api/v1/incidents/{id}/unlink/": {"alerts": ["$alert"]},
    "POST api/v1/alerts/{id}/link/": {"incident": "$incident"},
}
ACCESS = {
    "incidents/<str:ref>": "comment", "sources/<slug:ref>": "manage", "playbooks/<str:ref>": "run",
    "connectors/<str:ref>": "manage",
}  # fmt: skip
ALERT, INCIDENT = "alerts/<str:number>/", "incidents/<str:number>/"
# Sent as a form with a file: its name and what is in it.
_PLAYBOOK = json.dumps({**graph(action("a", "isolate_endpoint")), "name": "B"}).encode()
FILES = {
    "POST api/v1/incidents/{id}/evidence/": ("mail.eml", b"Subject: hello"),
    f"POST {INCIDENT}evidence/add/": ("mail.eml", b"Subject: hello"),
    "POST assets/import/": ("assets.csv", b"name\nhost-2\n"),
    "POST settings/scripts/": ("look.sh", b"id\n"),
    "POST playbooks/import/": (
        "another.json",
        _PLAYBOOK,
    ),
}
# By the route of a page. What is not here is sent empty: a click is enough, or the permission is asked first.
FORMS: dict[str, dict[str, str]] = {
    f"{ALERT}assign/": {"owner": "the-owner"},
    f"{ALERT}status/": {"status": "in_progress"},
    f"{ALERT}severity/": {"severity": "high"},
    f"{ALERT}determination/": {"determination": "malicious"},
    f"{ALERT}tags/": {"tags": "one"},
    f"{ALERT}resolve/": {"determination": "benign", "findings": "no_threats_found", "reason": "Known"},
    f"{ALERT}comment/": {"text": "Seen"},
    f"{ALERT}link/": {"incident": "$incident"},
    f"{ALERT}link-similar/": {"alerts": "$alert"},
    f"{ALERT}not-related/": {"incident": "$incident"},
    f"{ALERT}pin/": {"entry": "$alert_note"},
    f"{ALERT}watch/": {"state": "mute"},
    f"{ALERT}run/": {"playbook": "$playbook"},
    f"{INCIDENT}status/": {"status": "in_progress"},
    f"{INCIDENT}edit/": {"title": "Another"},
    f"{INCIDENT}summary/": {"summary": "What happened"},
    f"{INCIDENT}owners/": {"add": "the-owner"},
    f"{INCIDENT}comment/": {"text": "Seen"},
    f"{INCIDENT}link/": {"alerts": "$alert"},
    f"{INCIDENT}unlink/": {"alerts": "$alert"},
    f"{INCIDENT}observables/add/": {"type": "domain", "value": "more.com"},
    f"{INCIDENT}observables/remove/": {"observable": "$observable"},
    f"{INCIDENT}assets/add/": {"name": "host-1"},
    f"{INCIDENT}assets/remove/": {"asset": "$asset"},
    f"{INCIDENT}hold/": {"reason": "A court asks"},
    f"{INCIDENT}run/": {"playbook": "$playbook"},
    f"{INCIDENT}tasks/add/": {"title": "Ask them"},
    f"{INCIDENT}tasks/template/": {"template": "$template"},
    f"{INCIDENT}tasks/<int:pk>/": {"title": "Another"},
    f"{INCIDENT}pin/": {"entry": "$note"},
    f"{INCIDENT}let-in/": {"entry": "$note", "user": "the-guest"},
    f"{INCIDENT}related/": {"incident": "$other_incident", "relation": "related_to"},
    f"{INCIDENT}techniques/": {"add": "T1566"},
    f"{INCIDENT}merge/": {"incidents": "$other_incident"},
    f"{INCIDENT}split/": {"alerts": "$alert", "title": "Apart"},
    f"{INCIDENT}pause/": {"reason": "Waits for them"},
    f"{INCIDENT}watch/": {"state": "follow"},
    f"{INCIDENT}ticket/link/": {"number": "INC0010001"},
    **{
        f"{INCIDENT}tasks/{verb}/": {"task": "$task"} for verb in ("complete", "reopen", "take", "up", "down", "remove")
    },
    "incidents/grant/": {"who": "the-guest", "level": "view", "days": ""},
    **{
        f"{thing}/access/{verb}/": form
        for thing, level in ACCESS.items()
        for verb, form in {
            "grant": {"who": "the-viewer", "level": level, "days": ""},
            "<str:grant>/change": {"level": level, "days": "7"},
            "close": {"reason": "Quiet"},
        }.items()
    },
    "incidents/<str:ref>/access/copy/": {"source": "$other_incident"},
    "playbooks/<str:ref>/access/copy/": {"source": "$other_playbook"},
    "connectors/<str:ref>/access/copy/": {"source": "$other_account"},
    "sources/<slug:ref>/access/copy/": {"source": "$other_source"},
    "incidents/break-glass/": {"incident": "$incident", "reason": "Nobody is there"},
    "timeline/<int:pk>/edit/": {"text": "Better"},
    "tasks/<int:pk>/done/": {"done": "1"},
    "evidence/<int:pk>/edit/": {"description": "Better"},
    "evidence/<int:pk>/remove/": {"reason": "Twice"},
    "assets/new/": {"name": "host-1"},
    "alerts/new/": {"title": "By hand", "severity": "low"},
    "alerts/bulk/": {"action": "claim", "ids": "$alert"},
    "alerts/views/new/": {"name": "Mine", "audience": "me"},
    "incidents/new/": {"title": "By hand", "severity": "low"},
    "observables/<int:pk>/rate/": {"verdict": "malicious"},
    "blocklist/add/": {"type": "domain", "value": "bad.com", "reason": "Bad"},
    "suppression/new/": {"name": "Noise", "reason": "Known", "title": "never", "days": "1"},
    "approvals/<int:pk>/decide/": {"decide": "reject_all", "comment": "No"},
    "runs/<int:pk>/tasks/<int:step>/decide/": {"outcome": "done", "comment": "Looked"},
    "runs/on-alerts/": {"alert": "$alert", "playbook": "$playbook"},
    "responses/<int:pk>/decide/": {"outcome": "done", "comment": "Looked"},
    "responses/new/": {"action": "isolate_endpoint", "target": "host-1"},
    "playbooks/<int:pk>/run/": {"subject": "$alert"},
    "settings/models/": {"name": "Odder", "severity": "low"},
    **{f"settings/operations/tasks/{verb}/": {"task": "cases.tasks.nothing"} for verb in ("retry", "forget")},
    "settings/never-touch/": {"by": "name", "value": "DC-2", "reason": "Core"},
    "servicenow/changes/<int:pk>/skip/": {"reason": "Known"},
    "servicenow/changes/skip/": {"reason": "Known"},
    "servicenow/conflicts/<int:pk>/decide/": {"side": "ours"},
    **{f"servicenow/instances/<slug:slug>/{verb}/": {"direction": "out"} for verb in ("pause", "resume", "try")},
    "settings/profile/": {"first_name": "Kei", "last_name": "T", "theme": "dark", "time_zone": "UTC", "email": ""},
    "settings/tokens/new/": {"name": "Report", "days": "30"},
    "settings/retention/new/": {"what": "alerts", "days": "400"},
    "settings/retention/<int:pk>/": {"what": "payloads", "days": "800", "version": "1"},
    "connectors/new/<slug:kind>/": {"name": "Chat", "secret_token": "xoxb-not-a-token"},
    "connectors/<int:pk>/edit/": {"name": "Pager 2", "url": "http://127.0.0.1:9/"},
    "people/new/": {"username": "kei", "roles": "Viewer"},
    "people/<int:pk>/": {"first_name": "Gus", "roles": "Viewer", "teams": "Guests"},
    "people/<int:pk>/active/": {"active": "0"},
    "people/<int:pk>/hand-over/": {"to": "the-owner"},
    "people/roles/": {"name": "Exports", "permissions": "export"},
    "people/roles/<int:pk>/": {"name": "Helper", "permissions": "export"},
    "people/roles/<int:pk>/second-factor/": {"required": "1"},
    "people/teams/": {"name": "Night"},
    "people/teams/<int:pk>/": {"name": "Visitors"},
    "people/teams/<int:pk>/people/": {"out": "the-guest"},
    "people/teams/<int:pk>/delete/": {"move_to": ""},
}


def sent(operation: Operation, things: dict[str, Any]) -> tuple[bytes, str]:
    """What is sent, and of which kind it is; nothing with what is only read."""
    if operation.method == "GET":
        return b"", ""
    if str(operation) in FILES:
        name, content = FILES[str(operation)]
        return encode_multipart(BOUNDARY, {"file": SimpleUploadedFile(name, content)}), MULTIPART_CONTENT
    if operation.api:
        given = JSON.get(str(operation))
        text = json.dumps((example(operation) or {}) if given is None else given)
        filled = Template(text).safe_substitute({name: str(thing) for name, thing in things.items()})
        return filled.encode(), "application/json"
    form = FORMS.get(operation.route, {})
    filled = urlencode({name: Template(value).substitute(things) for name, value in form.items()})
    return filled.encode(), "application/x-www-form-urlencoded"
