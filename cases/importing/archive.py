"""The evidence of an archive that Soar made: each file by the name that the manifest gives it, within bounds."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from cases import evidence_store
from cases.errors import Refused
from cases.evidence_store import PIECE, Received
from cases.evidence_upload import checked_name
from cases.importing.plan import EvidencePlan, Plan

MANIFEST_AT_MOST = 20 * 1024 * 1024
BROKEN = (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError, zlib.error)


class Files:
    """An open archive. Use it in a ``with``."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self._names = self._listed()

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_error: object) -> None:
        self._zip.close()

    def find(self, plan: Plan) -> None:
        """Say of each piece of evidence which file of the archive it is, by its hash."""
        for piece in plan.evidence:
            piece.member = self._names.get(piece.sha256, "")

    def received(self, piece: EvidencePlan) -> Received:
        """The file on disk, as an upload. Raises Refused when it is not the one that was exported, NoRoom."""
        try:
            file = evidence_store.received(checked_name(piece.name), self._pieces(piece))
        except BROKEN as error:
            raise Refused(_("It cannot be read from the archive: %(error)s.") % {"error": error}) from error
        if file.sha256 != piece.sha256:
            file.discard()
            raise Refused(_("It is not the file that was exported: its hash is another."))
        return file

    def _pieces(self, piece: EvidencePlan) -> Iterator[bytes]:
        with self._zip.open(piece.member) as file:
            while data := file.read(PIECE):
                yield data

    def _listed(self) -> dict[str, str]:
        """Names of files by the hash of the evidence. A sealed one is not named: its bytes are encrypted."""
        try:
            with self._zip.open("manifest.json") as file:
                told: Any = json.loads(file.read(MANIFEST_AT_MOST))
            rows = told["files"].items()
            return {row["sha256"]: name for name, row in rows if row.get("evidence", {}).get("sha256") == row["sha256"]}
        except (*BROKEN, LookupError, AttributeError, TypeError, RecursionError):
            return {}
