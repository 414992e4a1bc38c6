"""What workers do for cases; thin: each calls an action."""

from __future__ import annotations

from cases.actions import bulk_jobs


def work_off(job_id: int) -> None:
    """Go on with a bulk job."""
    bulk_jobs.work_off(job_id)


def end_given_up() -> None:
    """End bulk jobs that will not go on. Scheduled every minute."""
    bulk_jobs.end_given_up()
