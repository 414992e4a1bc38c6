"""What connected products can be asked to do (connectors.md 2): a playbook names the capability, not the vendor.

The table is the one list of names; a connector says in ``serves`` which of them it does (responder.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop as _

ENDPOINT, ACCOUNT, MESSAGE, FILE, PROCESS = "endpoint", "account", "message", "file", "process"
CONTAINER, CLOUD_ACCOUNT, URL, DOMAIN, IP, HASH, SENDER = (
    "container",
    "cloud_account",
    "url",
    "domain",
    "ip",
    "hash",
    "sender",
)
KINDS_OF_TARGET = (
    ENDPOINT, ACCOUNT, MESSAGE, FILE, PROCESS, CONTAINER, CLOUD_ACCOUNT, URL, DOMAIN, IP, HASH, SENDER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capability:
    """``targets``: the kinds of thing it acts on. ``destructive``: it takes something from somebody, so the never-touch
    list and benign lists hold it back. ``inverse``: the capability that undoes it, "" if nothing does."""

    name: str
    label: str
    targets: tuple[str, ...]
    destructive: bool = True
    inverse: str = ""


CAPABILITIES: dict[str, Capability] = {
    one.name: one
    for one in (
        Capability("block", _("Add to block list"), (HASH, URL, IP, DOMAIN, SENDER), inverse="unblock"),
        Capability("unblock", _("Remove from block list"), (HASH, URL, IP, DOMAIN, SENDER), destructive=False),
        Capability("delete_message", _("Delete message"), (MESSAGE,)),
        Capability("quarantine_message", _("Quarantine message"), (MESSAGE,), inverse="restore_message"),
        Capability("restore_message", _("Restore message"), (MESSAGE,), destructive=False),
        Capability("find_messages", _("Find related messages"), (MESSAGE, SENDER, URL, HASH), destructive=False),
        Capability("collect_file", _("Collect file"), (FILE,), destructive=False),
        Capability("sandbox_file", _("Submit file for sandbox analysis"), (FILE,), destructive=False),
        Capability("sandbox_url", _("Submit address for sandbox analysis"), (URL, DOMAIN), destructive=False),
        Capability("terminate_process", _("Terminate process"), (PROCESS,)),
        Capability("disable_account", _("Disable user account"), (ACCOUNT,), inverse="enable_account"),
        Capability("enable_account", _("Enable user account"), (ACCOUNT,), destructive=False),
        Capability("unlock_account", _("Unlock user account"), (ACCOUNT,), destructive=False),
        Capability("sign_out", _("Force sign out"), (ACCOUNT,)),
        Capability("reset_password", _("Force password reset"), (ACCOUNT,)),
        Capability("isolate_container", _("Isolate container"), (CONTAINER,), inverse="resume_container"),
        Capability("resume_container", _("Resume container"), (CONTAINER,), destructive=False),
        Capability("terminate_container", _("Terminate container"), (CONTAINER,)),
        Capability(
            "revoke_cloud_access",
            _("Revoke access permission"),
            (CLOUD_ACCOUNT,),
            inverse="restore_cloud_access",
        ),
        Capability("restore_cloud_access", _("Restore access permission"), (CLOUD_ACCOUNT,), destructive=False),
        Capability("isolate_endpoint", _("Isolate endpoint"), (ENDPOINT,), inverse="restore_endpoint"),
        Capability("restore_endpoint", _("Restore connection"), (ENDPOINT,), destructive=False),
        Capability("run_script", _("Run remote custom script"), (ENDPOINT,)),
        Capability("scan_endpoint", _("Scan for malware"), (ENDPOINT,), destructive=False),
    )
}


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to act on. ``value`` names it for people: a host name, an address, a hash, a message id.

    ``facts`` is what the alert's source told besides, in the source's words: ``guid``, ``addresses``, ``mailbox``,
    ``sha1``, ``file_path``, ``endpoint`` (name of the host that a file or process is on), ``cluster``,
    ``namespace``, ``pod``, ``pod_uid``,
    ``type`` (of a hash: md5, sha1, sha256)."""

    kind: str
    value: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    """A file that was collected, as the product hands it over: ``name`` for whoever keeps it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """How far a capability got.

    ``state``: ``done`` (finished), ``accepted`` (the product took it; ask again with ``reference``), ``failed``,
    ``rejected`` (a person at the product said no), ``cancelled``. ``message``: a sentence in the product's words.
    ``remote``: the product's own word for the state ("running", "pendingApproval"), shown as it is: that the server
    took a command is not that the device did it. ``request`` and ``answer`` are redacted and kept with the task.
    ``data``: what came of it (verdicts, hits, files). ``changed`` in it is False where it was so before, by somebody
    else's hand: then there is nothing to undo (Responder.tried tells what an earlier try of the same task did).
    ``secret``: what may be shown only when asked for (the password of an archive)."""

    state: str
    message: str = ""
    reference: str = ""
    remote: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    data: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict)
