"""Mail messages of alerts as evidence of the incident that the alert is linked to (casework.md 12)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

from django.db import transaction

from cases import evidence_store
from cases.actions.evidence import keep_received
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import CaseError, Conflict, Refused
from cases.evidence_store import Received
from cases.evidence_upload import checked_name
from cases.ingest.mail.files import files_of
from cases.kept_messages import name_of
from cases.models import Alert, AlertMessage, Evidence, Incident
from cases.models.evidence import EVIDENCE_AT_MOST
from soar.lib.clock import iso
from soar.lib.readers import Reader

reader = Reader(name="messages", kinds=frozenset({"alert.linked"}), task="cases.actions.messages.adopt_linked")
logger = logging.getLogger(__name__)
FILES_AT_MOST = 50  # of one message
UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]+")


class Piece(NamedTuple):
    """A file to be evidence, and what is told of where it is from."""

    name: str
    content: bytes
    about: str


def adopt_linked(*entry_ids: int) -> None:
    """Adopt the messages of the alerts that these entries of timelines link. Twice changes nothing."""
    rows = AlertMessage.objects.filter(alert__timeline__in=entry_ids)
    for alert in sorted(set(rows.values_list("alert", flat=True))):
        adopt(alert)


def adopt(alert_id: int) -> int:
    """Keep the messages of an alert, and the files in them, as evidence of its incident. Returns how many were new.

    Each piece is a transaction of its own. What is there already, by its bytes, is passed over, so that doing it again
    changes nothing; an incident that has ended stays as it is."""
    alert = Alert.objects.select_related("source").filter(pk=alert_id, incident__isnull=False).first()
    if alert is None:
        return 0
    return sum(
        _adopted(alert, piece) for message in alert.messages.iterator(chunk_size=1) for piece in _pieces(alert, message)
    )


def _pieces(alert: Alert, message: AlertMessage) -> Iterator[Piece]:
    """The message itself, then its files."""
    came = f"{alert.number}, received {iso(message.received_at)} by the source {alert.source.name}"
    yield Piece(name_of(alert, message), bytes(message.content), f"The message of {came}.")
    for name, content in files_of(bytes(message.content), FILES_AT_MOST):
        about = f"Attached to the message {message.sha256} of {came}."
        yield Piece(UNFIT.sub("_", name).strip() or "attachment", content, about)


def _adopted(alert: Alert, piece: Piece) -> bool:
    """Whether the piece is evidence now that was not before. What cannot be is told in the log, and stops no other."""
    try:
        file = evidence_store.received(_fit_name(piece.name), iter([piece.content]))
    except Refused as error:
        logger.warning("%s: %s", alert.number, error.message)
        return False
    try:
        return _keep(alert, file, piece.about)
    except Conflict:
        return False
    except CaseError as error:
        logger.warning("%s of %s is no evidence: %s", piece.name, alert.number, error.message)
        return False
    finally:
        file.discard()


@transaction.atomic
def _keep(alert: Alert, file: Received, about: str) -> bool:
    incident = Incident.objects.select_for_update().filter(alerts=alert.pk).first()
    if incident is None or not IncidentStatus(incident.status).is_open:
        return False
    # Also what somebody has taken away since: it does not come back by itself.
    if Evidence.objects.filter(incident=incident, sha256=file.sha256).exists():
        return False
    if Evidence.objects.filter(incident=incident).count() >= EVIDENCE_AT_MOST:
        return False
    actor = Actor.source(alert.source.name, alert.source_id)
    keep_received(actor, incident, file, {"description": about, "tlp": incident.tlp})
    return True


def _fit_name(name: str) -> str:
    try:
        return checked_name(name)
    except Refused:
        return "attachment"
