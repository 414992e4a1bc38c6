"""Response playbooks that an alert starts by itself: beside the Python sequence, one run each (rulings 7).

The unique pair of timeline entry and playbook decides, whoever is quickest: a doorbell that rings twice starts
nothing twice."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction

from cases.choices import Severity
from cases.models import Alert
from playbooks.announce import relock, skipped
from playbooks.catalog import Catalog, ResponseEntry
from playbooks.graph.starting import is_within, off_target
from playbooks.incoming import Incoming
from playbooks.models import Run
from playbooks.publishers import still_entitled
from soar.lib import clock
from soar.lib.database import UNHURRIED, prepared

KINDS = ("alert.opened", "alert.reopened", "alert.released")
DEPTH_AT_MOST = 5
RESPOND_TASK = "playbooks.tasks.respond"
# If a crash of the database forgets it, the entry's queue row is there again, too.
START = f"""
WITH made AS (
    INSERT INTO playbooks_run (playbook_id, version_id, position, alert_id, status, trigger, acting_user_id, dry_run,
        depth, error, traceback, cause, attempts, cancel_requested, rung_at, lease_owner, entry_id)
    SELECT r.playbook, r.version, 1, %(alert)s, 'queued', 'automatic', r.acting, false, %(depth)s, '', '',
        %(cause)s, 0, false, statement_timestamp(), '', %(entry)s
    FROM json_to_recordset(%(runs)s::json) AS r(playbook bigint, version bigint, acting bigint) ORDER BY r.playbook
    ON CONFLICT (entry_id, playbook_id) WHERE entry_id IS NOT NULL DO NOTHING RETURNING id
), bells AS (
    INSERT INTO soar_queue (task, args) SELECT '{RESPOND_TASK}', jsonb_build_array(id) FROM made
    ORDER BY id OFFSET CASE WHEN %(here)s THEN 1 ELSE 0 END RETURNING 1
)
SELECT coalesce((SELECT min(id) FROM made),
        (SELECT min(id) FROM playbooks_run WHERE entry_id = %(entry)s AND status = 'queued')),
    (SELECT pg_notify('soar_queue', '') FROM bells LIMIT 1), {UNHURRIED}"""  # noqa: S608  our own name


def start(known: Catalog, entry: Incoming, parent: Run | None, *, here: bool = False) -> int | None:
    """Queue a run of every response playbook that this entry starts. With ``here`` the first is begun by the caller:
    its id is returned, also if somebody else made it for this entry and did not come to begin it.

    Outside its periods a playbook does not start, and the alert's timeline says why, once (3). ``parent``: the run
    that wrote the entry; it does not start itself, and chains end."""
    if entry.kind not in KINDS or not isinstance(entry.subject, Alert):
        return None
    found = [one for one in known.response if _meant(one, entry.subject) and not _itself(one, parent)]
    found = [one for one in found if still_entitled(one.row)]
    depth = parent.depth + 1 if parent else 0
    able = []
    for one in found:
        if reason := _hindrance(one, entry.subject, depth):
            _skip(one, entry, reason)
        else:
            able.append(one)
    return _insert(able, entry, depth, here=here) if able else None


def _meant(one: ResponseEntry, alert: Alert) -> bool:
    """Whether the alert is one that the playbook takes by itself (2, 4)."""
    if one.graph.trigger.type != "automatic":
        return False
    return not off_target(one.graph.target, Severity(alert.severity).word, alert.detection_model)


def _itself(one: ResponseEntry, parent: Run | None) -> bool:
    return parent is not None and parent.playbook_id == one.row.pk


def _hindrance(one: ResponseEntry, alert: Alert, depth: int) -> str:
    """Why the playbook does not start now although the alert is meant; empty if it may."""
    if depth > DEPTH_AT_MOST:
        return f"{DEPTH_AT_MOST} playbooks have led to one another already; the chain ends here."
    if not is_within(one.graph.trigger, clock.now()):
        return f"It runs automatically only during its periods ({one.graph.trigger.time_zone}), and this is outside."
    publisher = one.row.published_by
    if publisher is not None and not Alert.objects.filter(pk=alert.pk).visible_to(publisher).exists():
        return f"{publisher.display_name()}, whose rights it uses, may not see this alert."
    return ""


@transaction.atomic
def _skip(one: ResponseEntry, entry: Incoming, reason: str) -> None:
    subject = relock(entry.subject)
    assert subject is not None
    more = {"entry": entry.pk, "playbook_id": one.row.pk}
    # The redelivery of one entry must not say it twice.
    if not subject.timeline.filter(kind="run.skipped", data__contains=more).exists():
        skipped(subject, one.row.name, reason, **more)


def _insert(able: list[ResponseEntry], entry: Incoming, depth: int, *, here: bool) -> int | None:
    runs = [{"playbook": one.row.pk, "version": one.version, "acting": one.row.published_by_id or None} for one in able]
    values: dict[str, Any] = {
        "alert": entry.subject.pk,
        "depth": depth,
        "cause": str(entry.subject.cause),
        "entry": entry.pk,
        "runs": json.dumps(runs),
        "here": here,
    }
    with prepared() as cursor:
        row = cursor.execute(START, values, prepare=True).fetchone()
    return row[0] if here and row else None
