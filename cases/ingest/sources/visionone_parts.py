"""Indicators and entities of a Workbench alert, and how they relate."""

from __future__ import annotations

import re
from typing import Any

from cases.ingest.flat import objects, string
from cases.ingest.gather import Gather
from cases.ingest.shapes import as_ip

# Indicator type -> type of observable ("" goes by the look of the value).
KINDS = {
    "url": "url", "domain": "domain", "ip": "ip", "email_sender": "email", "email_recipient": "email",
    "fullpath": "file_path", "filename": "file_name", "file_sha1": "sha1", "file_sha256": "sha256", "file_md5": "md5",
    "user_account": "user", "registry_key": "registry_key", "mac": "mac", "cve": "cve", "file_hash": "", "object": "",
}  # fmt: skip
TEXTS = frozenset({"command_line", "registry_value_data", "registry_value", "text", "email_subject", "amsi_rawDataStr"})
SILENT_FIELDS = frozenset({"actresult", "endpointhostname", "malname"})
OF_SOURCE = re.compile(r"(?i)^(?:src|source|client|remote|peer|ipaddress|interestedip|attacker)")
EXECUTABLE = re.compile(r'\s*"?(?P<path>[A-Za-z]:\\[^"*?<>|]*?\.(?:exe|com|bat|cmd|scr|ps1)|[^\s"]+)', re.I)
ACCOUNT_TYPES = frozenset({"account", "user", "useraccount"})


class Indicators:
    """What the alert highlights, put into ``gather``; remembers which observable each id became."""

    def __init__(self, value: Any, gather: Gather) -> None:
        self.by_id: dict[str, tuple[str, str]] = {}
        self.host = self.account = self.source_ip = ""
        self.processes: list[dict[str, Any]] = []
        self.texts: list[str] = []
        for one in objects(value):
            self._read(one, gather)

    @property
    def free_text(self) -> str:
        """Command lines and the like, in which addresses and paths are looked for."""
        return "\n".join(self.texts)

    def _read(self, one: dict[str, Any], gather: Gather) -> None:
        kind, field = string(one.get("type")).lower(), string(one.get("field"))
        for value in _values(one.get("value")):
            if kind == "host" or isinstance(value, dict):
                self._host(one, value, gather)
            elif kind in TEXTS:
                self._text(kind, field, string(value), one)
            elif kind in KINDS:
                self._observable(one, KINDS[kind], string(value), field, gather)

    def _observable(self, one: dict[str, Any], kind: str, value: str, field: str, gather: Gather) -> None:
        role = field or string(one.get("type"))
        normal = gather.add(kind, value, role, True) if kind else gather.guess(value, role, True)
        if not normal:
            self.texts.append(value)  # mislabelled by the source: text extraction has another look
            return
        self.by_id[string(one.get("id"))] = (kind, normal)
        if kind == "ip" and not self.source_ip and OF_SOURCE.match(field):
            self.source_ip = normal
        if kind == "user" and not self.account:
            self.account = normal

    def _host(self, one: dict[str, Any], value: Any, gather: Gather) -> None:
        """A host object ``{guid, name, ips}`` or a name; a name that is an address counts as one."""
        name = string(value.get("name")) if isinstance(value, dict) else string(value)
        addresses = value.get("ips") if isinstance(value, dict) else []
        for address in addresses if isinstance(addresses, list) else []:
            if normal := gather.add("ip", address, "related_host", True):
                self.by_id.setdefault(string(one.get("id")), ("ip", normal))
        kind = "ip" if as_ip(name) else "hostname"
        if normal := gather.add(kind, name, "related_host", True):
            self.by_id.setdefault(string(one.get("id")), (kind, normal))

    def _text(self, kind: str, field: str, value: str, one: dict[str, Any]) -> None:
        if field.lower() == "endpointhostname":
            self.host = self.host or value
        if field.lower() not in SILENT_FIELDS:
            self.texts.append(value)
        if kind == "command_line":
            match = EXECUTABLE.match(value)
            name = match["path"].rpartition("\\")[2] if match else value[:255]
            process = {"type": "process", "name": name, "command_line": value, "role": field}
            if process not in self.processes:
                self.processes.append(process)


class Entities:
    """Endpoints (``assets``) and the other things concerned (``others``), with the observables of each."""

    def __init__(self, value: Any, indicators: Indicators, gather: Gather) -> None:
        self.assets: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        self.main_host = self.main_account = self.main_address = ""
        self.indicators = indicators
        ranked = sorted(objects(value), key=lambda one: "Alert" not in _list(one.get("provenance")))
        for one in ranked:  # those of the alert itself before those found by sweeping
            self._read(one, gather)

    def _read(self, one: dict[str, Any], gather: Gather) -> None:
        kind, value = string(one.get("entityType")), one.get("entityValue")
        related = [self.indicators.by_id.get(string(ref)) for ref in _list(one.get("relatedIndicatorIds"))]
        facts: dict[str, Any] = {
            "id": string(one.get("entityId")),
            "related": [string(ref) for ref in _list(one.get("relatedEntities"))],
            "observables": [list(pair) for pair in dict.fromkeys(related) if pair],
            "provenance": [string(word) for word in _list(one.get("provenance"))],
        }
        if kind == "host" or isinstance(value, dict):
            self._host(value, facts, gather)
        else:
            self._other(kind, string(value) or facts["id"], facts, gather)

    def _host(self, value: Any, facts: dict[str, Any], gather: Gather) -> None:
        inner = value if isinstance(value, dict) else {"name": value}
        name = string(inner.get("name"))
        addresses = [normal for ip in _list(inner.get("ips")) if (normal := gather.add("ip", ip, "host_ip"))]
        asset = {"name": name or string(inner.get("guid")), "type": "endpoint", "system": "", "addresses": addresses}
        self.assets.append({**asset, "guid": string(inner.get("guid")), **facts})
        if name:
            gather.name("hostname", name, "host")
        if name and not self.main_host:
            self.main_host = name
            self.main_address = addresses[0] if addresses else ""

    def _other(self, kind: str, name: str, facts: dict[str, Any], gather: Gather) -> None:
        self.others.append({"type": kind or "entity", "name": name, **facts})
        if kind.lower() in ACCOUNT_TYPES:
            gather.name("user", name, "entity")
            self.main_account = self.main_account or name
        elif kind == "emailAddress":
            gather.add("email", name, "entity")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(value: Any) -> list[Any]:
    """One value, or the members of a list."""
    return value[:500] if isinstance(value, list) else [value]
