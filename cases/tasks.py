"""What workers do for cases; thin: each calls an action."""

from __future__ import annotations

from cases import replaying, silence
from cases.actions import bulk_jobs, bulk_work, evidence, ratings, suppression_work
from cases.pulls import pushing, reading, tidying
from cases.servicenow import considering, outbox, polling, purging, sending
from cases.servicenow import tidying as servicenow_tidying
from cases.webhooks import considering as webhooks
from cases.webhooks import sending as webhooks_sending
from cases.webhooks import tidying as webhooks_tidying


def work_off(job_id: int) -> None:
    """Go on with a bulk job."""
    bulk_work.work_off(job_id)


def tidy_bulk_jobs() -> None:
    """Delete what was kept to undo bulk jobs, when its time is over. Scheduled every hour."""
    bulk_jobs.tidy()


def end_given_up() -> None:
    """End bulk jobs that will not go on. Scheduled every minute."""
    bulk_jobs.end_given_up()


def release_suppressed(rule_id: int) -> None:
    """Put what a suppression rule held back into the queue."""
    suppression_work.release_some(rule_id)


def hold_open(rule_id: int) -> None:
    """Take what meets a new suppression rule out of the queue."""
    suppression_work.hold_some(rule_id)


def replay_dead_letters(job_id: int) -> None:
    """Go on with replaying dead letters."""
    replaying.work_off(job_id)


def tidy_dead_letters() -> None:
    """Delete old dead letters, and end replays that will not go on. Scheduled every few minutes."""
    replaying.end_given_up()
    replaying.tidy()


def watch_sources() -> None:
    """Warn of sources that have fallen silent. Scheduled often."""
    silence.watch()


def tell_silent(source_id: int) -> None:
    """Write to people that a source is silent."""
    silence.tell(source_id)


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


def servicenow_consider(*entry_ids: int) -> None:
    """Write down what these timeline entries give to do at ServiceNow tickets."""
    considering.consider(entry_ids)


def servicenow_send(link_id: int) -> None:
    """Send what waits for a ticket."""
    sending.work(link_id)


def servicenow_poll(instance_id: int) -> None:
    """Read what changed at a ServiceNow instance."""
    polling.poll(instance_id)


def servicenow_farewell(instance_id: int, table: str, sys_id: str, incident: str, mark: str) -> None:
    """Tell a ticket that its incident was purged."""
    purging.farewell(instance_id, table, sys_id, incident, mark)


def servicenow_due() -> None:
    """Queue the tickets at which something waits, and the instances that are to be read. Scheduled often."""
    outbox.ring_due()
    polling.ring_due()


def tidy_servicenow() -> None:
    """Delete what sending and reading leave behind. Scheduled every hour."""
    servicenow_tidying.tidy()


def webhooks_consider(*entry_ids: int) -> None:
    """Write down what of these timeline entries is to be sent to endpoints of outgoing webhooks."""
    webhooks.consider(entry_ids)


def webhooks_send(endpoint_id: int) -> None:
    """Send what waits for an endpoint."""
    webhooks_sending.work(endpoint_id)


def webhooks_due() -> None:
    """Queue the endpoints for which something is due, or was broken off. Scheduled often."""
    webhooks_sending.ring_due()


def tidy_webhooks() -> None:
    """Delete old deliveries and secrets that were replaced. Scheduled every hour."""
    webhooks_tidying.tidy()
