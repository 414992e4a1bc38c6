"""The built-in roles and their permissions (access.md 2, rulings 20: each level contains the former)."""

from __future__ import annotations

VIEWER = ("view_cases",)
ANALYST = (*VIEWER, "work_cases", "run_playbooks")
RESPONDER = (*ANALYST, "respond")
AUTHOR = (*VIEWER, "author_playbooks", "run_playbooks")
AUDITOR = (*VIEWER, "view_all_teams", "view_audit", "export", "view_setup")
ADMIN = (
    *RESPONDER,
    "author_playbooks",
    "view_all_teams",
    "view_audit",
    "export",
    "view_setup",
    "manage_sources",
    "manage_connectors",
    "manage_people",
    "manage_settings",
)

BUILTIN: dict[str, tuple[str, tuple[str, ...]]] = {
    "Viewer": ("Reads alerts, incidents and runs.", VIEWER),
    "Analyst": ("Works on alerts and incidents, runs playbooks by hand.", ANALYST),
    "Responder": ("An analyst who also approves and runs response actions.", RESPONDER),
    "Playbook author": ("Reads cases; writes, tries and enables playbooks.", AUTHOR),
    "Auditor": ("Reads everything but restricted incidents; changes nothing.", AUDITOR),
    "Admin": ("Settings, people, grants, and all above.", ADMIN),
}
