"""What the floors tell each other of by name, so that none imports one above it (docs/architecture.md): readers of the
timeline, hooks, providers, boxes of pages. Each line is a dotted name or the name of a URL.

``soar.settings`` takes all of them over.
"""

from __future__ import annotations

# Readers of the timeline: dotted names of soar.lib.readers.Reader objects. None is called by name.
TIMELINE_CONSUMERS = [
    "playbooks.reader.reader",
    "cases.pulls.reader.reader",
    "cases.servicenow.reader.reader",
    "cases.webhooks.reader.reader",
    "cases.actions.messages.reader",
    "cases.notifications.reader.reader",
]
# What the roof mounts into pages of cases (contract: cases knows URL names only).
ALERT_RUNS_URL = "alert-runs"
INCIDENT_RUNS_URL = "incident-runs"
# The dashboard's box about playbooks, and who adds to a person's work: functions of the person (cases.dashboard.work).
PLAYBOOK_FIGURES_URL = "playbook-figures"
WORK_OF = [
    "playbooks.work.approvals",
    "cases.dashboard.work.incidents",
    "cases.dashboard.work.tasks",
    "cases.dashboard.work.alerts",
]
# The first run on an alert that is no demo: a function of a person that returns (name, address) or None.
FIRST_RUN = "playbooks.work.first_run"
# What the hand-over page says waits on whom: functions of a person and a team (cases.dashboard.shift).
WAITING_OF = [
    "playbooks.work.undecided",
    "cases.dashboard.shift.grave",
    "cases.dashboard.shift.paused",
    "cases.dashboard.shift.tasks",
]
# Asks which playbook to run on the alerts that are ticked in the queue; posted to.
ALERTS_RUN_URL = "alerts-run"
# Starts a playbook on each of some alerts, for bulk jobs: (actor, playbook, ids, dry_run=) -> (name, runs, refused).
ALERTS_RUN_ON_EACH = "playbooks.actions.many.run_on_each"
# Fills `runs` in an alert's JSON: dotted name of a function list[int] -> dict[int, list[dict]].
ALERT_RUNS_PROVIDER = "playbooks.selectors.runs_of_alerts"
# Places that are open without their permission to whom something there is granted by name: URL name -> dotted name of a
# function (user) -> bool.
NAV_GRANTED = {
    "source-list": "cases.source_access.manages_some",
    "connector-list": "cases.grants.manages_connectors",
}
# Whom an approval asks, for notifications: a function (approval id, alert id) -> {user id: it mails them itself}.
NOTIFICATION_APPROVERS = "playbooks.response.approvers.approvers"
# Figures beside places of the navigation: URL name -> dotted name of a function (user) -> the rows that are counted.
NAV_COUNTS = {
    "inbox": "cases.notifications.inbox.unread",
    "source-list": "cases.silence.silent",
    "settings-home": "cases.low_disks.warned_of",
    "approval-list": "playbooks.response_selectors.asked_of",
    "connector-list": "soar.connectors.health.needing_a_look",
    "servicenow": "cases.views.servicenow.failures.needing_people",
}
# All of a person that these rows are chosen by: dotted name of a function (user) -> something hashable. Nothing else,
# neither the time of day, may stand in them but as SQL.
NAV_STANDING = "cases.grants.standing"
# What there must be for such a figure to be any, of the person (``%(user)s``) or of anybody: URL name -> dotted
# name of a condition in SQL. One query asks for all of them; a person's own figure, which is dearer, is counted only
# where there is something.
NAV_REASONS = {
    "inbox": "cases.notifications.inbox.ANY_UNREAD",
    "source-list": "cases.silence.ANY_SILENT",
    "settings-home": "cases.low_disks.ANY_LOW",
    "approval-list": "playbooks.response_selectors.ANY_WAITING",
    "connector-list": "soar.connectors.health.ANY_DISABLED",
    "servicenow": "cases.views.servicenow.failures.ANY_FAILURE",
}
# Whether texts name alerts or incidents that a person does not see: a function (user, texts) -> list[bool].
NAMES_HIDDEN = "cases.numbers_hidden.names_hidden"
# Which calls bear words of cases that a person does not see: a function (user, attempts) -> ids.
CALLS_HIDDEN = "cases.calls_hidden.hidden_calls"
# What of each floor uses a connector, asked before one is removed: functions (account) -> Iterable[Use].
CONNECTOR_USES = ["soar.connectors.uses.own", "cases.connector_uses.uses", "playbooks.connector_uses.uses"]
# Called by cases.purge before alerts and incidents are deleted: functions (*, alerts: list[int], incidents: list[int]).
PURGE_HOOKS = ["playbooks.purge.forget", "cases.servicenow.purging.forget"]
# What goes along when an incident is merged into another, besides what cases keep: cases.actions.moving Part objects.
MERGE_PARTS = ["playbooks.merging.RUNS"]
# What retention can delete besides alerts, incidents and the audit log: cases.retention.Sort objects.
RETENTION_SORTS = ["playbooks.retention.RUNS"]
# What is added to an exported incident: functions (user, incident, alerts: list[int]) -> dict[str, JSON].
EXPORT_PARTS = ["playbooks.exporting.parts"]
# What people and teams own: soar.accounts.owning.Owning objects.
OWNINGS = [
    "cases.actions.ownings.alerts",
    "cases.actions.ownings.incidents",
    "cases.actions.ownings.tasks",
    "cases.actions.ownings.sources",
    "cases.actions.ownings.suppression",
    "cases.actions.ownings.webhooks",
    "cases.actions.ownings.views",
    "playbooks.ownings.playbooks",
]
# What can be granted to people and groups by name: the kind in the API's words -> dotted name of its Grantable.
GRANTABLE = {
    "incident": "cases.actions.access.INCIDENT",
    "source": "cases.actions.access.SOURCE",
    "playbook": "playbooks.access.PLAYBOOK_ACCESS",
    "connector": "soar.connectors.access.CONNECTOR_ACCESS",
}
# Runs the playbooks on an alert of the demo: a class, made once and then called with (entry id, moment).
DEMO_RUNS = "playbooks.demo.past.Past"
# What is added to the demo, in this order: classes of cases.demo.stage.Part.
DEMO_PARTS = ["cases.demo.servicenow.ServiceNow", "playbooks.demo.response.Response"]
