"""``/healthz``: this process answers. ``/readyz``: the portal can do its work, or words why not (operations.md 7)."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from soar.lib import disks, heartbeat
from soar.lib.database import AWAY, forget_connection

_migrated: set[str] = set()  # names of databases seen complete: what is applied stays applied


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; ``warnings`` beside it where a disk is nearly full."""
    return _ok()


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with reasons; words only, nothing about versions or addresses. What the portal still does its work
    with is a warning beside the 200: a disk that is nearly full, no scheduler, a clock that is wrong."""
    try:
        reasons = _reasons()
        warnings = [] if reasons else _unwell()
    except AWAY:
        forget_connection()
        reasons = ["The database does not answer.", *_full()]
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return _ok(warnings)


def _ok(more: list[str] | None = None) -> JsonResponse:
    warnings = [*disks.warnings(), *(more or [])]
    return JsonResponse({"status": "ok", **({"warnings": warnings} if warnings else {})})


def _full() -> list[str]:
    return ["The disk is full."] if disks.full() else []


def _reasons() -> list[str]:
    if not _all_migrated():
        return ["Migrations are not applied."]
    return _full() if heartbeat.alive("worker") else [*_full(), "No worker has given a sign of life."]


def _unwell() -> list[str]:
    """What does not keep the portal from its work, but somebody should see to."""
    said = [] if heartbeat.alive("scheduler") else ["No scheduler has given a sign of life."]
    return [*said, "The clocks of this host and of the database differ."] if heartbeat.clock_is_off() else said


def _all_migrated() -> bool:
    name = str(connection.settings_dict["NAME"])
    if name not in _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.add(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True
