"""Reading all files of evidence again: is each there, as long as it was and with the hash it had?"""

from __future__ import annotations

from dataclasses import dataclass, field

from cases import evidence_store
from cases.models import Evidence, Incident


@dataclass(slots=True)
class Checked:
    """What was read and what is wrong. ``bad``: some evidence is not what it was."""

    pieces: int = 0
    files: int = 0
    size: int = 0
    bad: bool = False
    findings: list[str] = field(default_factory=list)


def check(incident: Incident | None = None) -> Checked:
    """Compare the files of all evidence, or of one incident, with their rows. Each file is read once."""
    report, verdicts = Checked(), dict[str, str]()
    rows = Evidence.objects.kept().order_by("incident", "pk")
    rows = rows if incident is None else rows.filter(incident=incident)
    for piece in rows.iterator(chunk_size=500):
        report.pieces += 1
        if piece.sha256 not in verdicts:
            verdicts[piece.sha256] = _verdict(piece, report)
        if verdicts[piece.sha256]:
            report.bad = True
            where = f"INC-{piece.incident_id}, evidence {piece.pk}, {piece.name}"
            report.findings.append(f"{where}: {verdicts[piece.sha256]}")
    if incident is None:
        _superfluous(report, verdicts)
    return report


def _verdict(piece: Evidence, report: Checked) -> str:
    """What is wrong with the piece's file; "" for nothing."""
    path = evidence_store.path_of(piece.sha256)
    try:
        size = path.stat().st_size
        found = evidence_store.digest_of(path)
    except FileNotFoundError:
        return f"the file {piece.sha256} is missing"
    except OSError as error:
        return f"the file {piece.sha256} cannot be read: {error.strerror}"
    report.files += 1
    report.size += size
    if found != piece.sha256:
        return f"the file was changed: its SHA-256 is {found}, it was {piece.sha256}"
    return ""


def _superfluous(report: Checked, known: dict[str, str]) -> None:
    for sha256 in evidence_store.kept():
        if sha256 not in known:
            report.findings.append(f"{sha256}: no evidence has this file; the scheduler removes it within two hours")
