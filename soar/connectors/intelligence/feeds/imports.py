"""Files into feeds, as jobs: asked for by a person, done by a worker, taken over by another when that one is killed.

The row is the truth and the queue a doorbell: whoever works on it holds its lease, and the entries change together
with the row's end. A file that was read halfway is read again from its beginning; nothing of it was saved."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.errors import Refused
from soar.connectors.intelligence.feeds import files
from soar.connectors.intelligence.feeds.connector import FeedConnector
from soar.connectors.intelligence.feeds.rows import Place
from soar.connectors.intelligence.feeds.staging import Counts, stage
from soar.connectors.intelligence.feeds.store import replace
from soar.connectors.models import ConnectorAccount, FeedImport, FeedState
from soar.lib.database import AWAY
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "soar.connectors.intelligence.feeds.imports.work"
OPEN = ("queued", "in_progress")
MOST_STARTS = 3  # a file that took so many workers down is not given to another
LEAST_LEASE = 15  # seconds: progress is told about every second
KEPT = 20  # imports of a feed that are remembered
ORPHAN = 3600  # seconds after which a file that no import knows is deleted


class _Lost(Exception):
    """Another worker has it, or it is over."""


def request(actor: User | None, account: ConnectorAccount, file: str, size: int, name: str) -> FeedImport:
    """Queue the import of a kept file. Raises Refused while another file of the feed is under way.

    The caller has checked that ``actor`` may, and deletes the file when this is refused."""
    try:
        with transaction.atomic():
            row = FeedImport(account=account, file=file, size=size, name=name[:200], requested_by=actor)
            row.save()
            audit.record(actor, "feed.import_requested", f"feed {account.name}", file=row.name, size=size)
            enqueue(TASK, row.pk)
    except IntegrityError as error:
        if "feedimport_one_open" not in str(error):
            raise
        raise Refused(
            {"file": _("Another file for %(name)s is being imported. Wait until it is done.") % {"name": account.name}}
        ) from None
    return row


def work(import_id: int) -> None:
    """Import the file. For a worker; may be called at any time and by several at once."""
    row = _claim(import_id)
    if row is None:
        return
    try:
        if row.starts > MOST_STARTS:
            raise ValueError(f"Its worker stopped in the middle {MOST_STARTS} times. The feed keeps its old values.")
        _import(row)
    except _Lost:
        return
    except AWAY:
        raise  # the queue tries again
    except (ValueError, OSError) as error:
        _fail(row, str(error) if isinstance(error, ValueError) else _gone(error), getattr(error, "line", None))
    except Exception as error:
        logger.exception("Import %s failed", import_id)
        _fail(row, f"It failed: {type(error).__name__}.", None)


def sweep() -> None:
    """Ring for imports whose worker fell silent or whose doorbell got lost; delete files that nobody knows."""
    silent = Q(lease_until__lt=Now()) | Q(lease_until=None, created_at__lt=Now() - timedelta(seconds=30))
    for pk in FeedImport.objects.filter(silent, status__in=OPEN).values_list("pk", flat=True)[:20]:
        enqueue(TASK, pk)
    files.sweep(set(FeedImport.objects.exclude(file="").values_list("file", flat=True)), ORPHAN)


def _claim(import_id: int) -> FeedImport | None:
    """The row for this worker alone, None if it is over or somebody works on it."""
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        rows = FeedImport.objects.select_for_update(skip_locked=True, of=("self",)).filter(free, status__in=OPEN)
        row = rows.filter(pk=import_id).first()
        if row is None:
            return None
        owner = uuid.uuid4().hex
        begun = {"started_at": Now()} if row.started_at is None else {}
        FeedImport.objects.filter(pk=row.pk).update(
            status="in_progress", stage="reading", lease_owner=owner, lease_until=_until(), starts=F("starts") + 1,
            read_bytes=0, read_lines=0, taken_count=0, skipped_count=0, problems=[], **begun,
        )  # fmt: skip
    return FeedImport.objects.select_related("account", "requested_by").get(pk=row.pk)


def _import(row: FeedImport) -> None:
    place = Place()
    with files.scratch() as staged:
        body = files.path_of(row.file).read_bytes()
        rows = FeedConnector(row.account).rows(body, place)
        effect = row.account.settings["effect"]
        counts = stage(rows, effect, staged, place=place, tell=lambda at, found: _tell(row, at, found))
        _tell(row, place, counts, stage="saving")
        _swap(row, place, counts, staged)
    files.remove(row.file)


def _tell(row: FeedImport, place: Place, counts: Counts, stage: str = "reading") -> None:
    """Show how far it is and hold on to it. Raises _Lost."""
    if not _held(row).update(stage=stage, lease_until=_until(), **_figures(row, place, counts)):
        raise _Lost


def _swap(row: FeedImport, place: Place, counts: Counts, staged: Any) -> None:
    """The new entries, the end of the import and its audit line, or nothing of them. Raises _Lost."""
    FeedState.objects.get_or_create(account=row.account)
    with transaction.atomic():
        # Held until the commit: a lease that runs out meanwhile gives the import to nobody else.
        if _held(row).select_for_update().first() is None:
            raise _Lost
        result = replace(row.account_id, staged, counts)
        _end(row, "successful", **_figures(row, place, counts) | {"read_bytes": row.size})
        told = {"file": row.name, "entries": result["entry_count"], "skipped": counts.skipped}
        audit.record(row.requested_by, "feed.imported", f"feed {row.account.name}", **told)


def _fail(row: FeedImport, text: str, line: int | None) -> None:
    """Write why; the feed keeps its entries."""
    logger.warning("Import %s of %s failed: %s", row.pk, row.account.name, text)
    with transaction.atomic():
        if not _end(row, "unsuccessful", error=text[:1000], error_line=line):
            return
        told = {"file": row.name, "error": text[:300]}
        audit.record(row.requested_by, "feed.import_failed", f"feed {row.account.name}", **told)
    files.remove(row.file)


def _end(row: FeedImport, status: str, **values: Any) -> int:
    done: int = _held(row).update(
        status=status, stage="", file="", lease_owner="", lease_until=None, finished_at=Now(), **values
    )
    others = FeedImport.objects.filter(account=row.account_id).exclude(status__in=OPEN).order_by("-pk")
    FeedImport.objects.filter(pk__in=list(others.values_list("pk", flat=True)[KEPT:])).delete()
    return done


def _held(row: FeedImport) -> Any:
    return FeedImport.objects.filter(pk=row.pk, lease_owner=row.lease_owner, status__in=OPEN)


def _figures(row: FeedImport, place: Place, counts: Counts) -> dict[str, Any]:
    # Of a packed file the share that was read, as bytes of the file itself.
    part = place.at / place.total if place.total and place.what == "line" else 0
    return {
        "read_bytes": min(row.size, int(row.size * part)),
        "read_lines": place.number,
        "taken_count": counts.taken,
        "skipped_count": counts.skipped,
        "problems": counts.problems,
    }


def _until() -> Any:
    return Now() + timedelta(seconds=max(settings.LEASE_SECONDS, LEAST_LEASE))


def _gone(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "The file is gone from the server's data folder. Send it again."
    return f"The file cannot be read: {error.strerror or error}."
