"""Observables in STIX 2.1: the objects that stand for one, and the pattern that finds it again. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import ntpath
import posixpath
import uuid
from collections.abc import Callable
from typing import Any

Sco = dict[str, Any]
# STIX 2.1, 2.9: the namespace of deterministic ids of cyber observable objects.
NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}
HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}


def objects_of(kind: str, value: str) -> list[Sco]:
    """The observable's object, and before it those it refers to; empty for a type that STIX has no object for."""
    made = _MAKERS.get(kind)
    return made(value) if made else []


def pattern_of(kind: str, value: str) -> str:
    """The pattern that matches the observable, "" where there is none."""
    if kind in HASHES:
        return f"[file:hashes.'{HASHES[kind]}' = {quoted(value)}]"
    if kind == "file_path":
        folder, name = split(value)
        inside = f" AND file:parent_directory_ref.path = {quoted(folder)}" if folder else ""
        return f"[file:name = {quoted(name)}{inside}]"
    if kind == "asn":
        return f"[autonomous-system:number = {_number(value)}]"
    if kind in ("ip", "cidr"):
        return f"[{_address_type(value)}:value = {quoted(value)}]"
    if kind == "registry_key":
        return f"[windows-registry-key:key = {quoted(whole_hive(value))}]"
    path = _PATHS.get(kind)
    return f"[{path} = {quoted(value)}]" if path else ""


def quoted(value: str) -> str:
    """A string of the pattern language (STIX 2.1, 9.2): backslashes and apostrophes are escaped."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def sco(type_: str, contributing: dict[str, Any], **more: Any) -> Sco:
    """An object whose id follows from the properties that tell it from others (UUIDv5 over canonical JSON)."""
    text = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    pk = uuid.uuid5(NAMESPACE, text)
    return {"type": type_, "spec_version": "2.1", "id": f"{type_}--{pk}", **contributing, **more}


def file_of(piece: dict[str, Any]) -> Sco:
    """The object of a file of evidence. Of several hashes the id follows from the first in the order of STIX."""
    made = sco("file", {"hashes": {"MD5": piece["md5"]}, "name": piece["name"]}, size=piece["size"])
    return {**made, "hashes": {name: piece[key] for key, name in HASHES.items()}}


def split(path: str) -> tuple[str, str]:
    """(folder, name) of a path of Windows or Unix; without a name the last folder is taken for it."""
    split_by = ntpath if "\\" in path or path[1:2] == ":" else posixpath
    folder, name = split_by.split(path.rstrip("\\/") or path)
    return folder, name or path


def whole_hive(key: str) -> str:
    """A registry key with its hive in full, as STIX wants it (6.17)."""
    hive, slash, rest = key.partition("\\")
    return HIVES.get(hive.upper(), hive) + slash + rest


def _address_type(value: str) -> str:
    return "ipv6-addr" if ipaddress.ip_network(value, strict=False).version == 6 else "ipv4-addr"


def _number(value: str) -> int:
    return int(value.upper().removeprefix("AS"))


def _path(value: str) -> list[Sco]:
    folder, name = split(value)
    if not folder:
        return [sco("file", {"name": name})]
    parent = sco("directory", {"path": folder})
    return [parent, sco("file", {"name": name, "parent_directory_ref": parent["id"]})]


def _process(value: str) -> list[Sco]:
    """A process has no properties that tell it from others: its id is a random UUID by the rules, here one that is
    the same for the same name."""
    image = sco("file", {"name": value})
    pk = uuid.UUID(bytes=hashlib.sha256(f"process:{value}".encode()).digest()[:16], version=4)
    return [image, {"type": "process", "spec_version": "2.1", "id": f"process--{pk}", "image_ref": image["id"]}]


def _simple(type_: str, key: str = "value") -> Callable[[str], list[Sco]]:
    return lambda value: [sco(type_, {key: value})]


def _hash(name: str) -> Callable[[str], list[Sco]]:
    return lambda value: [sco("file", {"hashes": {name: value}})]


_MAKERS: dict[str, Callable[[str], list[Sco]]] = {
    "ip": lambda value: [sco(_address_type(value), {"value": value})],
    "cidr": lambda value: [sco(_address_type(value), {"value": value})],
    "domain": _simple("domain-name"),
    "hostname": _simple("domain-name"),
    "url": _simple("url"),
    "email": _simple("email-addr"),
    "mac": _simple("mac-addr"),
    "asn": lambda value: [sco("autonomous-system", {"number": _number(value)})],
    "user": _simple("user-account", "account_login"),
    "file_name": _simple("file", "name"),
    "file_path": _path,
    "process": _process,
    "registry_key": lambda value: [sco("windows-registry-key", {"key": whole_hive(value)})],
    **{kind: _hash(name) for kind, name in HASHES.items()},
}
_PATHS = {
    "domain": "domain-name:value",
    "hostname": "domain-name:value",
    "url": "url:value",
    "email": "email-addr:value",
    "mac": "mac-addr:value",
    "user": "user-account:account_login",
    "file_name": "file:name",
    "process": "process:image_ref.name",
}
