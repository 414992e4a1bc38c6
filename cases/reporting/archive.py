"""An incident as a zip: every format, the files of evidence, and a signed manifest (casework.md 16, rulings 14).

    incident.json, timeline.csv, stix.json, misp.json, report.*   what the other formats make of the same document
    evidence/<id>-<name>                                          each file that is kept; sealed: as a zip of its own
    verify.py                                                     checks all of this without Soar
    manifest.json, manifest.sig                                   written last; the signature in hex

Made piece by piece: no file of evidence is ever whole in memory."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cases import evidence_store
from cases.evidence_zip import zipped
from cases.reporting.archive_names import name_of
from cases.signing import active_key, sign

Json = dict[str, Any]
Progress = Callable[[int], None]
PIECE = 256 * 1024
VERIFIER = Path(__file__).with_name("verify.py")
# In the archive under these names; a report that this installation cannot make is left out.
PARTS = (
    ("incident.json", "json"), ("timeline.csv", "csv"), ("stix.json", "stix"), ("misp.json", "misp"),
    ("report.md", "md"), ("report.html", "html"), ("report.pdf", "pdf"),
)  # fmt: skip
CANONICAL = (
    "Each entry of incident.json's timeline bears the SHA-256, in hex, of the UTF-8 text of the JSON array [previous, "
    "id, subject, kind, actor, occurred_at, recorded_at, text, data]: keys sorted, no spaces, nothing but what JSON "
    "requires escaped; previous is the hash of the entry of the same subject before it, null for the first; actor is "
    '{"id", "name", "type"}; times are UTC with six digits of a second and Z. Entries with data.hidden were not told '
    "in full to whoever exported: their hash stands for them. Each chain ends with the hash in chains."
)


def render(document: Json, progress: Progress = lambda _percent: None) -> Iterator[bytes]:
    """The archive with the files of evidence as they are."""
    return _Archive(document, sealed=False).pieces(progress)


def render_sealed(document: Json, progress: Progress = lambda _percent: None) -> Iterator[bytes]:
    """The same with each file of evidence in a zip under the password ``infected``."""
    return _Archive(document, sealed=True).pieces(progress)


class _Spool:
    """What the zip writes, until it is taken. Not seekable: sizes follow behind each file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep it."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        """All since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class _Hashed:
    """A file whose bytes are hashed as they are read: sealed they can be compared with nothing any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        """The next bytes."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


class _Archive:
    """One archive while it is written."""

    def __init__(self, document: Json, *, sealed: bool) -> None:
        self.document, self.sealed = document, sealed
        self.files: dict[str, Json] = {}
        self.missing: list[Json] = []
        self.spool = _Spool()
        self.date = datetime.fromisoformat(document["generated_at"].replace("Z", "+00:00")).astimezone(UTC)

    def pieces(self, progress: Progress) -> Iterator[bytes]:
        """The zip. The manifest comes last: only then is known what was written."""
        with zipfile.ZipFile(self.spool, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (name, body) in enumerate(parts(self.document)):
                yield from self._put(archive, name, body)
                progress(5 + number * 5)
            yield from self._put(archive, "verify.py", [VERIFIER.read_bytes()])
            for number, piece in enumerate(kept := _kept(self.document), 1):
                yield from self._evidence(archive, piece)
                progress(45 + 50 * number // len(kept))
            yield from self._manifest(archive)
        yield self.spool.take()

    def _put(self, archive: zipfile.ZipFile, name: str, body: Iterable[bytes]) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        about = zipfile.ZipInfo(name, self.date.timetuple()[:6])
        about.compress_type = zipfile.ZIP_STORED if name.startswith("evidence/") else zipfile.ZIP_DEFLATED
        about.external_attr = 0o600 << 16
        with archive.open(about, "w", force_zip64=True) as entry:
            for piece in body:
                digest.update(piece)
                size += len(piece)
                entry.write(piece)
                yield self.spool.take()
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def _evidence(self, archive: zipfile.ZipFile, piece: Json) -> Iterator[bytes]:
        """A file of evidence. One that is missing or damaged is told in the manifest instead."""
        file = evidence_store.open_file(piece["sha256"], piece["size"])
        about = {"id": piece["id"], "name": piece["name"], "sha256": piece["sha256"]}
        if file is None:
            self.missing.append(about)
            return
        name = name_of(piece["id"], piece["name"])
        with file:
            read = _Hashed(file)
            body = zipped(name.removeprefix("evidence/"), piece["size"], read) if self.sealed else _read(read)
            stored = f"{name}.zip" if self.sealed else name
            yield from self._put(archive, stored, body)
        self.files[stored]["evidence"] = about
        if read.digest.hexdigest() != piece["sha256"]:
            self.missing.append({**about, "damaged": stored})

    def _manifest(self, archive: zipfile.ZipFile) -> Iterator[bytes]:
        key = active_key()
        body = json.dumps(
            {
                "format": "soar-manifest",
                "version": 1,
                "incident": self.document["incident"]["number"],
                "url": self.document["url"],
                "generated_at": self.document["generated_at"],
                "generated_by": self.document["generated_by"],
                "files": self.files,
                "missing": self.missing,
                "timeline": {
                    "canonicalisation": CANONICAL,
                    "chains": {
                        one["subject"]: {"count": one["count"], "head": one["head"]} for one in self.document["chains"]
                    },
                },
                "key": {"algorithm": "Ed25519", "id": key.key_id, "public_key": key.public_key},
            },
            ensure_ascii=False,
            indent=1,
        ).encode()
        for name, content in (("manifest.json", body), ("manifest.sig", sign(body, key).value.encode())):
            about = zipfile.ZipInfo(name, self.date.timetuple()[:6])
            about.external_attr = 0o600 << 16
            archive.writestr(about, content)
            yield self.spool.take()


def parts(document: Json) -> Iterator[tuple[str, Iterable[bytes]]]:
    """(name, pieces) of what the other formats make of the document."""
    from cases.reporting.formats import FORMATS  # which names this module

    for name, wanted in PARTS:
        if wanted in FORMATS:
            made = FORMATS[wanted].render(document)
            yield name, [made] if isinstance(made, bytes) else made


def _kept(document: Json) -> list[Json]:
    return [one for one in document["evidence"] if not one.get("removed_at")]


def _read(file: _Hashed) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
