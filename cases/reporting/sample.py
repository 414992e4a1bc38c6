"""A small incident as a report template is given it: what templates are tried on when they are saved and previewed."""

from __future__ import annotations

from typing import Any

AT = "2026-03-12T09:41:07.000000Z"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _entry(id: int, kind: str, sentence: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id, "subject": "INC-1042", "kind": kind, "actor": {"type": "user", "id": 1, "name": "Anna Berg"},
        "text": "", "data": {}, "occurred_at": AT, "recorded_at": AT, "hash": DIGEST, "label": sentence,
        "group": "changes", "note": False, "sentence": sentence, "joined": True, **more,
    }  # fmt: skip


DOCUMENT: dict[str, Any] = {
    "generated_at": AT, "generated_by": {"username": "anna", "name": "Anna Berg"}, "url": "https://soar.example",
    "options": {"template": "full"}, "tlp": "amber", "left_out": {"alerts": 1},
    "incident": {
        "id": 1042, "number": "INC-1042", "url": "https://soar.example/incidents/INC-1042/",
        "title": "Phishing mail opened on a workstation", "summary": "A **mail** led to a fake sign-in page.",
        "severity": "high", "status": "resolved", "determination": "malicious", "findings": "true_positive",
        "resolve_reason": "Contained, password changed", "team": "Blue", "tlp": "amber", "pap": "amber",
        "tags": ["phishing"], "techniques": ["T1566.002"], "template": "Phishing", "opened_by": "Anna Berg",
        "restricted": False, "alert_count": 1, "servicenow": [{"number": "SIR0010021", "state": "linked"}],
        "created_at": AT, "updated_at": AT, "contained_at": AT, "resolved_at": AT, "closed_at": None,
    },
    "owners": [{"username": "anna", "name": "Anna Berg", "lead": True}],
    "status_history": [{"at": AT, "from": "open", "to": "resolved", "actor": "Anna Berg", "reason": "Contained"}],
    "fields": [{"key": "cost", "name": "Cost", "kind": "number", "value": 1200, "words": "1200"}],
    "clocks": [{
        "name": "resolve", "round": 1, "target_minutes": 480, "started_at": AT, "due_at": AT, "stopped_at": AT,
        "seconds": 5400.0, "kept": True,
    }],
    "related": [{"incident": "INC-1040", "relation": "child_of", "title": "Wave of phishing mails"}],
    "alerts": [{
        "number": "ALR-7", "source": "mail", "detection_model": "Credential phishing", "hostname": "ws-0042",
        "username": "c.lind", "occurred_at": AT, "first_seen": AT, "last_seen": AT, "received_at": AT,
        "resolved_at": AT, "title": "Link to a credential phishing page", "description": "Delivered, then opened.",
        "severity": "high", "status": "resolved", "determination": "malicious", "owner": "anna", "count": 2,
        "tlp": "amber", "source_ip": "203.0.113.7", "techniques": ["T1566.002"], "observables": [{}],
    }],
    "observables": [{
        "type": "domain", "value": "login.example.net", "risk": "highly_suspicious", "alerts": ["ALR-7"],
        "added_by": None,
    }],
    "assets": [{
        "name": "ws-0042", "type": "laptop", "system": "Windows 11", "addresses": ["192.0.2.42"], "groups": ["sales"],
        "criticality": "medium", "alerts": ["ALR-7"],
    }],
    "evidence": [{
        "name": "mail.eml", "description": "The mail as delivered", "tlp": "amber", "size": 4096,
        "content_type": "message/rfc822", "md5": "d" * 32, "sha1": "d" * 40, "sha256": DIGEST, "added_by": "Anna Berg",
        "added_at": AT, "removed_by": None, "removed_at": None, "remove_reason": "",
    }],
    "tasks": [{
        "position": 1, "title": "Reset the password", "description": "And end *sessions*.", "status": "done",
        "required": True, "assignee": "anna", "due_at": AT, "done_by": "Anna Berg", "done_at": AT,
    }],
    "timeline": [
        _entry(1, "incident.opened", "opened the incident"),
        _entry(2, "comment", "noted", text="The page was **live** at nine.", note=True, group="notes"),
        _entry(3, "changed", "set status open → resolved", text="Contained"),
    ],
    "chains": [{"subject": "INC-1042", "count": 3, "head": DIGEST}],
    "runs": [{
        "id": 12, "playbook": {"name": "Phishing"}, "status": "successful", "alert": "ALR-7", "incident": None,
        "started_at": AT, "finished_at": AT, "started_by": None, "dry_run": False, "error": "",
    }],
    "responses": [{
        "id": 31, "label": "Block", "target": {"kind": "domain", "value": "login.example.net"},
        "status": "successful", "connector": "proxy", "created_by": None, "created_at": AT, "finished_at": AT,
        "message": "", "dry_run": False,
    }],
}  # fmt: skip
