"""Which user of the system runs the database: ourselves, or a service user, as PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soar.embedded.errors import EmbeddedError

SERVICE_USER = "soar-pg"


@dataclass(frozen=True)
class Account:
    """``uid`` and ``gid`` of the server; ``other`` is true when that is not who runs this process."""

    uid: int
    gid: int
    other: bool

    def popen(self) -> dict[str, Any]:
        """Arguments that make ``subprocess`` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def own(self, path: Path) -> None:
        """Give ``path`` to this account."""
        if self.other:
            os.chown(path, self.uid, self.gid)

    def enters(self, folder: Path) -> bool:
        """Whether this account may go into ``folder``, asked of the system itself."""
        if not self.other:
            return os.access(folder, os.X_OK)
        asked = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)]
        return subprocess.run(asked, cwd="/", check=False, **self.popen()).returncode == 0


def account() -> Account:
    """The account for the server. As root the user ``soar-pg`` is made when it is missing.

    Raises EmbeddedError when it cannot be made.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _make_user()
        entry = pwd.getpwnam(SERVICE_USER)
    return Account(entry.pw_uid, entry.pw_gid, other=True)


def _make_user() -> None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        raise EmbeddedError(
            "PostgreSQL does not run as root and there is no useradd to make a user for it. "
            f"Make a system user {SERVICE_USER}, start as an ordinary user, or set DATABASE_URL."
        )
    made = subprocess.run(
        [
            program,
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            SERVICE_USER,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode not in (0, 9):  # 9: another process made it meanwhile
        raise EmbeddedError(f"The user {SERVICE_USER} for the database cannot be made: {made.stderr.strip()}")
