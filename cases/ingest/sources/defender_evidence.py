"""Evidence of Microsoft Defender: flat rows (Endpoint's ``evidence``, XDR's ``entities`` and ``devices``) and Graph's
typed objects. What the product holds for malicious or suspicious, or has detected, is highlighted."""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import objects, string
from cases.ingest.sources.concerned import Concerned, file_of, whole_path

MOST = 500
HIVES = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU", "HKEY_USERS": "HKU", "HKEY_CLASSES_ROOT": "HKCR"}
MARKED = frozenset({"malicious", "suspicious"})
FOUND = frozenset({"detected", "blocked", "prevented"})
HASHES = ("sha1", "sha256", "md5")


def read_evidence(alert: dict[str, Any], seen: Concerned) -> None:
    """Tell ``seen`` of everything that one alert names."""
    _own(alert, seen)
    for device in objects(alert.get("devices"))[:MOST]:
        _device(device, seen)
    for one in [*objects(alert.get("evidence")), *objects(alert.get("entities"))][:MOST]:
        if "@odata.type" in one:
            _typed(one, seen)
        else:
            _row(one, seen)


def _own(alert: dict[str, Any], seen: Concerned) -> None:
    """Machine and user that an alert of Defender for Endpoint is about."""
    seen.host(string(alert.get("computerDnsName")), guid=string(alert.get("machineId")))
    user = alert.get("relatedUser")
    if isinstance(user, dict):
        seen.account(string(user.get("userName")), string(user.get("domainName")))


def _device(one: dict[str, Any], seen: Concerned) -> None:
    """A device of XDR or of Graph."""
    name = string(one.get("deviceDnsName")) or string(one.get("hostName"))
    system = " ".join(part for key in ("osPlatform", "version") if (part := string(one.get(key))))
    addresses = one.get("ipInterfaces") if isinstance(one.get("ipInterfaces"), list) else []
    own = [string(one.get("lastIpAddress")), *(addresses or [])]
    guid = string(one.get("mdatpDeviceId")) or string(one.get("mdeDeviceId"))
    seen.host(name, system, [address for address in own if address], guid)
    seen.gather.add("ip", string(one.get("lastExternalIpAddress")), "external_ip")
    for user in objects(one.get("loggedOnUsers")):
        seen.account(string(user.get("accountName")), string(user.get("domainName")))


def is_marked(one: dict[str, Any]) -> bool:
    """Whether the product itself points at this piece."""
    verdict, status = string(one.get("verdict")).lower(), string(one.get("detectionStatus")).lower()
    return verdict in MARKED or (not verdict and status in FOUND)


def _file(one: Any, seen: Concerned, marked: bool, role: str = "file") -> None:
    if isinstance(one, dict):
        digests = {kind: string(one.get(kind)) for kind in HASHES}
        file_of(seen.gather, string(one.get("fileName")), string(one.get("filePath")), digests, marked, role)


def _row(one: dict[str, Any], seen: Concerned) -> None:
    """A flat row: all kinds share one set of columns, most of them empty."""
    kind, marked, gather = string(one.get("entityType")).lower(), is_marked(one), seen.gather
    _file(one, seen, marked, "process" if kind == "process" else "file")
    _process(one, seen, string(one.get("fileName")))
    seen.address(gather.add("ip", string(one.get("ipAddress")), "evidence", marked), marked)
    gather.add("url", string(one.get("url")), "evidence", marked)
    gather.add("domain", string(one.get("domain")), "evidence", marked)
    _registry(one, seen, marked)
    _account_of(one, seen)
    for key, role in (("sender", "sender"), ("recipient", "recipient"), ("mailboxAddress", "mailbox")):
        gather.add("email", string(one.get(key)), role, marked)
    if kind in {"mailmessage", "mailcluster"}:
        _message(one, seen, string(one.get("recipient")), string(one.get("sender")))
    if kind == "mailbox":
        seen.account(string(one.get("mailboxAddress")))


def _account_of(one: dict[str, Any], seen: Concerned) -> None:
    """A row's account by its Windows name, else by its address in the directory."""
    name = string(one.get("accountName"))
    seen.account(name or string(one.get("userPrincipalName")), string(one.get("domainName")))
    if name:
        seen.gather.add("email", string(one.get("userPrincipalName")), "user")


def _process(one: dict[str, Any], seen: Concerned, name: str) -> None:
    command = string(one.get("processCommandLine"))
    seen.process(command, name)
    seen.gather.text(command, "command_line")
    folder, parent = string(one.get("parentProcessFilePath")), string(one.get("parentProcessFileName"))
    seen.gather.add("file_path", whole_path(folder, parent), "parent_process")


def _registry(one: dict[str, Any], seen: Concerned, marked: bool) -> None:
    hive, key = string(one.get("registryHive")), string(one.get("registryKey"))
    if key:
        seen.gather.add("registry_key", f"{HIVES.get(hive.upper(), hive)}\\{key}" if hive else key, "registry", marked)


def _message(one: dict[str, Any], seen: Concerned, mailbox: str, sender: str) -> None:
    seen.message(
        message_id=string(one.get("internetMessageId")),
        unique_id=string(one.get("networkMessageId")),
        mailbox=mailbox,
        subject=string(one.get("subject")),
        sender=sender,
    )


def _typed(one: dict[str, Any], seen: Concerned) -> None:
    """A piece of Graph's evidence; parts are read by what they hold, so kinds that are new lose nothing known."""
    kind, marked, gather = string(one.get("@odata.type")).rpartition(".")[2], is_marked(one), seen.gather
    if kind == "deviceEvidence":
        _device(one, seen)
    _file(one.get("fileDetails"), seen, marked)
    image = one.get("imageFile")
    _file(image, seen, marked, "process")
    _file(one.get("parentProcessImageFile"), seen, False, "parent_process")
    _process(one, seen, string(image.get("fileName")) if isinstance(image, dict) else "")
    if isinstance(account := one.get("userAccount"), dict):
        _account_of(account, seen)
    if kind == "ipEvidence":
        of_source = any(role in {"source", "attacker"} for role in _roles(one))
        seen.address(gather.add("ip", string(one.get("ipAddress")), "evidence", marked), of_source or marked)
    gather.add("url", string(one.get("url")), "evidence", marked)
    _registry(one, seen, marked)
    _mail(kind, one, seen, marked)


def _roles(one: dict[str, Any]) -> list[str]:
    roles = one.get("roles")
    return [string(role).lower() for role in roles] if isinstance(roles, list) else []


def _mail(kind: str, one: dict[str, Any], seen: Concerned, marked: bool) -> None:
    gather = seen.gather
    if kind == "mailboxEvidence":
        seen.account(gather.add("email", string(one.get("primaryAddress")), "mailbox", marked))
    if kind != "analyzedMessageEvidence":
        return
    senders = [one.get(key) for key in ("p2Sender", "p1Sender")]
    addresses = [string(each.get("emailAddress")) for each in senders if isinstance(each, dict)]
    for address in addresses:
        gather.add("email", address, "sender", marked)
    recipient = gather.add("email", string(one.get("recipientEmailAddress")), "recipient")
    gather.add("ip", string(one.get("senderIp")), "sender_ip", marked)
    gather.add("url", one.get("urls"), "url", marked)
    _message(one, seen, recipient, addresses[0] if addresses else "")
