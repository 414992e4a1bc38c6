"""OpenLDAP's server on loopback ports, with accounts as Active Directory describes them: no code of ours in it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ldap3

PROGRAM = shutil.which("slapd") or "/usr/sbin/slapd"
SCHEMAS = Path("/etc/ldap/schema")
BASE = "dc=corp,dc=example"
ROOT, PASSWORD = f"cn=soar,{BASE}", "to-manage-accounts"
TEXT, NUMBER, LARGE = "1.3.6.1.4.1.1466.115.121.1.15", "1.3.6.1.4.1.1466.115.121.1.27", "1.3.6.1.4.1.1466.115.121.1.36"
ATTRIBUTES = (
    ("1.2.840.113556.1.4.221", "sAMAccountName", "caseIgnoreMatch", TEXT),
    ("1.2.840.113556.1.4.656", "userPrincipalName", "caseIgnoreMatch", TEXT),
    ("1.2.840.113556.1.4.8", "userAccountControl", "integerMatch", NUMBER),
    ("1.2.840.113556.1.4.662", "lockoutTime", "integerMatch", NUMBER),
    ("1.2.840.113556.1.4.96", "pwdLastSet", "integerMatch", NUMBER),
    ("1.2.840.113556.1.4.868", "isCriticalSystemObject", "booleanMatch", "1.3.6.1.4.1.1466.115.121.1.7"),
)
SCHEMA = "".join(
    f"attributetype ( {oid} NAME '{name}' EQUALITY {rule} SYNTAX {syntax} SINGLE-VALUE )\n"
    for oid, name, rule, syntax in ATTRIBUTES
) + (
    "objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY ( "
    + " $ ".join(name for _oid, name, _rule, _syntax in ATTRIBUTES)
    + " ) )\nobjectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP user STRUCTURAL )\n"
)
CONFIG = """
include {schemas}/core.schema
include {folder}/accounts.schema
pidfile {folder}/slapd.pid
TLSCertificateFile {pair}
TLSCertificateKeyFile {pair}
{strict}
database ldif
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
access to attrs=userAccountControl by dn.exact="cn=helper,{base}" none by * read
access to * by anonymous auth by * read
"""


@dataclass
class Slapd:
    """A server that runs; ``plain`` and ``tls`` are its ports."""

    plain: int
    tls: int

    def manager(self) -> ldap3.Connection:
        """A connection of whoever may do anything."""
        server = ldap3.Server("127.0.0.1", self.plain, get_info=ldap3.NONE)
        return ldap3.Connection(server, ROOT, PASSWORD, auto_bind=True, check_names=False)

    def value(self, login: str, attribute: str) -> str:
        """An attribute of an account as it is now."""
        with self.manager() as connection:
            connection.search(BASE, f"(sAMAccountName={login})", attributes=[attribute])
            return str(connection.response[0]["raw_attributes"][attribute][0].decode())


@contextmanager
def running(folder: Path, pair: Path, *, strict: bool = False) -> Iterator[Slapd]:
    """Start it. ``strict``: a password that comes unencrypted is refused."""
    here = Slapd(_free(), _free())
    (folder / "data").mkdir()
    (folder / "accounts.schema").write_text(SCHEMA)
    rule = "security simple_bind=128\n" if strict else ""
    names = {"schemas": SCHEMAS, "folder": folder, "pair": pair, "strict": rule}
    (folder / "slapd.conf").write_text(CONFIG.format(base=BASE, root=ROOT, password=PASSWORD, **names))
    seed = folder / "seed.ldif"
    seed.write_text(_seed())
    subprocess.run([PROGRAM, "-T", "add", "-f", folder / "slapd.conf", "-l", seed], check=True, capture_output=True)
    urls = f"ldap://127.0.0.1:{here.plain}/ ldaps://127.0.0.1:{here.tls}/"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "-d", "0", "-f", folder / "slapd.conf", "-h", urls], stdout=log, stderr=log
        )
        try:
            _wait(process, here.tls, folder / "log")
            yield here
        finally:
            process.terminate()
            process.wait()


def _seed() -> str:
    people = [("a.voss", 512, ""), ("j.berg", 514, ""), ("odd*(name)", 512, ""), ("krbtgt", 514, "TRUE")]
    entries = [f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: corp\no: corp\n"]
    entries += [
        f"dn: cn={login},{BASE}\nobjectClass: user\ncn: {login}\nsn: {login}\nsAMAccountName: {login}\n"
        f"userPrincipalName: {login}@corp.example\nuserAccountControl: {control}\npwdLastSet: 133700000000000000\n"
        f"lockoutTime: 133711111111111111\n{f'isCriticalSystemObject: {critical}' if critical else ''}"
        for login, control, critical in people
    ]
    helper = f"dn: cn=helper,{BASE}\nobjectClass: person\ncn: helper\nsn: helper\nuserPassword: helper\n"
    return "\n\n".join([*(one.strip() for one in entries), helper])


def _free() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it takes connections; the operating system lets us wait without a clock of ours."""
    while process.poll() is None:
        with socket.socket() as made:
            if made.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise RuntimeError(f"slapd ended: {log.read_text()}")
