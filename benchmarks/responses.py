"""From an accepted alert to the first call of its response playbook, and what a task costs besides the product's time.

Two playbooks of 12 nodes, one for each of two severities, alerts of 20 objects and a host, ratings local; Vision One's
stand-in answers on loopback."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import load, samples
from benchmarks.ingest import dsn
from benchmarks.pages import ROUNDS, get
from benchmarks.report import Row
from benchmarks.stack import Stack

# Alerts, each when the one before is done with: a product is asked about an action for seconds after its first call,
# and what is measured is the way of an alert that meets idle workers.
CALM, PAUSE = 20, 1.0
OBJECTS = 20
FIRST_CALL = """
SELECT extract(epoch FROM min(c.started_at) - a.received_at) * 1000
FROM connectors_attempt c JOIN cases_alert a ON a.cause = c.cause WHERE a.source_ref LIKE %s GROUP BY a.id"""
# From the claim of a task to the product's yes, without the time that the product took.
OWN = """
SELECT extract(epoch FROM (t.accepted_at - t.started_at) - (c.finished_at - c.started_at)) * 1000
FROM playbooks_responsetask t JOIN cases_alert a ON a.id = t.alert_id
JOIN connectors_attempt c ON c.cause = t.cause AND c.request->>'method' = 'POST'
    AND c.request::text LIKE '%%' || t.target_value || '%%'
WHERE a.source_ref LIKE %s AND t.accepted_at IS NOT NULL"""
# Tasks of a run at once share the processors: from the first claim to the last yes, by their number.
ADDED = """
SELECT extract(epoch FROM max(t.accepted_at) - min(t.started_at)) * 1000 / count(*)
FROM playbooks_responsetask t JOIN cases_alert a ON a.id = t.alert_id
WHERE a.source_ref LIKE %s AND t.accepted_at IS NOT NULL GROUP BY a.id"""
OVER = """
SELECT count(*) FROM playbooks_run r JOIN cases_alert a ON a.id = r.alert_id
JOIN playbooks_playbook p ON p.id = r.playbook_id
WHERE a.source_ref LIKE %s AND r.status = 'successful' AND p.kind = 'response'"""
QUIET = "SELECT (count(*) = 0)::int FROM soar_queue WHERE failed_at IS NULL"
WAITING = "SELECT count(*) FROM playbooks_run WHERE status = 'pending_approval'"


def measure(stack: Stack) -> Iterator[Row]:
    """Latency of calm alerts, own work, and what a thousand waiting runs cost."""
    from soar.standins.server import Server
    from soar.standins.visionone import VisionOne

    with Server([VisionOne()]) as server:
        server.standins["visionone"].state["quota"] = 1_000_000  # of the sandbox: it is not what is measured here
        url = server.urls["visionone"]["url"]
        stack.manage("shell", "-v0", "-c", f"from benchmarks.responses import prepare; prepare({url!r})")
        source = json.loads(stack.manage("source", "create", "Measured responses", "--kind", "generic"))
        path = f"/api/v1/ingest/{source['slug']}/"

        def post(name: str, number: int, tag: str = "respond", objects: int = OBJECTS) -> None:
            severity = "critical" if tag == "ask" else "high"
            body = {**samples.plain(number), "id": f"{name}-{number}", "tags": [tag], "severity": severity}
            body["host"] = f"SRV-{number}"
            body["observables"] = [
                {"type": "domain", "value": f"d{number}-{place}.measured-evil.com"} for place in range(objects)
            ]
            load.run(stack.port, 1, iter([load.request(path, samples.body(body), source["token"])]))

        for number in range(3):
            post("warm", number)
        _wait(stack, OVER, 3, "warm-%")
        spent = _worker_seconds(stack)
        for number in range(CALM):
            time.sleep(PAUSE)
            post("calm", number)
            _wait(stack, OVER, number + 1, "calm-%")
        spent = _worker_seconds(stack) - spent
        first, crowd, added = (_figures(stack, query, "calm-%") for query in (FIRST_CALL, OWN, ADDED))
        for number in range(CALM):
            time.sleep(PAUSE)
            post("single", number, objects=1)
            _wait(stack, OVER, number + 1, "single-%")
        alone = _figures(stack, OWN, "single-%")
        if not crowd or not alone:
            raise RuntimeError("No task was taken by the product.")
        yield Row("accepted to first remote call, p50", _middle(first), "ms", 50, "less")
        yield Row("accepted to first remote call, p95", first[int(len(first) * 0.95)], "ms")
        yield Row("own work of a task alone until the product took it, p50", _middle(alone), "ms", 15, "less")
        yield Row("what each of 20 tasks at once adds to their run, p50", _middle(added), "ms", 15, "less")
        yield Row("a task among 20, waiting for its turn of a processor included, p50", _middle(crowd), "ms")
        yield Row("processor time of the workers per task, polling included", spent * 1000 / (CALM * OBJECTS), "ms")
        yield _page(stack)
        for number in range(1000):
            post("wait", number, "ask")
        _wait(stack, WAITING, 1000)
        _wait(stack, QUIET, 1)  # the people were told
        time.sleep(5)
        spent = _worker_seconds(stack)
        time.sleep(20)
        share = (_worker_seconds(stack) - spent) / 20 * 100
        yield Row("workers while 1,000 runs wait for approvals", share, "% of a core", 5, "less")


def _page(stack: Stack) -> Row:
    """The page of a run, with 2,000 tasks at the node that is looked at."""
    made = json.loads(stack.manage("shell", "-v0", "-c", "from benchmarks.responses import crowd; crowd()"))
    result = load.run(stack.port, 1, iter([get(made["path"], made["cookie"])] * (ROUNDS + 5)), keep=True)
    if set(result.statuses) != {200} or b'id="task-' not in result.bodies[-1]:
        raise RuntimeError(f"{made['path']} answered {result.statuses}")
    result.times = result.times[5:]
    return Row("page of a run with 2,000 tasks, p50", result.percentile(0.5), "ms", 60, "less")


def _figures(stack: Stack, query: str, alerts: str) -> list[float]:
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        return sorted(float(row[0]) for row in connection.execute(query, [alerts]))


def _middle(figures: list[float]) -> float:
    return figures[len(figures) // 2]


def _wait(stack: Stack, query: str, number: int, *values: str, seconds: float = 300.0) -> None:
    end, found = time.monotonic() + seconds, 0
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        while time.monotonic() < end:
            row = connection.execute(query, values).fetchone()
            found = int(row[0]) if row else 0
            if found >= number:
                return
            time.sleep(0.3)
    raise RuntimeError(f"Only {found} of {number} runs came so far.")


def _worker_seconds(stack: Stack) -> float:
    """Processor time of the task workers so far."""
    ticks = 0
    for pid in stack.processes():
        try:
            if b"manage.py\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def prepare(url: str) -> None:
    """In the portal: the account and two playbooks, one that acts at once and one that asks."""
    from playbooks import catalog
    from playbooks.models import Playbook, PlaybookVersion
    from soar.connectors.actions import create_account

    create_account(None, "visionone", "Measured", {"url": url, "allow_internal": True}, {"token": "practice"})
    for name, tag, approval in (("Measured response", "respond", None), ("Measured question", "ask", _approval())):
        row = Playbook.objects.create(name=name, kind="response", trigger="webhook")
        document = {**_graph(tag, approval), "name": name}
        document["target"]["severities"] = ["critical" if tag == "ask" else "high"]
        row.current = PlaybookVersion.objects.create(
            playbook=row, number=1, digest=f"{row.pk:064d}", source="", definition=document
        )
        row.save()
    catalog.bump()


def crowd() -> None:
    """In the portal: a run with 2,000 tasks at one node; prints its page and a reader's cookie."""
    from benchmarks.access import cookie_of
    from playbooks.models import ResponseTask
    from soar.accounts.models import User

    like = ResponseTask.objects.filter(alert__source_ref__startswith="calm-").latest("pk")
    names = [one.attname for one in ResponseTask._meta.concrete_fields if one.name not in ("id", "idempotency_key")]
    facts = {name: getattr(like, name) for name in names}
    ResponseTask.objects.bulk_create(
        ResponseTask(**facts | {"target_value": f"d{number}.measured-evil.com", "position": like.position + number})
        for number in range(1, 2001)
    )
    path = f"/runs/{like.run_id}/?node={like.node}"
    print(json.dumps({"path": path, "cookie": cookie_of(User.objects.get(username="admin"))}))


def _approval() -> dict[str, Any]:
    return {"method": "email", "subject_prefix": "", "recipients": [], "channels": [], "two_people": False}


def _graph(tag: str, approval: dict[str, Any] | None) -> dict[str, Any]:
    """Six conditions, one of them true, each with an action: 12 nodes."""
    rows = [
        [("alert_tag", "is", [tag])],
        [("endpoint_name", "starts_with", ["SRV-NONE"])],
        [("observable", "contains", ["nothing-like-it"])],
        [("ip_address", "in_network", ["192.0.2.0/24"])],
        [("object_risk", "is", ["highly_suspicious"]), ("severity", "is", ["low"])],
        [("user_account", "is", ["nobody-at-all"])],
    ]
    nodes: list[dict[str, Any]] = []
    for number, given in enumerate(rows):
        listed = [{"parameter": name, "operator": how, "values": values} for name, how, values in given]
        nodes.append(
            {"id": f"c{number}", "type": "condition", "parent": "target", "side": "right", "conditions": listed}
        )
        nodes.append(
            {
                "id": f"a{number}", "type": "action", "parent": f"c{number}", "side": "right", "approval": approval,
                "risk": ["highly_suspicious", "suspicious", "unrated"],
                "actions": [{"action": "sandbox_url" if tag == "respond" else "scan_endpoint", "params": {}}],
            }
        )  # fmt: skip
    target: dict[str, Any] = {"severities": [], "models": [], "filter_by_risk": True, "open_incident": None}
    trigger = {"type": "automatic", "periods": [], "time_zone": "UTC"}
    return {"name": "", "description": "", "trigger": trigger, "target": target, "nodes": nodes}
