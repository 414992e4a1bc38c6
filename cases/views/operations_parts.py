"""What the page of operations shows. Of what others manage only to those who may manage it, as on its own pages."""

from __future__ import annotations

from datetime import timedelta
from socket import gethostname
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.actions.dead_letters import letters_for, waiting
from cases.models import WebhookEndpoint
from cases.views.webhook_parts import health_of
from soar import __version__
from soar.accounts.membership import may
from soar.accounts.models import AuditEntry, User
from soar.connectors import showing
from soar.connectors.models import ConnectorAccount
from soar.lib import disks
from soar.lib.figures import single
from soar.lib.heartbeat import CLOCK_OFF, SILENT
from soar.lib.text import span_words
from soar.models import FailingCall, Heartbeat, LowDisk, QueuedTask

SHOWN = 20  # of each list; the page is no place to read thousands
NEEDED = ("worker", "scheduler")  # without one of each nothing is done
BAD = "is-unsuccessful"


class Queue(NamedTuple):
    """``most``: from where on ingest is refused, 0 never. ``oldest``: the age of the oldest, "" without any."""

    depth: int
    oldest: str
    most: int
    full: bool

    @property
    def depth_words(self) -> str:
        """1,234."""
        return f"{self.depth:,}"

    @property
    def most_words(self) -> str:
        """500,000."""
        return f"{self.most:,}"


def all_of_it(user: User) -> dict[str, Any]:
    """The context of the page for this person."""
    asked = ("soar_queue_tasks", "soar_queue_failed_tasks", "soar_playbooks_unloaded", "soar_database_bytes")
    figures = single(*asked)
    processes, seen = _processes(), disks.disks()
    return {
        "queue": _queue(figures),
        "failing_calls": FailingCall.objects.order_by("since")[:SHOWN],
        "unloaded": int(figures["soar_playbooks_unloaded"]),
        "processes": processes,
        "missing": [name for name in NEEDED if not any(one["name"] == name and one["alive"] for one in processes)],
        "silent": int(SILENT),
        "disks": seen,
        "disk_limit": disks.limit(),
        "database_seen": any(disks.DATABASE in one.places for one in seen),
        "low_elsewhere": _low_elsewhere(),
        "failed": int(figures["soar_queue_failed_tasks"]),
        "failed_tasks": _failed_tasks() if figures["soar_queue_failed_tasks"] else [],
        "failed_kinds": _failed_kinds() if figures["soar_queue_failed_tasks"] else [],
        "database": int(figures["soar_database_bytes"]),
        "postgres": _postgres(),
        "version": __version__,
        "backup": AuditEntry.objects.filter(verb="backup.made").first(),
        "letters": _letters(user) if may(user, "manage_sources") else None,
        **({"webhooks": _webhooks(), "connectors": _connectors()} if may(user, "manage_connectors") else {}),
    }


def _queue(figures: dict[str, float]) -> Queue:
    depth, most = int(figures["soar_queue_tasks"]), int(settings.QUEUE_AT_MOST)
    oldest = span_words(figures["soar_queue_oldest_seconds"]) if depth else ""
    return Queue(depth, oldest, most, bool(most) and depth >= most)


def _processes() -> list[dict[str, Any]]:
    # By the database's clock, which wrote the signs: that of this host may be another.
    alive = ExpressionWrapper(Q(at__gt=Now() - timedelta(seconds=SILENT)), output_field=BooleanField())
    rows = Heartbeat.objects.annotate(alive=alive).order_by("name", "host", "pid")
    words = {"worker": _("Worker"), "scheduler": _("Scheduler")}
    return [
        {"name": one.name, "word": words.get(one.name, one.name), "row": one, "alive": one.alive,
         "clock": _clock(one.ahead)}
        for one in rows
    ]  # fmt: skip


def _clock(ahead: float | None) -> str:
    """In words by how much a clock is off; "" for one that is right."""
    if ahead is None or abs(ahead) <= CLOCK_OFF:
        return ""
    given = {"span": span_words(abs(ahead))}
    return (_("Its clock is %(span)s ahead") if ahead > 0 else _("Its clock is %(span)s behind")) % given


def _low_elsewhere() -> list[dict[str, Any]]:
    """The host of the acting scheduler may be another one than that of this page."""
    rows = LowDisk.objects.exclude(host=gethostname()).order_by("host", "places")
    return [{"row": one, "words": disks.words_of(one.places.split(","))} for one in rows]


def _failed_tasks() -> list[dict[str, Any]]:
    """The newest. Of the error only its class: its words may tell of a case that this person does not see."""
    rows = QueuedTask.objects.exclude(failed_at=None).order_by("-failed_at", "-id")[:SHOWN]
    return [{"row": one, "error": _kind(one.error), "args": ", ".join(str(arg) for arg in one.args)} for one in rows]


def _failed_kinds() -> list[dict[str, Any]]:
    """How many of each name, the most first."""
    rows = QueuedTask.objects.exclude(failed_at=None).values("task").annotate(n=Count("pk"), newest=Max("failed_at"))
    return [dict(one) for one in rows.order_by("-n", "task")[:SHOWN]]


def _kind(error: str) -> str:
    name = error.partition(":")[0]
    return name if name.replace(".", "").isidentifier() else _("Its worker died")


def _letters(user: User) -> dict[str, Any]:
    rows = waiting(letters_for(user)).order_by().values("source__slug", "source__name")
    found = list(rows.annotate(n=Count("pk"), newest=Max("received_at")).order_by("-n", "source__name"))
    return {"total": sum(one["n"] for one in found), "rows": found[:SHOWN]}


def _webhooks() -> dict[str, Any]:
    rows = list(
        WebhookEndpoint.objects.filter(Q(enabled=True) | ~Q(off_reason="")).defer("url", "secret", "old_secret")
    )
    bad = [{"row": one, "health": health} for one in rows if (health := health_of(one)).tone == BAD]
    return {"total": len(rows), "bad": len(bad), "rows": bad[:SHOWN]}


def _connectors() -> dict[str, Any]:
    rows = [(one, showing.state_of(one)) for one in ConnectorAccount.objects.all()]
    used = [pair for pair in rows if pair[0].enabled or pair[1].tone == BAD]
    bad = [
        {"row": one, "state": state, "kind": showing.kind_label(one.kind)} for one, state in used if state.tone == BAD
    ]
    return {"total": len(used), "bad": len(bad), "rows": bad[:SHOWN]}


def _postgres() -> str:
    """16.4 of 160004."""
    major, minor = divmod(connection.pg_version, 10_000)  # type: ignore[attr-defined]
    return f"{major}.{minor}"
