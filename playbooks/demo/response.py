"""The response part of the demo (``DEMO_PARTS``): material and drafts, then playbooks that run on the practice range.

No run is made up: those that are there were started by the seeding like by a person and done by the workers, through
the real connectors. Where no range is, there are none, and the playbooks stay drafts."""

from __future__ import annotations

from django.db import transaction

from cases.demo.stage import Stage
from cases.errors import CaseError
from cases.models import Alert
from playbooks.actions.runs import run_by_hand
from playbooks.demo import drawn, material, taking_away
from playbooks.models import Playbook
from soar.accounts import audit
from soar.connectors import practice_demo, routing
from soar.connectors.models import Route

BY_DAY = range(8, 18)  # hours in which the playbook on accounts does not ask two people


class Response:
    """See cases.demo.stage.Part."""

    def load(self, stage: Stage) -> None:
        """Material and drafts, in the transaction of the seeding."""
        material.stock(stage)
        drawn.draw(stage)

    def begin(self, stage: Stage, wait: float) -> str:
        """Connect with the practice range, up to ``wait`` seconds from now, and let playbooks run on it. Returns a
        sentence, "" where there is no range."""
        if not practice_demo.ready(wait):
            return ""
        with transaction.atomic():
            live = drawn.publish(stage)
            _route()
        started = sum(_run(stage, live.get(slug), who, alert) for slug, who, alert in _runs(stage))
        return f"Response playbooks: {len(live)} enabled, {started} started on the practice range (docs/demo.md)."

    def remove(self) -> list[str]:
        """See taking_away.remove."""
        return taking_away.remove()


def _route() -> None:
    account = practice_demo.accounts().get("aws")
    if account is None or Route.objects.exists():
        return
    rule = routing.add_route(None, account=account.pk, capability="revoke_cloud_access")
    audit.record(None, material.MADE, "demo data", routes=[rule.pk])


def _runs(stage: Stage) -> list[tuple[str, str, int | None]]:
    """Template, who starts it, on which alert. The last one waits for an approval."""
    return [
        ("contain_by_hand", "mara", _latest("Worm on a Removable Drive")),
        ("account_takeover", "priya", _latest("Impossible Travel")),
        ("malware_on_host", "priya", stage.alerts.get(("invoice", "loose3"))),
    ]


def _latest(model: str) -> int | None:
    rows = Alert.objects.filter(source__demo=True, detection_model=model).exclude(hostname="").order_by("-received_at")
    return next((alert.pk for alert in rows[:40] if alert.received_at.hour in BY_DAY), None)


def _run(stage: Stage, playbook: Playbook | None, who: str, alert: int | None) -> bool:
    if playbook is None or alert is None:
        return False
    try:
        run_by_hand(stage.actors[who], playbook, alert=alert)
    except CaseError:
        return False
    return True
