"""What evidence names: files, endpoints, accounts and processes; the first of each is what the alert is about."""

from __future__ import annotations

from typing import Any

from cases.ingest.gather import Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.shapes import as_ip

MOST = 200  # entities of one alert that are kept
NOBODY = frozenset({"-", "n/a", "none", "null", "unknown"})


class Concerned:
    """Endpoints and accounts in the order in which they are named, each once; ``put`` writes them on the alert."""

    def __init__(self, gather: Gather) -> None:
        self.gather = gather
        self.hosts: dict[str, dict[str, Any]] = {}
        self.accounts: dict[str, None] = {}
        self.others: list[dict[str, Any]] = []
        self.source_ip = ""
        self.source_told = False  # whether the source itself calls that address its origin

    def host(self, name: str, system: str = "", addresses: Any = (), guid: str = "", kind: str = "endpoint") -> None:
        """An endpoint by name (one that is an address counts as one) with its own addresses."""
        given = [addresses] if isinstance(addresses, str) else addresses if isinstance(addresses, list | tuple) else []
        found = [ip for one in given[:20] if (ip := self.gather.add("ip", one, "host_ip"))]
        if not name or name.lower() in NOBODY:
            return
        asset = self.hosts.setdefault(
            name.lower(), {"name": name, "type": kind, "system": "", "addresses": [], "guid": ""}
        )
        asset["system"] = asset["system"] or system
        asset["guid"] = asset["guid"] or guid
        asset["addresses"] = list(dict.fromkeys([*asset["addresses"], *found]))
        if not as_ip(name):
            self.gather.name("hostname", name, "host")

    def account(self, name: str, domain: str = "", highlighted: bool = False) -> None:
        """An account; a domain that is not part of the name already stands before it, as Windows writes it."""
        if not name or name.lower() in NOBODY:
            return
        full = f"{domain}\\{name}" if domain and "\\" not in name and "@" not in name else name
        self.accounts[full] = None
        self.gather.own.add(full.lower())
        self.gather.add("user", full, "user", highlighted)

    def address(self, ip: str, of_source: bool = False) -> None:
        """An address that the alert may be about: the first one, or the first that is called the source's."""
        if ip and (not self.source_ip or (of_source and not self.source_told)):
            self.source_ip, self.source_told = ip, of_source

    def process(self, command_line: str, name: str = "", host: str = "") -> None:
        """A process with its command line, which is looked through for addresses and paths."""
        one = {"type": "process", "name": name or command_line[:255], "command_line": command_line, "host": host}
        if command_line and one not in self.others:
            self.others.append(one)

    def message(self, **facts: str) -> None:
        """A mail message with what is known of ``message_id``, ``unique_id``, ``mailbox``, ``subject``, ``sender``."""
        known = {key: value for key, value in facts.items() if value}
        name = known.get("message_id") or known.get("unique_id") or known.get("subject")
        if name:
            self.others.append({"type": "message", "name": name, **known})

    def put(self, alert: NormalAlert) -> None:
        """Write hosts, accounts and the rest on ``alert``, and their first ones into its own columns."""
        hosts = [{key: value for key, value in host.items() if value or key != "guid"} for host in self.hosts.values()]
        alert.assets = hosts[:MOST]
        alert.entities += [{"type": "account", "name": name} for name in list(self.accounts)[:MOST]]
        alert.entities += self.others[:MOST]
        alert.hostname = alert.hostname or (hosts[0]["name"] if hosts else "")
        alert.username = alert.username or next(iter(self.accounts), "")
        own = next((ip for host in hosts for ip in host["addresses"]), "")
        alert.source_ip = alert.source_ip or self.source_ip or own


def whole_path(folder: str, name: str) -> str:
    """A file's path from its folder and its name; some products put the name into the folder's field already."""
    if not folder or not name or folder.lower().endswith(name.lower()):
        return folder
    sign = "/" if "/" in folder and "\\" not in folder else "\\"
    return f"{folder.rstrip(sign)}{sign}{name}"


def file_of(
    gather: Gather, name: str, folder: str, hashes: dict[str, str], highlighted: bool = False, role: str = "file"
) -> None:
    """A file as observables: its digests by kind, its whole path, or its name where no path is known."""
    for kind, digest in hashes.items():
        if digest:
            gather.add(kind, digest, role, highlighted)
    path = whole_path(folder, name)
    if path and gather.add("file_path", path, role, highlighted):
        return
    if name:
        gather.add("file_name", name, role, highlighted)
