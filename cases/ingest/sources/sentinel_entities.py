"""Entities of Microsoft Sentinel: of incidents (``kind`` and ``properties``) and of alerts (``Type`` and flat)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases.ingest.flat import Flat
from cases.ingest.sources.concerned import Concerned, file_of

WRAPPERS = frozenset({"properties"})
MOST = 500


def read_entities(entities: list[dict[str, Any]], seen: Concerned) -> None:
    """Tell ``seen`` of every entity whose kind is known; others are left to text extraction."""
    for entity in entities[:MOST]:
        one = Flat(entity, WRAPPERS)
        kind = one.text("kind", "type").lower().replace("-", "").rpartition("/")[2]
        if reader := READERS.get(kind):
            reader(one, seen)
        else:
            seen.gather.payload(entity)


def _account(one: Flat, seen: Concerned) -> None:
    """``name@suffix`` for a directory's account, ``DOMAIN\\name`` for Windows'."""
    name, suffix = one.text("accountname", "name", "displayname", "friendlyname"), one.text("upnsuffix")
    seen.account(f"{name}@{suffix}" if name and suffix and "@" not in name else name, one.text("ntdomain"))


def _host(one: Flat, seen: Concerned) -> None:
    name, domain = one.text("hostname", "netbiosname", "friendlyname", "azureid"), one.text("dnsdomain")
    full = f"{name}.{domain}" if name and domain and "." not in name else name
    seen.host(full, one.text("osversion", "osfamily"), one.texts("ipinterfaces", "lastipaddress"))


def _ip(one: Flat, seen: Concerned) -> None:
    seen.address(seen.gather.add("ip", one.text("address"), "entity"))


def _file(one: Flat, seen: Concerned) -> None:
    file_of(seen.gather, one.text("filename", "name"), one.text("directory"), {})
    _hash(one, seen)


def _hash(one: Flat, seen: Concerned) -> None:
    for value in one.texts("hashvalue", "value", "filehashes.hashvalue", "filehashes.value"):
        seen.gather.guess(value, "hash")


def _process(one: Flat, seen: Concerned) -> None:
    name = one.text("imagefile.name", "imagefile.filename", "processname", "friendlyname")
    seen.process(one.text("commandline"), name)
    seen.gather.text(one.text("commandline"), "command_line")
    file_of(seen.gather, name, one.text("imagefile.directory"), {}, role="process")


def _message(one: Flat, seen: Concerned) -> None:
    sender = seen.gather.add("email", one.text("sender", "p2sender", "p1sender"), "sender")
    recipient = seen.gather.add("email", one.text("recipient"), "recipient")
    seen.gather.add("ip", one.text("senderip"), "sender_ip")
    for url in one.texts("urls"):
        seen.gather.add("url", url, "url")
    facts = {"message_id": one.text("internetmessageid"), "unique_id": one.text("networkmessageid")}
    seen.message(**facts, mailbox=recipient, subject=one.text("subject"), sender=sender)


def _mailbox(one: Flat, seen: Concerned) -> None:
    address = seen.gather.add("email", one.text("mailboxprimaryaddress", "upn"), "mailbox")
    seen.account(address)


def _registry(one: Flat, seen: Concerned) -> None:
    hive, key = one.text("hive").replace("HKEY_LOCAL_MACHINE", "HKLM"), one.text("key", "registrykey")
    seen.gather.add("registry_key", f"{hive}\\{key}" if hive else key, "registry")


def _resource(one: Flat, seen: Concerned) -> None:
    if name := one.text("resourcename") or one.text("resourceid").rpartition("/")[2]:
        seen.others.append({"type": "cloud_resource", "name": name})


def _text_of(*names: str, kind: str, role: str) -> Callable[[Flat, Concerned], None]:
    def read(one: Flat, seen: Concerned) -> None:
        seen.gather.add(kind, one.text(*names), role)

    return read


READERS: dict[str, Callable[[Flat, Concerned], None]] = {
    "account": _account, "host": _host, "ip": _ip, "ipaddress": _ip, "file": _file, "filehash": _hash,
    "process": _process, "mailmessage": _message, "mailbox": _mailbox, "registrykey": _registry,
    "registryvalue": _registry, "azureresource": _resource, "cloudresource": _resource,
    "url": _text_of("url", kind="url", role="url"),
    "dnsresolution": _text_of("domainname", kind="domain", role="domain"),
    "dns": _text_of("domainname", kind="domain", role="domain"),
    "malware": lambda _one, _seen: None,
    "securitygroup": lambda _one, _seen: None,
    "cloudapplication": lambda _one, _seen: None,
}  # fmt: skip
