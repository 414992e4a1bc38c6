"""The folders of the embedded database, private to it, without touching the rights of any folder above them."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from soar.embedded.account import Account
from soar.embedded.errors import EmbeddedError

# Used when the service user cannot come into the data folder, such as one under /root.
REACHABLE = Path("/var/lib/soar")


@dataclass(frozen=True)
class Folders:
    """``cluster`` holds data and log, ``socket`` the server's socket; both with links resolved."""

    cluster: Path
    socket: Path


def prepare(data: Path, socket: Path, who: Account) -> Folders:
    """Make what is missing under ``data``; ``socket`` may lie outside of it. Raises EmbeddedError if it is not ours."""
    make_data_folder(data, who)
    reachable = who.enters(data)
    cluster = _private(data / "postgres", who, reachable)
    return Folders(cluster, _private(socket, who, reachable or socket.parent != data))


def make_data_folder(data: Path, who: Account) -> None:
    """The data folder itself: 0700, or as root 0710 with the service user's group, which may only pass through."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = data.stat()
    if who.other and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700:
        os.chown(data, os.geteuid(), who.gid)
        data.chmod(0o710)


def _private(path: Path, who: Account, reachable: bool) -> Path:
    """``path`` as a folder of mode 0700 that belongs to ``who``; elsewhere, and linked, if it cannot be reached."""
    if path.is_symlink() and path.parent.stat().st_uid == os.geteuid() and path.exists():
        return path.resolve()
    if not reachable:
        path.unlink(missing_ok=True)
        return _elsewhere(path, who)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        who.own(path)
    _check(path, who)
    return path.resolve()


def _check(path: Path, who: Account) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != who.uid:
        raise EmbeddedError(f"{path} is not a folder of the database's user; move it away and start again.")
    if stat.S_IMODE(status.st_mode) != 0o700:
        path.chmod(0o700)


def _elsewhere(path: Path, who: Account) -> Path:
    """A new folder that the service user reaches, with a link to it at ``path``."""
    REACHABLE.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not who.enters(REACHABLE):
        raise EmbeddedError(
            f"The database's user can reach neither {path.parent} nor {REACHABLE}. "
            "Set SOAR_DATA to a folder that other users can pass into, or start as an ordinary user."
        )
    target = Path(tempfile.mkdtemp(prefix=f"{path.name}-", dir=REACHABLE))
    who.own(target)
    path.symlink_to(target)
    return target
