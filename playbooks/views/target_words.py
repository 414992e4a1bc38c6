"""Kinds of target and what is done to them, in words and signs."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

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


_COUNTED = {
    "isolate_endpoint": (gettext_noop("endpoint loses the network"), gettext_noop("endpoints lose the network")),
    "disable_account": (gettext_noop("person cannot sign in"), gettext_noop("people cannot sign in")),
    "sign_out": (gettext_noop("person is signed out"), gettext_noop("people are signed out")),
    "unlock_account": (gettext_noop("person is unlocked"), gettext_noop("people are unlocked")),
    "reset_password": (gettext_noop("password must be set anew"), gettext_noop("passwords must be set anew")),
    "block": (gettext_noop("value is blocked"), gettext_noop("values are blocked")),
    "delete_message": (gettext_noop("message is deleted"), gettext_noop("messages are deleted")),
    "quarantine_message": (gettext_noop("message is quarantined"), gettext_noop("messages are quarantined")),
    "terminate_process": (gettext_noop("process ends"), gettext_noop("processes end")),
    "terminate_container": (gettext_noop("container ends"), gettext_noop("containers end")),
    "isolate_container": (gettext_noop("container loses the network"), gettext_noop("containers lose the network")),
    "revoke_cloud_access": (gettext_noop("cloud account is locked out"), gettext_noop("cloud accounts are locked out")),
    "sandbox_url": (gettext_noop("address is analysed"), gettext_noop("addresses are analysed")),
    "sandbox_file": (gettext_noop("file is analysed"), gettext_noop("files are analysed")),
    "collect_file": (gettext_noop("file is collected"), gettext_noop("files are collected")),
    "scan_endpoint": (gettext_noop("endpoint is scanned"), gettext_noop("endpoints are scanned")),
    "find_messages": (gettext_noop("search for messages"), gettext_noop("searches for messages")),
    "run_script": (gettext_noop("endpoint runs a script"), gettext_noop("endpoints run a script")),
}


def how_many(capability: str, label: str, number: int) -> str:
    """What happens to so many: "endpoints lose the network"; the action's own name where there is nothing better."""
    one, many = _COUNTED.get(capability, (label, label))
    return gettext(one if number == 1 else many)
