"""The practice range as a program: all stand-ins, at the place where they were before, with what they were told."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from soar.standins import folder
from soar.standins.base import Standin
from soar.standins.ldap import Ldap
from soar.standins.registry import STANDINS
from soar.standins.server import Server, check_host
from soar.standins.smtp import Smtp

SAVE_SECONDS = 2.0


def made(host: str = "127.0.0.1", port: int = 0, smtp_port: int = 0, ldap_port: int = 0) -> Server:
    """A server with all stand-ins; ports in use are not fought for, others are taken. Raises NotLoopback."""
    check_host(host)  # before any port is opened
    own = {Smtp: smtp_port, Ldap: ldap_port}  # those with a port of their own
    standins = [_at(one, own[one]) if one in own else one() for one in STANDINS]
    try:
        return Server(standins, host, port)
    except OSError:
        return Server(standins, host, 0)


def remembered() -> tuple[int, int, int]:
    """The ports of the last time (HTTP, SMTP, LDAP), 0 for none."""
    found = folder.read("range")
    ports: list[int] = found.get("ports", []) if isinstance(found, dict) else []
    http, smtp, ldap, *_ = [*ports, 0, 0, 0]
    return int(http), int(smtp), int(ldap)


def remember(server: Server, pid: int | None) -> None:
    """Tell pages and the next start where the range is; ``pid`` None: where it was."""
    http_port = int(server.address.rpartition(":")[2])
    own = [getattr(server.standins.get(kind), "port", 0) for kind in ("smtp", "ldap")]
    folder.write("range", {"pid": pid, "ports": [http_port, *own], "urls": server.urls})


class Keeper:
    """Brings back what lasting stand-ins were told, and keeps it every few seconds and at the end."""

    def __init__(self, server: Server) -> None:
        self._standins = [one for one in server.standins.values() if one.lasting]
        self._kept: dict[str, object] = {}
        self._end = threading.Event()

    def start(self) -> None:
        """Bring back, then keep."""
        for one in self._standins:
            _bring_back(one)
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Keep once more."""
        self._end.set()
        self._save()

    def _run(self) -> None:
        while not self._end.wait(SAVE_SECONDS):
            with suppress(OSError):  # a full disk ends no practice
                self._save()

    def _save(self) -> None:
        for one in self._standins:
            with one.lock:
                now = one.stamp()
                state = one.kept() if self._kept.get(one.kind) != now else None
            if state is not None:
                folder.write(f"state-{one.kind}", state)
                self._kept[one.kind] = now


def _bring_back(standin: Standin) -> None:
    before = folder.read(f"state-{standin.kind}")
    if isinstance(before, dict):
        with standin.lock:
            standin.state = {**standin.fresh(), **before}


def _at(one: type[Any], port: int) -> Standin:
    try:
        made: Standin = one(port)
    except OSError:
        made = one()
    return made
