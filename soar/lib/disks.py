"""The disks that the portal writes to, as this machine sees them, and how much of them is free (operations.md 7, 8)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from soar.lib import room

MIB = 1024 * 1024
FULL = 32 * MIB  # two segments of PostgreSQL's log
DATA, EVIDENCE, DATABASE = "data", "evidence", "database"


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system, what of the portal lies on it, and its bytes: free for the portal, and all."""

    places: tuple[str, ...]
    free: int
    size: int

    @property
    def used(self) -> int:
        """Bytes that the portal cannot have."""
        return self.size - self.free

    @property
    def full(self) -> bool:
        """There is hardly any room left."""
        return self.free < FULL

    @property
    def low(self) -> bool:
        """Less is free than ``SOAR_DISK_LOW_MB``."""
        return self.free < limit()

    @property
    def words(self) -> str:
        """What lies on it: "data folder, database"."""
        return words_of(self.places)


def limit() -> int:
    """Bytes below which people are warned; 0 never."""
    return int(settings.DISK_LOW_MB) * MIB


def words_of(places: Iterable[str]) -> str:
    """These places in words."""
    words = {DATA: _("data folder"), EVIDENCE: _("evidence"), DATABASE: _("database")}
    return ", ".join(words.get(one, one) for one in places)


def disks() -> list[Disk]:
    """Each once, with all that lies on it. What is not seen from here is left out, as the database of another host."""
    found: dict[int, Disk] = {}
    for place, folder in _folders().items():
        try:
            device, told = os.stat(folder).st_dev, os.statvfs(folder)
        except OSError:
            continue
        if told.f_blocks:  # some file systems of a network tell nothing
            before = found[device].places if device in found else ()
            found[device] = Disk((*before, place), told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize)
    return list(found.values())


def full() -> bool:
    """Whether a write of this process failed lately for want of room, or one of the disks has hardly any left."""
    return room.failed_lately() or any(one.full for one in disks())


def warnings() -> list[str]:
    """For programs that ask after the portal's health: what may soon be a trouble, in words that give nothing away."""
    return ["A disk is nearly full."] if any(one.low for one in disks()) else []


def _folders() -> dict[str, Path]:
    data = Path(settings.DATA_DIR)
    found = {DATA: data, EVIDENCE: data / "evidence"}
    if settings.EMBEDDED:
        found[DATABASE] = data / "postgres"
    elif settings.DATABASE_FOLDER:
        found[DATABASE] = Path(settings.DATABASE_FOLDER)
    return found
