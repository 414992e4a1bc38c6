"""What a storm does inside of the portal: ``python -m tests.chaos.storm_inside setup | pass | check URLS``, as JSON.

``setup``: connectors, a ticket profile and a response playbook. ``pass``: what waits for a later try is due now.
``check``: everything in which the two sides of a connector are not as the pages say."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import django

django.setup()

import httpx  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from cases import tasks as case_tasks  # noqa: E402
from cases.models import ServiceNowInstance, TicketChange, TicketLink, TicketProfile, TimelineEntry  # noqa: E402
from cases.servicenow.mapping import defaults  # noqa: E402
from playbooks.models import ResponseTask, Run  # noqa: E402
from soar.connectors import practice, routing  # noqa: E402
from soar.connectors.models import ConnectorAccount  # noqa: E402
from soar.standins.entra import Entra  # noqa: E402
from soar.standins.fortinet import FortiGate  # noqa: E402
from soar.standins.servicenow.standin import ServiceNow  # noqa: E402
from soar.standins.slack import Slack  # noqa: E402
from soar.standins.visionone import VisionOne  # noqa: E402
from tests.response_tools import action, graph, publish  # noqa: E402
from tests.servicenow_range import Desk  # noqa: E402
from tests.servicenow_tools import Both  # noqa: E402
from tests.ticket_profiles import make_instance  # noqa: E402
from tests.ticket_sides import differences  # noqa: E402

KINDS = {one.kind: one for one in (VisionOne, Entra, FortiGate, Slack, ServiceNow)}
SERVE = {"isolate_endpoint": "visionone", "disable_account": "entra", "block": "fortinet"}
SEEDED = 3  # tickets of others that the instance comes with
Urls = dict[str, dict[str, str]]


class Sides(Both):
    """Both sides of the sync, of an instance that is there."""

    def __init__(self, urls: Urls) -> None:
        self.desk = Desk(SimpleNamespace(urls=urls), None)  # type: ignore[arg-type]


def setup(urls: Urls) -> dict[str, Any]:
    """Accounts that wait two seconds for an answer, who serves what, and the playbook."""
    practice.connect_to(urls, KINDS)
    accounts = {one.kind: one for one in ConnectorAccount.objects.all()}
    for one in accounts.values():
        one.timeout_seconds = 2
        one.save()
    for capability, kind in SERVE.items():
        routing.add_route(None, account=accounts[kind].pk, capability=capability)
    instance = make_instance(accounts["servicenow"], "desk", every_seconds=5)
    TicketProfile.objects.create(**{**defaults("incident"), "name": "Storm", "enabled": True, "instance": instance})
    opening: dict[str, Any] = {"owners": [], "close_on_success": None, "ticket_profile": "Storm"}
    publish(
        graph(
            action("a", "isolate_endpoint"),
            action("b", "disable_account"),
            action("c", "block"),
            {**action("n", ("channel", {"channels": [accounts["slack"].name]}), parent="a"), "type": "notify",
             "risk": []},
            trigger={"type": "automatic"},
            target={"severities": ["high"], "filter_by_risk": False, "open_incident": opening},
        ),
        "Storm",
    )  # fmt: skip
    return {"accounts": sorted(accounts)}


def go_by() -> dict[str, Any]:
    """As if the time had passed until the next try at ServiceNow. Leases end by themselves."""
    past = Now() - timedelta(seconds=1)
    TicketChange.objects.filter(state__in=("waiting", "sending")).update(due_at=past)
    ServiceNowInstance.objects.update(out_resume_at=None, due_at=past)
    case_tasks.servicenow_due()
    open_changes = TicketChange.objects.filter(state__in=("waiting", "sending"))
    return {"open": open_changes.exclude(link__state__in=("broken", "ended")).count()}


def check(urls: Urls) -> dict[str, Any]:
    """``wrong``: everything that is; ``counts``: how it ended."""
    there = {kind: httpx.get(f"{place['control']}/state", timeout=60).json() for kind, place in urls.items()}
    rows = list(ResponseTask.objects.filter(run__playbook__name="Storm").select_related("alert", "account", "run"))
    wrong = [line for row in rows for line in _task(row, there)]
    wrong += _whole(rows, there)
    wrong += _tickets(urls)
    counts = Counter(f"{row.action} {row.status}" for row in rows)
    runs = Counter(
        f"run {status}" for status in Run.objects.filter(playbook__name="Storm").values_list("status", flat=True)
    )
    return {"wrong": wrong, "counts": {**counts, **runs, "tickets": TicketLink.objects.count()}}


def _task(row: ResponseTask, there: dict[str, Any]) -> list[str]:
    """How often a task had its effect, against what its row says."""
    if row.action not in (*SERVE, "channel"):
        return []
    done = _EFFECTS[row.action](row, there)
    allowed = {"successful": (1,), "unknown_outcome": (0, 1)}.get(row.status, (0,))
    if done in allowed:
        return []
    return [f"{_ref(row)} {row.action} is {row.status} ({row.reason}); done {done} times"]


def _ref(row: ResponseTask) -> str:
    assert row.alert is not None
    return row.alert.source_ref


def _isolated(row: ResponseTask, there: dict[str, Any]) -> int:
    key = str(row.idempotency_key)
    taken = sum(number for told, number in there["visionone"]["commands"].items() if key in told)
    done = sum(number for told, number in there["visionone"]["effects"].items() if key in told)
    return int(max(taken, done) if taken > 1 else done)


def _disabled(row: ResponseTask, there: dict[str, Any]) -> int:
    users = there["entra"]["users"].values()
    return sum(not one["accountEnabled"] for one in users if one["mailNickname"] == row.target_value.lower())


def _blocked(row: ResponseTask, there: dict[str, Any]) -> int:
    members = there["fortinet"]["groups"]["addrgrp"]["soar-blocked"]
    return sum(
        json.dumps(there["fortinet"]["objects"]["address"].get(name)).count(f"{row.target_value} ") for name in members
    )


def _told(row: ResponseTask, there: dict[str, Any]) -> int:
    return sum(_ref(row) in json.dumps(one) for one in there["slack"]["messages"])


_EFFECTS = {"isolate_endpoint": _isolated, "disable_account": _disabled, "block": _blocked, "channel": _told}


def _whole(rows: list[ResponseTask], there: dict[str, Any]) -> list[str]:
    """What no single row can tell: nothing is twice at a product, and nothing is there that no row knows."""
    wrong = []
    users, keys = there["entra"]["users"].values(), {str(row.idempotency_key) for row in rows}
    calls, disabled = there["entra"]["calls"].get("accountEnabled", 0), sum(not one["accountEnabled"] for one in users)
    if calls != disabled:
        wrong.append(f"{disabled} accounts were disabled by {calls} calls")
    commands = there["visionone"]["commands"]
    wrong += [f"a command of no task: {told}" for told in commands if not any(key in told for key in keys)]
    twice = Counter((row.run_id, row.action) for row in rows)
    return wrong + [f"run {run} has {number} tasks {name}" for (run, name), number in twice.items() if number > 1]


def _tickets(urls: Urls) -> list[str]:
    """Each incident and its ticket are equal; there is one ticket for each."""
    sides, wrong = Sides(urls), []
    links = list(TicketLink.objects.select_related("profile"))
    for link in links:
        found = [f"{link.state}: {link.reason}"] if link.state != "linked" else differences(sides, link)
        wrong += [f"{link}: {text}" for text in [*found, *sides.compare(link.incident_id)]]
    wrong += [f"failed: {text}" for text in sides.failures()]
    tickets = len(sides.desk.ask("tickets", limit=10_000)) - SEEDED
    opened = set(TimelineEntry.objects.filter(kind="incident.opened").values_list("incident", flat=True))
    if tickets != len(links):
        wrong.append(f"{tickets} tickets for {len(links)} links")
    return wrong + [f"incident {pk} was not sent" for pk in opened - {link.incident_id for link in links}]


if __name__ == "__main__":
    verb, given = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(go_by() if verb == "pass" else {"setup": setup, "check": check}[verb](given)))
