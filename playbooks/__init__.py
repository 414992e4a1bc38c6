"""Playbooks: what a Python playbook imports. Needs no Django, so playbooks can be read and tested as they are."""

from playbooks.calls import ActionFailed, idempotency_key
from playbooks.code import action, playbook
from playbooks.helpers import (
    add_current_alert_comment,
    add_observable,
    assign_current_alert,
    connector,
    create_incident,
    link_to_incident,
    look_up,
    rate_observables,
    related_alerts,
    related_incidents,
    request_approval,
    resolve_current_alert,
    send_to_servicenow,
    update_current_alert,
    warning_lists,
)

__all__ = [
    "ActionFailed",
    "action",
    "add_current_alert_comment",
    "add_observable",
    "assign_current_alert",
    "connector",
    "create_incident",
    "idempotency_key",
    "link_to_incident",
    "look_up",
    "playbook",
    "rate_observables",
    "related_alerts",
    "related_incidents",
    "request_approval",
    "resolve_current_alert",
    "send_to_servicenow",
    "update_current_alert",
    "warning_lists",
]
