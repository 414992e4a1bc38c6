"""Every change of an incident's evidence (casework.md 12). The incident's row lock guards all its pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import evidence_store, timeline
from cases.actions.base import text_of
from cases.actions.evidence_access import check_fresh, check_kept, check_open, evidence_for, open_incident_for
from cases.actors import Actor
from cases.choices import Tlp
from cases.errors import Conflict, Refused
from cases.evidence_store import Received
from cases.evidence_types import type_of
from cases.evidence_upload import checked_name
from cases.holds import check_incidents
from cases.models import Evidence, Incident
from cases.models.evidence import EVIDENCE_AT_MOST
from soar.lib import clock
from soar.lib.queue import enqueue

DESCRIPTION_AT_MOST, REASON_AT_MOST = 10_000, 1_000
SWEEP = "cases.tasks.drop_evidence_file"


@transaction.atomic
def add(
    actor: Actor,
    incident_id: int | str,
    files: list[Received],
    *,
    description: str = "",
    tlp: str = "",
) -> list[Evidence]:
    """Keep received files as evidence, all or none. ``tlp`` empty: the incident's.

    Raises Conflict for bytes that the incident has already and for one that has ended, Refused beside the field that
    is wrong, NoRoom, Missing, Forbidden. What was not taken, the caller discards."""
    incident = open_incident_for(actor, incident_id, lock=True)
    about = {"description": _description(description), "tlp": _tlp(tlp) if tlp else incident.tlp}
    have = Evidence.objects.filter(incident=incident).count()
    if have + len(files) > EVIDENCE_AT_MOST:
        raise Refused(
            _("An incident has at most %(evidence_at_most)s pieces of evidence.")
            % {"evidence_at_most": EVIDENCE_AT_MOST},
            field="file",
        )
    # In the order of their hashes: two forms with the same files wait for each other, not both for ever.
    made = {
        file.sha256: keep_received(actor, incident, file, about) for file in sorted(files, key=lambda one: one.sha256)
    }
    return [made[file.sha256] for file in files]


def add_bytes(actor: Actor, incident_id: int | str, name: str, content: bytes, **about: Any) -> Evidence:
    """Keep what a program has in memory, as ``add`` does."""
    file = evidence_store.received(checked_name(name), iter([content]))
    try:
        return add(actor, incident_id, [file], **about)[0]
    finally:
        file.discard()


@transaction.atomic
def update(actor: Actor, evidence_id: int, *, changes: dict[str, Any], expected_version: int | None = None) -> Evidence:
    """Several fields at once: name, description, tlp. Raises Refused beside the field that is wrong, Stale, Conflict,
    Missing, Forbidden."""
    piece = _working_on(actor, evidence_id, expected_version, level="edit")
    values = {name: _checked(name, value) for name, value in changes.items()}
    changed = [name for name, value in values.items() if _set(piece, actor, name, value)]
    if changed:
        _save(piece, *changed)
    return piece


@transaction.atomic
def remove(actor: Actor, evidence_id: int, *, reason: str = "", expected_version: int | None = None) -> Evidence:
    """Take a piece away. Its row stays with hashes and who; its bytes go once nothing else has the same.

    Whoever brought it may with the level *edit*, others need *delete*. Raises as ``update`` does."""
    brought = actor.user is not None and Evidence.objects.filter(pk=evidence_id, added_by=actor.user).exists()
    piece = _working_on(actor, evidence_id, expected_version, level="edit" if brought else "delete")
    check_incidents([piece.incident_id])
    why = text_of(reason, "reason", most=REASON_AT_MOST, required=False)
    _tell("evidence.removed", piece, actor, text=why, sha256=piece.sha256, size=piece.size)
    piece.removed_at, piece.removed_by_name, piece.remove_reason = clock.now(), actor.name[:200], why
    _save(piece, "removed_at", "removed_by_name", "remove_reason")
    enqueue(SWEEP, piece.sha256)
    return piece


@transaction.atomic
def drop_file(sha256: str) -> bool:
    """Delete the bytes with this hash if no piece has them any longer. Returns whether there were any."""
    evidence_store.lock(sha256)
    if Evidence.objects.kept().filter(sha256=sha256).exists():
        return False
    return evidence_store.remove(sha256)


def sweep(older: float = 3600) -> int:
    """Delete what crashes have left: uploads that broke off, and files whose row was never committed.

    Only what is older than ``older`` seconds, so nothing that is just being written. Returns how many."""
    number = evidence_store.sweep_incoming(older)
    old = [sha256 for sha256 in evidence_store.kept() if evidence_store.age(sha256) >= older]
    needed = set(Evidence.objects.kept().values_list("sha256", flat=True))
    return number + sum(drop_file(sha256) for sha256 in old if sha256 not in needed)


def keep_received(actor: Actor, incident: Incident, file: Received, about: dict[str, str]) -> Evidence:
    """One file as evidence of a locked incident, in the caller's transaction; ``about``: description and tlp.

    Raises Conflict for bytes that the incident has already, and NoRoom."""
    same = Evidence.objects.kept().filter(incident=incident, sha256=file.sha256).first()
    if same is not None:
        told = _("%(name)s is here already: the same bytes as %(same_name)s, added by %(added_by_name)s.") % {
            "name": file.name,
            "same_name": same.name,
            "added_by_name": same.added_by_name,
        }
        raise Conflict(told, field="file", code="duplicate", url=f"/evidence/{same.pk}/")
    now = clock.now()
    piece = Evidence.objects.create(
        incident=incident, name=file.name, size=file.size, content_type=type_of(file.head),
        md5=file.md5, sha1=file.sha1, sha256=file.sha256, **about,
        added_by=actor.user, added_by_name=actor.name[:200], added_at=now, updated_at=now,
    )  # fmt: skip
    _tell("evidence.added", piece, actor, size=piece.size, sha256=piece.sha256, tlp=piece.tlp)
    # Last, under its lock: whoever removes the same bytes elsewhere waits for this row.
    evidence_store.lock(file.sha256)
    evidence_store.place(file)
    return piece


def _working_on(actor: Actor, evidence_id: int, expected: int | None, *, level: str) -> Evidence:
    piece = evidence_for(actor, evidence_id, level=level, lock=True)
    check_kept(piece)
    check_open(piece.incident)
    check_fresh(piece, expected)
    return piece


def _set(piece: Evidence, actor: Actor, field: str, new: str) -> bool:
    old = getattr(piece, field)
    if old == new:
        return False
    _tell("evidence.changed", piece, actor, field=field, old=old, new=new)
    setattr(piece, field, new)
    return True


def _save(piece: Evidence, *fields: str) -> None:
    piece.version += 1
    piece.updated_at = clock.now()
    piece.save(update_fields=[*fields, "version", "updated_at"])


def _tell(kind: str, piece: Evidence, actor: Actor, *, text: str = "", **more: Any) -> None:
    # The incident counts as changed, but its version stays: a file makes nobody's form of the incident stale.
    data = {"id": piece.pk, "name": piece.name, **more}
    timeline.record(kind, piece.incident, actor, text=text, data=data, touch=True)


def _checked(field: str, value: Any) -> str:
    if field not in _CHECKS:
        raise Refused(
            _("%(field)s cannot be set. These can: %(checks)s.")
            % {"field": f"{field!s:.40}", "checks": ", ".join(_CHECKS)},
            field=str(field)[:40],
        )
    return _CHECKS[field](value)


def _name(value: Any) -> str:
    try:
        return checked_name(text_of(value, "name", required=False))
    except Refused as error:
        raise Refused(error.message, field="name") from error


def _description(value: Any) -> str:
    return text_of(value, "description", most=DESCRIPTION_AT_MOST, required=False)


def _tlp(value: Any) -> str:
    if value not in Tlp.values:
        raise Refused(_("Must be one of: %(values)s.") % {"values": ", ".join(Tlp.values)}, field="tlp")
    return str(value)


_CHECKS: dict[str, Callable[[Any], str]] = {"name": _name, "description": _description, "tlp": _tlp}
