"""Reading what others wrote: files within bounds, and values of any sort as what they are meant to be."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from cases.errors import Refused
from cases.importing.plan import EntryPlan, Json, Plan, Report
from cases.ingest.text import clean_json
from soar.lib import clock
from soar.lib.clock import moment_of
from soar.lib.hidden import shown

BYTES_AT_MOST = 100 * 1024 * 1024
TAG_AT_MOST, TAGS_AT_MOST = 100, 50
TECHNIQUE = re.compile(r"(?<![A-Z0-9])T\d{4}(\.\d{3})?(?!\d)")
FIRST, LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NUMBER = re.compile(r"-?[0-9]+")
INCIDENT = "incident.json"  # of an archive that Soar made


def content_of(path: Path) -> bytes:
    """The JSON of a file, or of the archive that it is. Raises Refused in words for what is none, or too large."""
    try:
        if zipfile.is_zipfile(path):
            return _member(path)
        if path.stat().st_size > BYTES_AT_MOST:
            raise _too_large(path.name)
        return path.read_bytes()
    except OSError as error:
        raise Refused(
            _("%(path)s cannot be read: %(strerror)s.") % {"path": path, "strerror": error.strerror or error}
        ) from error


def parsed(body: bytes) -> Any:
    """The JSON, with signs for characters that cannot be stored. Raises Refused that says where it is broken."""
    try:
        return clean_json(json.loads(body.decode("utf-8-sig"), parse_constant=_no_number))[0]
    except UnicodeDecodeError as error:
        raise Refused(_("The file is not UTF-8: byte %(start)s is none.") % {"start": error.start}) from error
    except RecursionError as error:
        raise Refused(_("The file is nested too deeply.")) from error
    except ValueError as error:
        raise Refused(_("The file is no JSON: %(error)s.") % {"error": error}) from error


def _member(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if INCIDENT not in archive.namelist():
                raise Refused(
                    _("%(name)s is a zip without %(incident)s: give the JSON itself.")
                    % {"name": path.name, "incident": INCIDENT}
                )
            if archive.getinfo(INCIDENT).flag_bits & 1:
                raise Refused(_("%(name)s is encrypted: unpack it first.") % {"name": path.name})
            with archive.open(INCIDENT) as file:
                body = file.read(BYTES_AT_MOST + 1)  # what the zip says of its size is only said
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError) as error:
        raise Refused(_("%(name)s is a damaged zip: %(error)s.") % {"name": path.name, "error": error}) from error
    if len(body) > BYTES_AT_MOST:
        raise _too_large(path.name)
    return body


def _too_large(name: str) -> Refused:
    return Refused(
        _("%(name)s is larger than %(bytes_at_most)s MiB, which is more than a case has.")
        % {"name": name, "bytes_at_most": BYTES_AT_MOST // 1024 // 1024}
    )


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


class Reader:
    """Takes values of a case, and tells the report what they lost."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.remarks: list[str] = []  # on observables, which have none of their own here

    def text(self, value: Any, what: str, most: int = 50_000) -> str:
        """One text: without what cannot be stored, signs for what cannot be seen, cut at ``most``."""
        if value is None:
            return ""
        if not isinstance(value, str):
            value = str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
        text = shown(value.replace("\x00", "").encode("utf-8", "replace").decode().strip())
        if len(text) > most:
            self.report.change(what, f"cut at {most:,} of {len(text):,} characters")
            return text[: most - 1] + "…"
        return text

    def line(self, value: Any, what: str, most: int) -> str:
        """A text of one line."""
        return " ".join(self.text(value, what, most).split())

    def moment(self, value: Any, what: str) -> datetime | None:
        """Milliseconds since 1970, or ISO 8601, without a zone UTC. None for none, and for what is no moment."""
        if value in (None, "", 0):
            return None
        found = _of_number(value) if isinstance(value, int | float) else _of_text(str(value)[:40])
        if found is None or not FIRST <= found <= LAST:
            self.report.leave(what, f"{str(value)[:40]} is no time")
            return None
        return found

    def items(self, value: Any, what: str) -> Iterator[Json]:
        """The objects of a list; what is none is told."""
        if value is None:
            return
        if not isinstance(value, list):
            self.report.leave(what, "is no list")
            return
        for number, one in enumerate(value, 1):
            if isinstance(one, dict):
                yield one
            else:
                self.report.leave(f"{what} {number}", "is no object")

    def tags(self, value: Any) -> list[str]:
        """Tags as Soar has them: lower case, each once."""
        given = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        found = [self.line(one, "a tag", TAG_AT_MOST).lower() for one in given if isinstance(one, str)]
        unique = list(dict.fromkeys(tag for tag in found if tag))
        for tag in unique[TAGS_AT_MOST:]:
            self.report.leave(f"tag {tag}", f"an incident has at most {TAGS_AT_MOST}")
        return unique[:TAGS_AT_MOST]


def remarks(plan: Plan, read: Reader) -> list[EntryPlan]:
    """The remarks on observables as one note; what goes beyond a note's length is told."""
    if not read.remarks:
        return []
    read.report.change("remarks on observables", "one note")
    words = read.text("Remarks on observables:\n\n" + "\n\n".join(read.remarks), "remarks on observables")
    return [EntryPlan(plan.created_at or clock.now(), plan.product, "remarks on observables", words, note=True)]


def techniques_in(texts: Iterable[Any]) -> list[str]:
    """The ATT&CK ids among tags and the like, each once, in order."""
    found = [match[0] for text in texts if isinstance(text, str) for match in TECHNIQUE.finditer(text.upper())]
    return list(dict.fromkeys(found))


def _of_number(value: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _of_text(text: str) -> datetime | None:
    if NUMBER.fullmatch(text):
        return _of_number(int(text))
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
    except ValueError:
        return moment_of(text)
