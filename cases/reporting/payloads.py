"""What the alerts of an exported incident were made of, as it came (casework.md 16: complete)."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce, Length

from cases.models import AlertPayload
from soar.lib.clock import iso

CHARACTERS_AT_MOST = 30 * 1024 * 1024  # of one export: a document stands in memory, and an import takes 100 MiB


def put(document: dict[str, Any], *, named: bool) -> None:
    """Give each alert its ``raw``, the oldest alerts first until there is no more room. Those left out are counted
    under ``left_out``: without ``named`` all of them, as payloads would name what an export without observables does
    not."""
    alerts = {alert["id"]: alert for alert in document["alerts"]}
    rows = AlertPayload.objects.filter(alert__in=list(alerts))
    sizes = rows.order_by("pk").values_list("pk", Length("body") + Coalesce(Length(F("latest_body")), 0))
    room, left = CHARACTERS_AT_MOST if named else 0, set()
    for pk, size in sizes:
        if size > room:
            left.add(pk)
        else:
            room -= size
    found = {row.pk: row for row in rows.exclude(pk__in=left)}
    for pk, alert in alerts.items():
        row = found.get(pk)
        alert["raw"] = row and {"first": row.body, "latest": row.latest_body, "latest_at": iso(row.latest_at)}
    document["left_out"]["raw"] = len(left)
