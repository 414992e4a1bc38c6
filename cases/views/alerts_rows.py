"""Rows of the queue, prepared in Python: rendering is the cost of a list, not its query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cases.choices import AlertStatus, Severity
from cases.due_parts import left
from cases.models import Alert, Incident
from cases.restricted_views import note_rows
from cases.sla.triage import Wait, waits_of
from soar.accounts.models import User
from soar.lib import parts

SEVERITIES = {severity.value: severity.word for severity in Severity}
STATUSES = {status.value: status.word for status in AlertStatus}


@dataclass(frozen=True, slots=True)
class Row:
    """One alert as a line of the queue. ``about`` is the host, else whatever the alert is about. ``sla`` is empty where
    somebody has it already, or it may wait as long as it likes.

    Numbers are text: Django formats any other anew for each place."""

    pk: str
    number: str
    select: str
    title: str
    done: bool
    severity: SafeString
    status: SafeString
    seen: str
    origin: str
    about: str
    beside: str
    count: str
    observables: str
    incident: str
    owner: SafeString
    sla: SafeString | str
    age: SafeString


def row_of(alert: Alert, seen: set[int], wait: Wait | None, now: datetime | None = None) -> Row:
    """The line of one alert; its owner and source are loaded already (``with_line_data``). ``seen`` are the incidents
    that the reader may know of, ``wait`` its clock if one runs."""
    about = [value for value in (alert.hostname, alert.username, alert.source_ip) if value]
    return Row(
        pk=str(alert.pk),
        number=alert.number,
        select=gettext("Select %s") % alert.number,
        title=alert.title,
        done=alert.status == AlertStatus.RESOLVED,
        severity=parts.sev(SEVERITIES[alert.severity]),
        status=parts.state(STATUSES[alert.status], True),
        seen=gettext("Times seen: %d") % alert.count if alert.count > 1 else "",
        origin=_origin(alert),
        about=about[0] if about else "",
        beside=about[1] if len(about) > 1 else "",
        count=str(alert.count),
        observables=str(alert.observable_count or ""),
        incident=f"INC-{alert.incident_id}" if alert.incident_id in seen else "",
        owner=parts.face(alert.owner),
        sla=left(wait.due, wait.now, wait.state) if wait else "",
        age=parts.ago(alert.received_at, now),
    )


def _origin(alert: Alert) -> str:
    """The source, and the detection model where the title does not say it already."""
    model = alert.detection_model
    repeated = not model or model.casefold() in alert.title.casefold()
    return alert.source.name if repeated else f"{alert.source.name} · {model}"


def rows_of(user: User, alerts: Sequence[Alert], *, clocks: bool = True) -> list[Row]:
    """The lines of a page, for this reader; ``clocks``: whether it shows ``sla``, which takes a query. What of them is
    restricted is noted as seen."""
    note_rows(user, alerts)
    now, seen, waits = timezone.now(), incidents_seen(user, alerts), waits_of(alerts) if clocks else {}
    return [row_of(alert, seen, waits.get(alert.pk), now) for alert in alerts]


def incidents_seen(user: User, alerts: Iterable[Alert]) -> set[int]:
    """Ids of the alerts' incidents that the person may see: others are not named (access.md 4)."""
    wanted = {alert.incident_id for alert in alerts if alert.incident_id}
    if not wanted:
        return set()
    return set(Incident.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))


def stamp_of(alerts: Iterable[Alert]) -> str:
    """What a page shows of each alert, in short: ``id-version-count``. The poll tells by it what has changed."""
    return ".".join(f"{alert.pk}-{alert.version}-{alert.count}" for alert in alerts)


def parse_stamp(text: str, most: int = 200) -> dict[int, tuple[int, int]]:
    """Version and count by id; what cannot be read is left out."""
    found: dict[int, tuple[int, int]] = {}
    for piece in text.split(".")[:most]:
        numbers: list[Any] = piece.split("-")
        if len(numbers) == 3 and all(n.isdecimal() and len(n) < 18 for n in numbers):
            found[int(numbers[0])] = (int(numbers[1]), int(numbers[2]))
    return found
