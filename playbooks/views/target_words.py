"""Kinds of target and what is done to them, in words and signs."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from soar.connectors.capabilities import CAPABILITIES

KIND_LABELS = {
    "endpoint": _("Endpoint"),
    "account": _("User account"),
    "message": _("E-mail message"),
    "file": _("File"),
    "process": _("Process"),
    "container": _("Container"),
    "cloud_account": _("Cloud account"),
    "url": _("URL"),
    "domain": _("Domain"),
    "ip": _("IP address"),
    "hash": _("File hash"),
    "sender": _("Sender"),
}
KIND_ICONS = {
    "endpoint": "laptop",
    "account": "user",
    "message": "mail",
    "file": "file",
    "process": "terminal",
    "container": "box",
    "cloud_account": "cloud",
    "url": "link",
    "domain": "world",
    "ip": "ip",
    "hash": "hash",
    "sender": "mail",
}
# What it means for people, beside the action's name; only where there is something to add.
EFFECTS = {
    "isolate_endpoint": _("It loses the network; only the agent stays reachable."),
    "disable_account": _("No new sign-in until it is enabled again."),
    "sign_out": _("All its sessions end; it can sign in again."),
    "reset_password": _("The person must set a new password."),
    "block": _("Blocked wherever the block list is used."),
    "delete_message": _("Gone from the mailbox."),
    "quarantine_message": _("Out of the mailbox, kept in quarantine."),
    "terminate_process": _("The process ends at once."),
    "terminate_container": _("The container ends at once."),
    "isolate_container": _("It loses the network."),
    "revoke_cloud_access": _("Its keys stop working and all is denied to it."),
    "run_script": _("The script runs with the agent's rights."),
}


def action_label(action: str, capability: str = "") -> str:
    """What people call an action, by its capability where it has one."""
    found = CAPABILITIES.get(capability or action)
    return str(found.label) if found else action.replace("_", " ").capitalize()
