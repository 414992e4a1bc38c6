"""Evidence for tests: forms with files as browsers send them, whole and broken; what lies in the store."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from cases.actions import evidence
from cases.actors import Actor
from cases.models import Evidence, Incident

BOUNDARY = "a-boundary-that-is-in-no-file"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
CONTENT = b"From: billing@example.net\r\nSubject: Overdue invoice\r\n\r\nOpen it.\r\n"


def keep(incident: Incident, name: str = "invoice.eml", content: bytes = CONTENT, **about: str) -> Evidence:
    """A piece that Soar itself has added."""
    return evidence.add_bytes(Actor.system(), incident.pk, name, content, **about)


def file(name: str = "invoice.eml", content: bytes = CONTENT) -> SimpleUploadedFile:
    """A file for a form of the test client."""
    return SimpleUploadedFile(name, content)


def part(name: str, content: bytes, *, field: str = "file") -> bytes:
    """A part of a form, with the name written as it is given."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def store() -> Path:
    """The folder of all evidence."""
    return Path(settings.DATA_DIR) / "evidence"


def files() -> list[str]:
    """Hashes of what is kept and names of what is left of uploads."""
    return [path.name for path in everything() if path.is_file()]


def everything() -> Iterator[Path]:
    """All paths below the folder."""
    yield from sorted(store().rglob("*"))


def modes() -> set[tuple[bool, str]]:
    """(is a folder, permissions) of all there is."""
    return {(path.is_dir(), oct(stat.S_IMODE(path.stat().st_mode))) for path in [store(), *everything()]}
