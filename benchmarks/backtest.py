"""A backtest of 100,000 alerts by the worker of a whole portal: ``python -m benchmarks.backtest``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.report import Row, show
from benchmarks.stack import ROOT, stack

NUMBER = int(os.environ.get("SOAR_BENCH_BACKTEST", "100000"))
NODES = (
    ("c1", "condition", "target", "right", "object_risk", "highly_suspicious"),
    ("c2", "else_if", "c1", "below", "object_risk", "suspicious"),
    ("c3", "condition", "target", "right", "hour_of_day", "20-6"),
)


def graph() -> dict[str, object]:
    """Twelve nodes that take alerts of every severity."""
    nodes: list[dict[str, object]] = [
        {"id": id, "type": type_, "parent": parent, "side": side,
         "conditions": [{"parameter": parameter, "operator": "is", "values": [value]}]}
        for id, type_, parent, side, parameter, value in NODES
    ]  # fmt: skip
    for number, (parent, action) in enumerate(
        (("c1", "block"), ("c1", "isolate_endpoint"), ("c2", "sandbox_url"), ("c3", "sign_out"),
         ("a1", "scan_endpoint"), ("a2", "collect_file"), ("a3", "find_messages"), ("a4", "disable_account")), 1,
    ):  # fmt: skip
        risk = ["highly_suspicious", "suspicious", "unrated"]
        nodes.append({"id": f"a{number}", "type": "action", "parent": parent, "side": "right", "risk": risk,
                      "actions": [{"action": action, "params": {}}]})  # fmt: skip
    nodes.append({"id": "e1", "type": "else_action", "parent": "c2", "side": "below",
                  "actions": [{"action": "tag", "params": {"tags": ["seen"]}}]})  # fmt: skip
    words = ["informational", "low", "medium", "high", "critical"]
    target = {"severities": words, "models": [], "filter_by_risk": True, "open_incident": None}
    trigger = {"type": "automatic", "periods": [], "time_zone": "UTC"}
    return {"name": "Bench", "description": "", "trigger": trigger, "target": target, "nodes": nodes}


def measure() -> None:
    """Fill the database, start a backtest, wait for the worker, print what it took. In a Django shell."""
    from benchmarks.fill import fill
    from cases.actors import Actor
    from playbooks.actions import backtests, graphs
    from playbooks.backtest.working import OPEN
    from playbooks.graph.schema import read
    from playbooks.models import Backtest
    from soar.accounts.models import User

    fill(NUMBER)
    admin = User.objects.get(username="admin")
    row = graphs.create(Actor.of(admin), read(graph())[0])
    made = backtests.start(Actor.of(admin), row, days=365)
    while Backtest.objects.filter(pk=made.pk, status__in=OPEN).exists():
        time.sleep(0.05)
    made.refresh_from_db()
    assert made.started_at is not None
    assert made.finished_at is not None
    found = {
        "seconds": (made.finished_at - made.started_at).total_seconds(),
        "looked_at": made.looked_at,
        "matched": made.result["matched"],
        "status": made.status,
    }
    print(json.dumps(found))


def main() -> Iterator[Row]:
    """The row of the report: 100,000 alerts in under 60 s."""
    with stack() as one:
        one.settle()
        one.manage("user", "create", "bench0", "--role", "Analyst", "--team", "Team 0")
        one.manage("source", "create", "Fill", "--kind", "generic")
        code = "from benchmarks.backtest import measure; measure()"
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", code],
            cwd=ROOT, env=one.env, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout.strip().splitlines()[-1])
    what = f"backtest of {found['looked_at']:,} alerts on 12 nodes, {found['matched']:,} matched, {found['status']}"
    yield Row(what, found["seconds"], "s", 60, "less")


if __name__ == "__main__":
    for found in main():
        show(found)
