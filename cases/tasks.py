"""What workers do for cases; thin: each calls an action."""

from __future__ import annotations

from cases import glass, low_disks, replaying, silence
from cases.actions import (
    bulk_jobs,
    bulk_work,
    evidence,
    export_work,
    ratings,
    retention_work,
    sla_work,
    suppression_work,
)
from cases.dashboard import counting
from cases.notifications import considering as notifications
from cases.notifications import due_tasks, late_alerts, ringing
from cases.notifications import sending as notifications_sending
from cases.notifications import tidying as notifications_tidying
from cases.pulls import pushing, reading, tidying
from cases.servicenow import considering, outbox, polling, purging, sending
from cases.servicenow import tidying as servicenow_tidying
from cases.webhooks import considering as webhooks
from cases.webhooks import sending as webhooks_sending
from cases.webhooks import telling as webhooks_telling
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


def watch_disks() -> None:
    """Warn of disks that are nearly full. Scheduled every minute."""
    low_disks.watch()


def tell_low_disk(row_id: int) -> None:
    """Write to people that a disk is nearly full."""
    low_disks.tell(row_id)


def drop_evidence_file(sha256: str) -> None:
    """Delete a file of removed or purged evidence that nothing else needs."""
    evidence.drop_file(sha256)


def tell_glass(incident_id: int, entry_id: int) -> None:
    """Write to owners and managers of an incident that somebody broke the glass."""
    glass.tell(incident_id, entry_id)


def retention_due() -> None:
    """Queue the rules of retention that are due. Scheduled every few minutes."""
    retention_work.ring()


def retain(rule_id: int) -> None:
    """Go on with deleting what a rule of retention means."""
    retention_work.work_off(rule_id)


def export_incident(job_id: int) -> None:
    """Make an export of an incident."""
    export_work.work(job_id)


def tidy_exports() -> None:
    """Delete exports whose day is over, and end those that will not go on. Scheduled every few minutes."""
    export_work.end_given_up()
    export_work.tidy()


def sla_due() -> None:
    """Remind of targets that are at risk or overdue, and queue what has to be reckoned anew. Scheduled often."""
    sla_work.look()


def sla_reckon() -> None:
    """Reckon the clocks of incidents by the policy of now."""
    sla_work.reckon()


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


def tell_webhook_off(endpoint_id: int, version: int) -> None:
    """Write to people that Soar has switched a webhook off."""
    webhooks_telling.tell(endpoint_id, version)


def tidy_webhooks() -> None:
    """Delete old deliveries and secrets that were replaced. Scheduled every hour."""
    webhooks_tidying.tidy()


def count_hours() -> None:
    """Count the alerts of the last hours for charts. Scheduled every minute."""
    counting.count_hours()


def tidy_hours() -> None:
    """Forget figures that no chart reaches. Scheduled every day."""
    counting.tidy()


def notifications_consider(*entry_ids: int) -> None:
    """Write down whom these timeline entries concern."""
    notifications.consider(entry_ids)


def notifications_send(user_id: int, channel: str) -> None:
    """Send what is due for a person by mail or chat."""
    notifications_sending.work(user_id, channel)


def notifications_due() -> None:
    """Queue the people for whom something is due, or was broken off. Scheduled often."""
    ringing.ring_due()


def notifications_late_alerts() -> None:
    """Queue telling people of alerts that nobody took in time, if there are new ones. Scheduled every minute."""
    late_alerts.look()


def notifications_late_alerts_tell() -> None:
    """Tell people of alerts that nobody took in time."""
    late_alerts.tell()


def notifications_tasks() -> None:
    """Tell people that a task of theirs is due. Scheduled every minute."""
    due_tasks.tell_due()


def tidy_notifications() -> None:
    """Delete old notifications. Scheduled every hour."""
    notifications_tidying.tidy()
