"""The made-up company Nordhavn: its people, machines and addresses. Pure data.

Addresses of outsiders are those reserved for documentation (RFC 5737), names those of RFC 2606: nobody real is blamed.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

MAIL = "nordhavn.example.com"
REALM = "NORDHAVN"
CONSOLE = "https://console.example.com"


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: name, own address, operating system."""

    name: str
    address: str
    system: str

    @property
    def guid(self) -> str:
        """The id that its agent bears."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name)).upper()


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody of the company, with their machine."""

    login: str
    name: str
    unit: str
    host: Host

    @property
    def mail(self) -> str:
        """Their mail address."""
        return f"{self.login}@{MAIL}"


def _worker(login: str, name: str, unit: str, machine: str, address: str) -> Worker:
    return Worker(login, name, unit, Host(machine, address, "Windows 11"))


WORKERS = [
    _worker("l.brandt", "Lene Brandt", "Finance", "FIN-LT-0114", "10.20.4.14"),
    _worker("o.falk", "Oskar Falk", "Finance", "FIN-LT-0131", "10.20.4.31"),
    _worker("s.moreau", "Sylvie Moreau", "Finance", "FIN-LT-0127", "10.20.4.27"),
    _worker("k.nowak", "Kasia Nowak", "People", "HR-LT-0042", "10.20.6.42"),
    _worker("d.okoro", "Dayo Okoro", "People", "HR-LT-0047", "10.20.6.47"),
    _worker("t.aalto", "Tuomas Aalto", "Sales", "SAL-LT-0090", "10.20.8.90"),
    _worker("b.hartley", "Bethan Hartley", "Sales", "SAL-LT-0103", "10.20.8.103"),
    _worker("r.castell", "Raimon Castell", "Sales", "SAL-LT-0117", "10.20.8.117"),
    _worker("e.sundby", "Eirik Sundby", "Operations", "OPS-WS-0012", "10.20.10.12"),
    _worker("m.tanaka", "Mio Tanaka", "Operations", "OPS-WS-0019", "10.20.10.19"),
    _worker("a.petrov", "Anton Petrov", "Engineering", "ENG-LT-0208", "10.20.12.8"),
    _worker("c.ndiaye", "Coumba Ndiaye", "Engineering", "ENG-LT-0215", "10.20.12.15"),
    _worker("j.vries", "Joost de Vries", "Engineering", "ENG-LT-0222", "10.20.12.22"),
    _worker("h.lund", "Helle Lund", "Management", "MGT-LT-0003", "10.20.2.3"),
]
BY_LOGIN = {worker.login: worker for worker in WORKERS}

SERVERS = [
    Host("edge-bastion-02", "10.30.1.12", "Ubuntu 24.04"),
    Host("edge-vpn-01", "10.30.1.21", "Debian 12"),
    Host("web-careers-01", "10.30.2.11", "Ubuntu 24.04"),
    Host("web-track-03", "10.30.2.23", "Ubuntu 24.04"),
    Host("ci-runner-07", "10.30.5.17", "Debian 12"),
    Host("db-orders-01", "10.30.6.31", "Red Hat 9"),
    Host("SRV-FILE-02", "10.30.7.2", "Windows Server 2022"),
    Host("SRV-APP-07", "10.30.7.17", "Windows Server 2022"),
    Host("DC-OSL-01", "10.30.8.1", "Windows Server 2022"),
]
BY_HOST = {host.name: host for host in SERVERS}

OUTSIDE = [
    *(f"203.0.113.{n}" for n in (9, 24, 37, 58, 91, 112, 144, 170, 201, 233)),
    *(f"198.51.100.{n}" for n in (7, 33, 66, 89, 128, 155, 190, 219)),
    *(f"192.0.2.{n}" for n in (15, 48, 77, 130, 186, 240)),
]
NAMES = [
    "cdn-sync.example.net",
    "login-portal.example.org",
    "files-share.example.net",
    "update-check.example.org",
    "static-assets.example.net",
    "invoice-center.example.org",
    "meeting-join.example.net",
    "parcel-notice.example.org",
]
ACCOUNTS = ["root", "admin", "oracle", "postgres", "deploy", "ubuntu", "test", "git", "backup", "jenkins"]


def sha256(what: str) -> str:
    """The digest of the made-up file ``what``; always the same."""
    return hashlib.sha256(f"nordhavn {what}".encode()).hexdigest()


def sha1(what: str) -> str:
    """As ``sha256``, in the shorter kind."""
    return hashlib.sha256(f"nordhavn {what}".encode()).hexdigest()[:40]
