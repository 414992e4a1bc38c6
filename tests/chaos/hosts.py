"""Hosts of a test on one machine: network namespaces, joined to a database by links that can be cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from soar.embedded import Server
from tests.portal import ROOT, descendants

NET = "10.213"


def ip(*words: str) -> None:
    """``ip`` of iproute2; needs root. Raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """A namespace ``soar-N`` with the address 10.213.N.2, its only way being the link to 10.213.N.1 on this machine."""

    def __init__(self, number: int) -> None:
        self.number, self.name, self.link = number, f"soar-{number}", f"soar-v{number}"
        self.processes: list[subprocess.Popen[bytes]] = []
        ip("netns", "add", self.name)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("addr", "add", f"{self.here}/24", "dev", self.link)
        ip("link", "set", self.link, "up")
        for words in (("addr", "add", f"{NET}.{number}.2/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            ip("-n", self.name, *words)
        ip("-n", self.name, "link", "set", "lo", "up")

    @property
    def here(self) -> str:
        """This machine, as the host sees it."""
        return f"{NET}.{self.number}.1"

    def cut(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        ip("link", "set", self.link, "down")

    def mend(self) -> None:
        """The link is there again."""
        ip("link", "set", self.link, "up")

    def start(self, environment: dict[str, str], *command: str) -> subprocess.Popen[bytes]:
        """Run a command of the portal on this host, with the database at the other end of the link."""
        env = {**environment, "DATABASE_URL": f"postgresql://soar@{self.here}/soar"}
        began = subprocess.Popen(["ip", "netns", "exec", self.name, sys.executable, *command], cwd=ROOT, env=env)
        self.processes.append(began)
        return began

    def power_off(self) -> None:
        """kill -9 of all that runs on it."""
        for one in self.processes:
            for pid in [one.pid, *descendants(one.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            one.wait()
        self.processes.clear()

    def remove(self) -> None:
        """Power it off and forget it."""
        self.power_off()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self.link], check=False, capture_output=True)


class Database:
    """A PostgreSQL of this machine that listens on the given addresses. For the main thread alone."""

    def __init__(self, addresses: list[str]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="soar-hosts-")
        root = Path(self.folder.name)
        root.chmod(0o711)
        self.server = Server(root / "db", root / "db" / "run", {"listen_addresses": ",".join(addresses)})
        self.server.start()
        self.server.ensure_database()
        with (self.server.cluster / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NET}.0.0/16 trust\n")
        self.connection: psycopg.Connection[Any] = psycopg.connect(self.server.dsn(), autocommit=True)
        self.connection.execute("SELECT pg_reload_conf()")

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"postgresql://soar@/soar?host={self.server.socket}"

    def number(self, query: str, *values: object) -> int:
        """The one number that the query finds."""
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return int(row[0])

    def remove(self) -> None:
        """Stop it and delete its data."""
        self.connection.close()
        self.server.stop()
        self.folder.cleanup()
