"""What the queue and the scheduler call. Thin: each may be called twice and at any time."""

from __future__ import annotations

from playbooks import engine, schedules, sweeper, tidying, triggers
from playbooks.backtest import working
from playbooks.models import Run
from playbooks.response import beginning, sweeping, telling
from playbooks.response.crew import Crew


def consider(*entry_ids: int) -> None:
    """Start what these timeline entries trigger; a single entry's first run is executed here and now."""
    claim, response = triggers.consider(list(entry_ids))
    if response is not None:
        respond(response)
    engine.go_on(claim)


def run(run_id: int) -> None:
    """Execute this run, if it is to be had."""
    if Run.objects.filter(pk=run_id, playbook__kind="response").exists():
        respond(run_id)
    else:
        engine.execute(run_id)


def drain() -> None:
    """Execute what waits on alerts, oldest first, as long as there is any and for a second or so."""
    engine.drain()


def sweep() -> None:
    """Ring again for runs that nobody seems to work on. Scheduled every few seconds."""
    sweeper.sweep()


def respond(run_id: int) -> None:
    """Begin this run of a response playbook, and have what it asks for done, as ``perform`` does."""
    if beginning.begin(run_id):
        Crew.invite()


def perform() -> None:
    """Have the response tasks done that are due, by the threads of this process: it does not wait for them."""
    Crew.invite()


def tell(approval_id: int) -> None:
    """Tell the people whom an approval names that it waits for them."""
    telling.tell(approval_id)


def due() -> None:
    """Ring for response tasks whose time has come. Scheduled every second."""
    sweeping.ring_due()


def expire() -> None:
    """Expire approvals that nobody decided in time. Scheduled every few seconds."""
    sweeping.expire_due()


def backtest(pk: int) -> None:
    """Go on with a backtest for some seconds."""
    working.work(pk)


def backtests() -> None:
    """Ring for backtests that nobody works on. Scheduled every few seconds."""
    working.sweep()


def tidy_calls() -> None:
    """Forget old calls of connectors. Scheduled every hour."""
    tidying.forget_calls()


def cron() -> None:
    """Start scheduled playbooks whose time has come. Scheduled at least once a minute."""
    schedules.start_due()
