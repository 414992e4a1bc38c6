"""What workers do for cases; thin: each calls an action."""

from __future__ import annotations

from cases.actions import bulk_jobs, evidence, ratings
from cases.pulls import pushing, reading, tidying


def work_off(job_id: int) -> None:
    """Go on with a bulk job."""
    bulk_jobs.work_off(job_id)


def end_given_up() -> None:
    """End bulk jobs that will not go on. Scheduled every minute."""
    bulk_jobs.end_given_up()


def drop_evidence_file(sha256: str) -> None:
    """Delete a file of removed or purged evidence that nothing else needs."""
    evidence.drop_file(sha256)


def sweep_evidence() -> None:
    """Delete files that crashes have left. Scheduled every hour."""
    evidence.sweep()


def pull_due() -> None:
    """Queue the sources that are to be read, and what is to be told back. Scheduled every few seconds."""
    reading.ring()
    pushing.ring()


def pull(pull_id: int) -> None:
    """Read the alerts of a source from its product."""
    reading.pull(pull_id)


def consider_pushes(*entry_ids: int) -> None:
    """Write down what these timeline entries give to tell the product that an alert came from."""
    pushing.consider(entry_ids)


def push(push_id: int) -> None:
    """Tell a product what became of its alert."""
    pushing.send(push_id)


def rate_again(observable_id: int) -> None:
    """Rate an observable by lists and providers, because somebody asked for it."""
    ratings.rate_again(observable_id)


def tidy_pulls() -> None:
    """Delete what reading and telling leave behind. Scheduled every hour."""
    tidying.tidy()
