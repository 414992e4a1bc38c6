"""``/healthz``: this process answers. ``/readyz``: the portal can do its work, or words why not (operations.md 7)."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from soar.lib import heartbeat, room
from soar.lib.database import AWAY, forget_connection

_migrated: set[str] = set()  # names of databases seen complete: what is applied stays applied


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with reasons; words only, nothing about versions or addresses."""
    try:
        reasons = _reasons()
    except AWAY:
        forget_connection()
        reasons = ["The database does not answer."] + (["The disk is full."] if room.lacking(settings.DATA_DIR) else [])
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ok"})


def _reasons() -> list[str]:
    if not _all_migrated():
        return ["Migrations are not applied."]
    found = ["The disk is full."] if room.lacking(settings.DATA_DIR) else []
    return found if heartbeat.alive("worker") else [*found, "No worker has given a sign of life."]


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
