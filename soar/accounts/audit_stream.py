"""The audit log as a stream: to a file as JSON lines, to syslog, or both (``SOAR_AUDIT_FILE``, ``SOAR_AUDIT_SYSLOG``).

The database notes each new entry as unsent for each receiver (AuditStream, AuditUnsent); a worker sends what is noted
and strikes it out afterwards. So nothing is lost while a receiver is away or a worker dies; what was sent just before
may come twice, with the same ``id``. A receiver that is new gets the whole log first."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from soar.accounts import audit_export, syslog
from soar.accounts.models import AuditEntry, AuditStream, AuditUnsent
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "soar.accounts.audit_stream.send"
LOCK = 5_021_975  # any number, the same on every host
FILE, SYSLOG = "file", "syslog"
BATCH = 500
BATCHES = 200  # of one task: then it makes room for others and is rung for again
# Beyond the lock's wait nobody who writes into the log is held up.
SEED = """
LOCK TABLE accounts_auditentry IN SHARE MODE;
INSERT INTO accounts_auditstream (name) VALUES (%s) ON CONFLICT DO NOTHING;
INSERT INTO accounts_auditunsent (stream_id, entry_id)
SELECT s.id, e.id FROM accounts_auditstream s, accounts_auditentry e WHERE s.name = %s ON CONFLICT DO NOTHING
"""


def ring() -> None:
    """Queue what there is to be sent, and know new receivers. Scheduled every few seconds."""
    wanted = {FILE: bool(settings.AUDIT_FILE), SYSLOG: bool(settings.AUDIT_SYSLOG)}
    known = set(AuditStream.objects.values_list("name", flat=True))
    for name in known - {name for name, on in wanted.items() if on}:
        AuditStream.objects.filter(name=name).delete()
    for name, on in wanted.items():
        if on and name not in known:
            _begin(name)
        if on and AuditUnsent.objects.filter(stream__name=name).exists():
            enqueue(TASK, name)


def send(name: str) -> None:
    """Send what is unsent to one receiver, oldest first. One worker at a time; another finds the receiver taken.

    The sending stands in no transaction; the lock is the connection's own, so it ends with a worker that dies."""
    stream = AuditStream.objects.filter(name=name).first()
    if stream is None or name not in _receivers():
        return
    with _taken(stream) as ours:
        for _number in range(BATCHES if ours else 0):
            if not _send_batch(stream):
                return
    if ours:
        enqueue(TASK, name)


@contextmanager
def _taken(stream: AuditStream) -> Iterator[bool]:
    """Whether nobody else sends to this receiver now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, stream.pk])
        ours = bool(cursor.fetchone()[0])
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, stream.pk])


def _begin(name: str) -> None:
    """Note everything that is in the log for a new receiver. Entries that are being written are waited for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute(SEED, [name, name])


def _send_batch(stream: AuditStream) -> bool:
    """Send some; whether there may be more. What the receiver did not take stays noted."""
    noted = list(AuditUnsent.objects.filter(stream=stream).order_by("entry_id")[:BATCH].values_list("pk", "entry_id"))
    if not noted:
        return False
    entries = AuditEntry.objects.filter(pk__in=[entry for _pk, entry in noted]).order_by("pk")
    try:
        _receivers()[stream.name](list(entries))
    except (OSError, syslog.BadAddress) as error:
        _note_failure(stream, error)
        return False
    AuditUnsent.objects.filter(pk__in=[pk for pk, _entry in noted]).delete()
    AuditStream.objects.filter(pk=stream.pk).update(sent_at=Now(), failing_since=None, error="")
    return len(noted) == BATCH


def _note_failure(stream: AuditStream, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:500]
    if stream.failing_since is None:
        logger.warning("The audit log cannot be sent to %s: %s", stream.name, text)
        AuditStream.objects.filter(pk=stream.pk).update(failing_since=Now(), error=text)
    elif stream.error != text:
        AuditStream.objects.filter(pk=stream.pk).update(error=text)


def _receivers() -> dict[str, Callable[[Sequence[AuditEntry]], None]]:
    found: dict[str, Callable[[Sequence[AuditEntry]], None]] = {}
    if settings.AUDIT_FILE:
        found[FILE] = _to_file
    if settings.AUDIT_SYSLOG:
        found[SYSLOG] = _to_syslog
    return found


def _to_file(entries: Sequence[AuditEntry]) -> None:
    """Append, and wait for the disk. Nobody but the portal's user may read a file that is made here; one that another
    program has moved away is begun anew."""
    lines = "".join(f"{audit_export.line(entry)}\n" for entry in entries).encode()
    handle = os.open(settings.AUDIT_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(handle, "ab") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())


def _to_syslog(entries: Sequence[AuditEntry]) -> None:
    to, host = syslog.receiver_of(settings.AUDIT_SYSLOG, settings.AUDIT_SYSLOG_CA), socket.gethostname()
    made = [syslog.message(entry.at, host, entry.verb, audit_export.line(entry)) for entry in entries]
    syslog.send(to, made)
